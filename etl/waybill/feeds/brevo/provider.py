"""Brevo: message ids and failure codes. `provider_code` is the word that posts have for a failure.

Sources: transactional webhooks (developers.brevo.com/docs/transactional-webhooks); the answer of the send call, as
django-anymail 15 reads it (anymail/backends/brevo.py).
"""

import re

from waybill.model.provider import MessageIds, Provider
from waybill.model.wire import Rate, Wire, header_token

_OWN_FORM = re.compile(r"(\d{12}\.\d+)@[^@\s]+", re.ASCII)


def brevo_message_id(written: str) -> str:
    """Return the id without angle brackets.

    An id that Brevo made (`<202603020914.27287306012@smtp-relay.acme.example>`) loses its domain: it is then no
    address, so it is stored as it is, and people can search for it at Brevo. Any other Message-ID stays whole.
    """
    whole = written.strip().removeprefix("<").removesuffix(">").strip()
    made = _OWN_FORM.fullmatch(whole)
    return made[1] if made else whole


PROVIDER = Provider(
    message_ids=MessageIds(brevo_message_id, leg_has_recipient=True),
    codes={"invalid_email": "address_malformed"},
    general_codes={"blocked": "prior_unsubscribe"},
    words=(
        # Brevo's own list, of people who unsubscribed, complained or bounced, and of those blocked by hand.
        ("prior_unsubscribe", "blocked : due to blacklist user", "blacklist*|blocklist* user|contact"),
    ),
    credentials=("BREVO_API_KEY",),
    base_url="https://api.brevo.com",
    wire=Wire(
        header_token("api-key"),
        Rate(remaining="x-sib-ratelimit-remaining", reset="x-sib-ratelimit-reset", is_reset_seconds=True),
    ),
)
