"""The paging of Twilio's lists of messages and of calls.

Source: Messages and Calls list (twilio.com/docs/messaging/api/message-resource, .../voice/api/call-resource), API
2010-04-01; lists and their paging (twilio.com/docs/usage/twilios-response).

Quirks
- A parameter's name includes its sign: `DateSent>` means on or after, `DateSent<` on or before (for calls, the
  documents say both "before" and "on or before"). So stretches overlap by a second.
- A row without date_sent (start_time) is in no stretch; a list without a filter, newest first, shows it. Its position
  is its creation, and it moves to the top when it is sent. If it moves between two pages, this pull misses it, and the
  next pull finds it in a stretch.
- That list goes back as far as the feed's `sweep`. If an unsent row changes later than that after its creation (a
  message scheduled for next week and then canceled), the change is missed: pull its time by hand.
- Next links are relative and must be followed as written; a page number alone would shift with new rows.
- An error body can come with any status. A page names the range of its rows (`start`, `end`; both 0 without rows).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import urlsplit

import msgspec

from waybill.feeds import fields
from waybill.feeds.api import Listing, Page, Window, on_grid
from waybill.model.errors import RejectRecord, SourceError

PAGE_SIZE = 1000
OVERLAP = timedelta(seconds=1)


class _Row(msgspec.Struct):
    sid: str | None = None
    account_sid: str | None = None
    date_created: str | None = None
    date_sent: str | None = None  # of messages
    start_time: str | None = None  # of calls


class _Envelope(msgspec.Struct):
    next_page_uri: str | None
    uri: str | None = None
    first_page_uri: str | None = None
    start: int | None = None
    end: int | None = None


_NO_PAGE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def twilio_listings(
    account_id: str, resource: str, filtered_by: str, window: Window, span: timedelta, swept_from: datetime | None
) -> Sequence[Listing]:
    """Return the lists that show a window of one resource.

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
        found.append(Listing(f"newest down to {_written(swept_from)}", link, (size,), swept_from))
    return found


def twilio_page(body: bytes, key: str, listing: Listing) -> Page:
    """Return what one response body says. A malformed row does not refuse its page: its load rejects the row.

    :param key: name of the list in the body, `messages` or `calls`
    :raises SourceError: an error body, no JSON, another number of rows than stated, or an impossible next page
    """
    try:
        envelope = msgspec.json.decode(body, type=_Envelope)
        rows_written = msgspec.json.decode(body, type=dict[str, msgspec.Raw]).get(key, msgspec.Raw(b"null"))
        rows = msgspec.json.decode(rows_written, type=list[msgspec.Raw])
    except _NO_PAGE:
        raise SourceError(f"Twilio's answer is not a page of {key}{_error_code(body)}.") from None
    place = None
    if envelope.start is not None and envelope.end is not None:
        stated = envelope.end - envelope.start + 1
        if stated != len(rows) and (rows or stated > 1):
            raise SourceError(f"it says that it holds {stated} {key}, and holds {len(rows)}.")
        place = (envelope.start, envelope.end) if rows else None
    if (following := envelope.next_page_uri or None) is not None:
        if _path_of(following) != listing.link:
            raise SourceError("it names a page of another list as the next one.")
        if following in (envelope.uri, envelope.first_page_uri):
            raise SourceError("it names itself or the first page as the next one.")
    read = [_row(row) for row in rows]
    is_past = bool(read) and listing.oldest is not None and all(_is_older(row, listing.oldest) for row in read)
    if any(row.account_sid and f"/{row.account_sid}/" not in listing.link for row in read):
        raise SourceError("it shows a row of another account.")
    return Page(tuple(map(_id_of, read, rows)), following, is_past, place)


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _path_of(link: str) -> str:
    try:
        return urlsplit(link).path
    except ValueError:
        return ""


def _row(raw: msgspec.Raw) -> _Row:
    try:
        return msgspec.json.decode(raw, type=_Row)
    except _NO_PAGE:
        return _Row()


def _id_of(row: _Row, raw: msgspec.Raw) -> str:
    return row.sid or sha256(raw).hexdigest()


def _is_older(row: _Row, oldest: datetime) -> bool:
    """Whether a row was sent (or, if unsent, created) before that time. Lists are sorted so: a message that was
    scheduled long ago and sent today is above an unsent one of this morning."""
    try:
        return fields.written_instant("placed", row.date_sent or row.start_time or row.date_created) < oldest
    except RejectRecord:
        return False


def _error_code(body: bytes) -> str:
    """Return the code of Twilio's error in words, if the body is an error."""
    try:
        found = msgspec.json.decode(body, type=dict[str, object]).get("code")
    except _NO_PAGE:
        return ""
    return f" (error {found})" if isinstance(found, int) else ""
