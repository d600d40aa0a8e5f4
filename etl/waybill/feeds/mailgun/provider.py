"""Mailgun: message ids and failure codes. `provider_code` is `reason/code`: the event's reason and the code of its
delivery status.

Sources: events manual; the answer of the send call, as django-anymail 15 reads it (anymail/backends/mailgun.py).
"""

import re

from waybill.model.provider import MessageIds, Provider
from waybill.model.wire import Auth, Wire

_OWN_FORM = re.compile(r"(\d{14}\.[\da-z.]+)@[^@\s]+", re.ASCII | re.IGNORECASE)


def mailgun_message_id(written: str) -> str:
    """Return the id without angle brackets, which the answer of the send call has and events do not.

    An id that Mailgun made (`20260302091418.1.4F0A@mg.acme.example`) loses its domain: it is then no address, so it is
    stored as it is, and people can search for it at Mailgun. A Message-ID that the sender made stays whole.
    """
    whole = written.strip().removeprefix("<").removesuffix(">").strip()
    made = _OWN_FORM.fullmatch(whole)
    return made[1] if made else whole


PROVIDER = Provider(
    message_ids=MessageIds(mailgun_message_id, leg_has_recipient=True),
    codes={
        "suppress-bounce/*": "prior_bounce",
        "suppress-unsubscribe/*": "prior_unsubscribe",
        "suppress-complaint/*": "prior_spam_report",
        "old/*": "expired",
        "*/605": "prior_bounce",
        "*/607": "prior_spam_report",
        "*/498": "dns_failure",
        "*/499": "timed_out",
        "*/680": "connection_failed",
    },
    general_codes={
        "espblock/*": "ip_blocked",
        "blacklisted/*": "ip_blocked",
        "greylisted/*": "server_unavailable",
        "hardfail/*": "address_not_found",
    },
    credentials=("MAILGUN_DOMAIN", "MAILGUN_API_KEY"),
    base_url="https://api.mailgun.net",
    wire=Wire(Auth("basic", "api")),
)
