"""How Twilio's lists of messages and of calls are paged through.

Source: Messages and Calls list (twilio.com/docs/messaging/api/message-resource, .../voice/api/call-resource), API
2010-04-01; lists and their paging (twilio.com/docs/usage/twilios-response).

Quirks
- A sign belongs to the name of a parameter: `DateSent>` means on or after, `DateSent<` on or before (of calls the
  documents say both before and on or before): stretches overlap by a second.
- A row without date_sent (start_time) is in no stretch: a list without filter, newest first, shows it.
- Next links are relative and are to be followed as they are written; a page number alone would shift with new rows.
- An error body can come with any status; a page says which of its rows it holds (`start`, `end`).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from etl.feeds import fields
from etl.feeds.api import Listing, Page, Window, on_grid
from etl.model.errors import RejectRecord, SourceError

PAGE_SIZE = 1000
OVERLAP = timedelta(seconds=1)


class _Row(msgspec.Struct):
    sid: str
    date_created: str | None = None


class _Envelope(msgspec.Struct):
    next_page_uri: str | None
    start: int | None = None
    end: int | None = None


def twilio_listings(
    account_id: str, resource: str, filtered_by: str, window: Window, span: timedelta, swept_from: datetime | None
) -> Sequence[Listing]:
    """The lists that show a window of one resource.

    :param resource: `Messages` or `Calls`
    :param filtered_by: the time that the list filters by, `DateSent` or `StartTime`
    """
    link = f"/2010-04-01/Accounts/{account_id}/{resource}.json"
    size = ("PageSize", str(PAGE_SIZE))
    found = [
        Listing(
            f"{filtered_by} {_written(stretch.from_at)}",
            link,
            (
                (f"{filtered_by}>", _written(stretch.from_at)),
                (f"{filtered_by}<", _written(stretch.until_at + OVERLAP)),
                size,
            ),
        )
        for stretch in on_grid(window, span)
    ]
    if swept_from is not None:
        found.append(Listing("newest", link, (size,), swept_from))
    return found


def twilio_page(body: bytes, key: str, listing: Listing) -> Page:
    """What one response body says.

    :param key: name of its list, `messages` or `calls`
    :raises SourceError: an error body, no JSON, or fewer rows than it says
    """
    try:
        envelope = msgspec.json.decode(body, type=_Envelope)
        rows = msgspec.json.decode(body, type=dict[str, msgspec.Raw]).get(key, msgspec.Raw(b"null"))
        rows = msgspec.json.decode(rows, type=list[_Row])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise SourceError(
            f"Twilio answered {listing.name} with something that is no page of {key}{_error_code(body)}. Nothing of it "
            "was taken; run the same command again: it goes on with this page."
        ) from None
    if rows and envelope.start is not None and envelope.end is not None:
        told = envelope.end - envelope.start + 1
        if told != len(rows):
            raise SourceError(
                f"A page of {listing.name} says that it holds {told} {key}, and holds {len(rows)}. Nothing of it was "
                "taken; run the same command again: it goes on with this page."
            )
    is_past = bool(rows) and listing.oldest is not None and all(_is_older(row, listing.oldest) for row in rows)
    return Page(tuple(row.sid for row in rows), envelope.next_page_uri or None, is_past)


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_older(row: _Row, oldest: datetime) -> bool:
    try:
        return fields.written_instant("date_created", row.date_created) < oldest
    except RejectRecord:
        return False  # whoever stages it will say what is wrong with it


def _error_code(body: bytes) -> str:
    """The number of Twilio's error, if the body is one."""
    try:
        found = msgspec.json.decode(body, type=dict[str, object]).get("code")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return f" (error {found})" if isinstance(found, int) else ""
