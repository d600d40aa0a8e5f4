"""Which opens and clicks a machine probably made, by what the event alone says: a versioned table.

A suspicion never changes `is_machine`, which is the provider's own flag, nor a human column: it has columns of its own.

The table holds what programs call themselves. Sources: Mailgun's labels for its opens and clicks (apple, gmail,
generic: documentation, `client-info.bot`), the samples of SendGrid's Email Logs (Apple's proxy sends `Mozilla/5.0` and
nothing else), and the names that link previews, crawlers and http libraries give themselves. Most
security scanners pretend to be a browser: no user agent gives them away, and their networks are nowhere published as a
list to rely on. So this finds some machines, never all. Names of libraries with which people's mail programs load
pictures too (okhttp, Dart, CFNetwork, ms-office) are left out on purpose, and so are the image proxies of Gmail and
Yahoo: they fetch when a person looks, and would make suspects of everybody there.

Raise RULES_VERSION with every change; a replay then judges the past again.
"""

from functools import lru_cache

RULES_VERSION = 2

LONGEST_USER_AGENT = 500
"""Characters of a user agent that the rules look at."""

RULES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("mozilla_alone", ("^mozilla/5.0$",)),
    ("google_image_prefetch", ("edge/12.246 mozilla/5.0$",)),
    ("security_scanner", ("barracuda", "mimecast", "proofpoint", "safelinks", "symantec", "fireeye", "trendmicro",
                          "virustotal", "bitdefender")),
    ("link_preview", ("facebookexternalhit", "whatsapp/", "skypeuripreview", "slackbot", "telegrambot", "twitterbot",
                      "linkedinbot", "discordbot", "google-pagerenderer", "bingpreview", "embedly", "iframely")),
    ("headless_browser", ("headlesschrome", "phantomjs", "puppeteer", "playwright", "selenium")),
    ("http_client", ("curl/", "wget/", "python-requests/", "python-urllib/", "python-httpx/", "aiohttp/",
                     "go-http-client/", "libwww-perl", "apache-httpclient/", "^java/", "axios/", "node-fetch",
                     "guzzlehttp", "postmanruntime/", "powershell/", "httpie/")),
    ("crawler", ("bot/", "bot ", "bot;", "bot)", "bot,", "bot-", "bot$", "crawler", "spider", "slurp")),
)  # fmt: skip
"""(rule, signs): the first rule of which one sign stands in the user agent, in lower case, between `^` and `$`."""

_TELEPHONE = "cubot"  # a make, and no bot


@lru_cache(maxsize=16_384)
def machine_rule(user_agent: str | None) -> str | None:
    """The rule by which a user agent is a machine's; None: nothing says so."""
    if user_agent is None:
        return None
    written = f"^{user_agent[:LONGEST_USER_AGENT].strip().lower().replace(_TELEPHONE, '')}$"
    for rule, signs in RULES:
        for sign in signs:
            if sign in written:
                return rule
    return None
