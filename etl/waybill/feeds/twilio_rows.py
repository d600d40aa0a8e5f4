"""What Twilio's lists of messages and of calls have in common: mutable rows that show one status each.

Every row tells `processed` at its creation, and its own status, unless that still means `processed`. Statuses that
were never seen are not invented. An event is one (sid, status), and the time in its key is the creation of the row.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from waybill.feeds import fields
from waybill.feeds.records import Record, Sighting
from waybill.model.errors import RejectRecord
from waybill.model.event import Event


def row_sightings(
    record: Record,
    initial_statuses: Collection[str],
    own_time: Callable[[Record, str], datetime],
    add_details: Callable[[Event, Record, str], None],
) -> tuple[Sighting, ...]:
    """What one row tells.

    :param initial_statuses: those that tell `processed` and nothing else
    :param own_time: when the row's own status was reached
    :param add_details: puts what the row says of its own status into the event of that status
    """
    sid, status = fields.identifier(record.sid), fields.identifier(record.status)
    if sid is None or status is None:
        raise RejectRecord("sid: missing" if sid is None else "status: missing")
    created_at = fields.written_instant("date_created", record.date_created)
    processed = _event(record, sid, created_at)
    told = Sighting(processed, (sid, "processed"), created_at)
    if status in initial_statuses:
        add_details(processed, record, status)
        return (told,)
    own = _event(record, sid, own_time(record, status))
    add_details(own, record, status)
    return told, Sighting(own, (sid, status), created_at)


def _event(record: Record, sid: str, at: datetime) -> Event:
    return Event(
        event_at=at,
        recipient=fields.identifier(record.to),
        provider_account=fields.identifier(record.account_sid),
        provider_message_id=sid,
    )


def add_price(event: Event, price: object, unit: str | None) -> None:
    """Price and currency. Twilio's sign is turned: what it costs is positive, a credit negative."""
    event.price = fields.turned(fields.decimal("price", price))
    event.currency = (fields.identifier(unit) or "").upper() or None


def row_extra(record: Record, named: Iterable[str], left_out: Iterable[str]) -> dict[str, object] | None:
    """The named fields that say something, and those that Twilio added since this was written."""
    extra = {name: value for name in named if (value := getattr(record, name)) not in (None, "")}
    extra.update((name, value) for name, value in record.other.items() if name not in left_out and value is not None)
    return extra or None
