"""Words and codes with a general meaning, for failures without finer hints: data of the table in feeds/failure_rules.

Words are written as in failure_words.
"""

GENERAL_WORDS: tuple[tuple[str, str, str], ...] = (
    ("content_rejected", "554 spam",
     "spam* / unsolicited|suspicious / spoofing|phish* / bulk mail|email / attachment|attachments"),
    ("server_unavailable", "451 try again later",
     "service|server|system|resources … unavailable|busy|down|not_available / try again|later|it_again / "
     "temporar* / greylist*|graylist*|greylisted|grey|gray|greylisting / temporary / please retry|resend / "
     "retry / internal|local|system|software|configuration|config|server|processing|fatal error|problem|failure / "
     "error in processing / input output error / no such file / ldap / "
     "misconfigured|misconfiguration|configuration / crashed / service shutting|not / deferred / "
     "spater|plus_tard|mas_tarde|piu_tardi|tarde|nochmal|erneut / "
     "しばらく / 一時的 / 暂时 / command died|failed|output / "
     "pipe to / procmail / maildrop / x unix / ended early / unable to process / no mdb / several matches / "
     "lmtp error / too many results / shutting down / out of memory|resources / "
     "cannot|cant|could_not|unable|failed open|create|read|write|lock|store|process|deliver|access|accept / "
     "forwarding loop / unexpected / not available / system … error|fail*|problem|unavailable / "
     "local … error|problem|configuration|delivery / high load / replicated / wait|waiting / maintenance / "
     "mailer error|daemon / program|command|script|filter|pipe … fail*|died|error|exit*|output / maidrop / "
     "exit status / at this|the time|moment / resend … later / later / overload*|too_busy|busy / "
     "quota … temporar* / database|mysql|sql|ldap error|lookup|query|attribute"),
    ("address_not_found", "550 mailbox unavailable",
     "mailbox … unavailable|not_available / not available"),
    ("ip_blocked", "554 blocked",
     "550|553|554 blocked / ip … invalid|blocked / invalid|bad|banned|unknown ip / access denied … ip / "
     "mail server … blocked"),
    ("address_not_found", "550 delivery to this recipient failed",
     "delivery … failed … address|recipient|user|recipients / recipients|recipient|addresses failed / "
     "recipient address rejected|has_been_denied / recipient|user|address rejected|denied / recipient not"),
    ("policy_rejected", "550 access denied",
     "policy|policies|polic* / prohibit*|forbidden|disallow* / not_allowed|not_permitted / "
     "access denied|refused / rejected for / administrative* / security / permission denied / "
     "organizational settings / rejected by|due_to / not authorized|authorised / denied by / low priority / "
     "blocked / message|mail|email … rejected|refused|denied|bounced / anti spoofing / "
     "not accept*|allowed|permitted|authori*|acceptable / unacceptable / rule|rules|filter|filtered / "
     "access|connection|delivery|mail|service|transaction … denied|refused|rejected / not wanted|welcome / "
     "confidential / restricted|restriction*"),
    ("invalid_request", "554 the format is wrong",
     "rfc|protocol|syntax|header|headers|format|command|argument|parameter|mime"),
    ("recipient_blocked", "550 recipient refused",
     "recipient … refused|rejected|denied / mail|message not accept* … user|recipient"),
)  # fmt: skip
"""Words with several meanings, used after general codes."""

GENERAL_STATUSES: dict[str, str] = {
    "x.1.*": "address_malformed",
    "x.2.*": "address_inactive",
    "x.3.*": "server_unavailable",
    "x.4.*": "connection_failed",
    "x.5.*": "invalid_request",
    "x.6.*": "content_rejected",
    "x.7.*": "policy_rejected",
}
"""Subjects of RFC 3463, used almost last. x.0.* has no meaning."""

REPLIES: dict[str, str] = {
    "421": "server_unavailable",
    "450": "server_unavailable",
    "451": "server_unavailable",
    "452": "server_unavailable",
    "500": "invalid_request",
    "501": "invalid_request",
    "502": "invalid_request",
    "503": "invalid_request",
    "504": "invalid_request",
    "521": "domain_not_found",
    "530": "policy_rejected",
    "535": "policy_rejected",
    "551": "address_not_found",
    "552": "mailbox_full",
    "553": "address_malformed",
    "556": "domain_not_found",
}
"""SMTP reply codes (RFC 5321, RFC 7504) at the start of a text, the weakest hint. 550 and 554 only say that it
failed."""
