"""The common part of Twilio's lists of messages and of calls: mutable rows that show one status each.

Every row gives `processed` at its creation, and its own status unless that still means `processed`. Statuses that were
not seen are not assumed. An event is one (sid, status); the time in its key is the creation of the row.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import TypeVar

from waybill.feeds import fields
from waybill.feeds.records import Record, Sighting
from waybill.model.errors import RejectRecord


class TwilioRow(Record):
    """The common fields of both lists. Twilio writes numbers as texts; both are read."""

    sid: str | None = None
    status: str | None = None
    account_sid: str | None = None
    direction: str | None = None
    to: str | None = None
    date_created: str | None = None
    date_updated: str | None = None
    price: int | float | str | None = None
    price_unit: str | None = None


RowT = TypeVar("RowT", bound=TwilioRow)


def row_sightings(
    record: RowT,
    initial_statuses: Collection[str],
    own_time: Callable[[RowT, str], datetime],
    add_details: Callable[[Sighting, RowT, str], None],
) -> tuple[Sighting, ...]:
    """Return the sightings of one row.

    :param initial_statuses: statuses that mean `processed` and nothing else
    :param own_time: returns when the row's own status was reached
    :param add_details: adds the details of the row's own status to the sighting of that status
    """
    sid, status = fields.identifier(record.sid), fields.identifier(record.status)
    if sid is None or status is None:
        raise RejectRecord("sid: missing" if sid is None else "status: missing")
    created_at = fields.written_instant("date_created", record.date_created)
    processed = _sighting(record, sid, "processed", created_at)
    if status in initial_statuses:
        add_details(processed, record, status)
        return (processed,)
    own = _sighting(record, sid, status, created_at)
    own.event_at = own_time(record, status)
    add_details(own, record, status)
    return processed, own


def _sighting(record: TwilioRow, sid: str, status: str, created_at: datetime) -> Sighting:
    return Sighting(
        identity=(sid, status),
        key_at=created_at,
        recipient=fields.identifier(record.to),
        provider_account=fields.identifier(record.account_sid),
        provider_message_id=sid,
    )


def add_price(sighting: Sighting, record: TwilioRow) -> None:
    """Set price and currency. Twilio's sign is turned: a cost is positive, a credit negative."""
    sighting.price = fields.turned(fields.decimal("price", record.price))
    sighting.currency = (fields.identifier(record.price_unit) or "").upper() or None


def row_extra(record: TwilioRow, named: Iterable[str], left_out: Iterable[str]) -> dict[str, object] | None:
    """Return the named fields that are not empty, and the fields that Twilio has added since this was written."""
    extra = {name: value for name in named if (value := getattr(record, name)) not in (None, "")}
    extra.update((name, value) for name, value in record.other.items() if name not in left_out and value is not None)
    return extra or None
