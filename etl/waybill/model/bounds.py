"""How long the texts of an event may be: those that enter a key or an index, of facts and of reports.

Postgres refuses a row of an index of more than 2,704 bytes (a third of a page), and with it the whole statement: one
long text would stop a load, or every later build. So the record is rejected at the door. The bounds are such that the
widest key of all, with every text of it at its bound, still fits: a test reads all indexes and adds them up.
"""

from operator import attrgetter

from waybill.model.errors import RejectRecord
from waybill.model.event import COLUMNS, Event

LONGEST_BYTES = {name: column.key.longest_bytes for name, column in COLUMNS.items() if column.key is not None}
"""By column of the event, in bytes of UTF-8. `account` has a form of its own; all other texts enter no key."""

LONGEST_KEY_BYTES = {
    "campaign_id": LONGEST_BYTES["campaign_id"],
    "template_id": LONGEST_BYTES["template_id"],
    "provider_code": LONGEST_BYTES["provider_code"],
    "provider": LONGEST_BYTES["gateway"],
    "currency": LONGEST_BYTES["currency"],
    "url": 1_500,
}
"""By column of a report's key. What was loaded before the bounds were, and a link of many wide characters, is cut."""

_values_of = attrgetter(*LONGEST_BYTES)


def check_bounds(event: Event) -> None:
    """Raise RejectRecord, naming the column, where a text of an event cannot be a key."""
    for (name, longest), text in zip(LONGEST_BYTES.items(), _values_of(event), strict=True):
        if text is not None and len(text) * 4 > longest and len(text.encode()) > longest:
            raise RejectRecord(f"{name}: longer than {longest} bytes")
