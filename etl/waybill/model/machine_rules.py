"""A versioned table of user agents of machines: it finds opens and clicks that a machine probably made.

A suspicion has its own columns. It never changes `is_machine`, the provider's own flag, nor a human column.

The table contains the names that programs give themselves. Sources: Mailgun's labels for its opens and clicks (apple,
gmail, generic: documentation, `client-info.bot`), the samples of SendGrid's Email Logs (Apple's proxy sends only
`Mozilla/5.0`), and the names of link previews, crawlers and http libraries. Most security scanners use the user agent
of a browser, and no reliable list of their networks is published. So the table finds some machines, never all. It
leaves out libraries with which mail programs of people load pictures (okhttp, Dart, CFNetwork, ms-office), and the
image proxies of Gmail and Yahoo: they load when a person looks, so all their users would be suspects.

Raise RULES_VERSION with every change; a replay then applies the rules to the past.
"""

from functools import lru_cache

RULES_VERSION = 2

LONGEST_USER_AGENT = 500
"""Characters of a user agent that the rules read."""

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
"""(rule, signs): the first rule with a sign in the user agent (lower case, between `^` and `$`) wins."""

_TELEPHONE = "cubot"  # a brand of telephones, not a bot


@lru_cache(maxsize=16_384)
def machine_rule(user_agent: str | None) -> str | None:
    """Return the rule that finds a machine in a user agent; None if no rule does."""
    if user_agent is None:
        return None
    written = f"^{user_agent[:LONGEST_USER_AGENT].strip().lower().replace(_TELEPHONE, '')}$"
    for rule, signs in RULES:
        for sign in signs:
            if sign in written:
                return rule
    return None
