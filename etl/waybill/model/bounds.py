"""The longest allowed texts of an event: those that are part of a key or an index of facts or reports.

Postgres refuses an index row of more than 2,704 bytes (a third of a page), and with it the whole statement: one long
text would stop a load, or every later build. So a record with such a text is rejected. With all texts at their bounds,
the widest key still fits: a test reads all indexes and adds them up.
"""

from operator import attrgetter

from waybill.model.errors import RejectRecord
from waybill.model.event import COLUMNS, EventDraft

LONGEST_BYTES = {name: column.key.longest_bytes for name, column in COLUMNS.items() if column.key is not None}
"""Bytes of UTF-8 by event column. `account` has its own form; other texts are part of no key."""

LONGEST_KEY_BYTES = {
    "campaign_id": LONGEST_BYTES["campaign_id"],
    "template_id": LONGEST_BYTES["template_id"],
    "provider_code": LONGEST_BYTES["provider_code"],
    "provider": LONGEST_BYTES["gateway"],
    "currency": LONGEST_BYTES["currency"],
    "url": 1_500,
}
"""Bytes by column of a report key. Texts that were loaded before the bounds existed, and longer links, are cut."""

_values_of = attrgetter(*LONGEST_BYTES)
_SURELY_SHORT = tuple(longest // 4 for longest in LONGEST_BYTES.values())  # characters, of at most four bytes each


def check_bounds(event: EventDraft) -> None:
    """Raise RejectRecord with the name of the column if a text is too long for a key."""
    values = _values_of(event)
    for characters, text in zip(_SURELY_SHORT, values, strict=True):
        if text is not None and len(text) > characters:
            break
    else:
        return
    for (name, longest), text in zip(LONGEST_BYTES.items(), values, strict=True):
        if text is not None and len(text.encode()) > longest:
            raise RejectRecord(f"{name}: longer than {longest} bytes")
