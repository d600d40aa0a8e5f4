"""Twilio's lists: the lists that show a window, and what a page says about itself."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from waybill.feeds import FEEDS
from waybill.feeds.api import ApiFeed, Listing, Page, Window
from waybill.feeds.twilio.lists import PAGE_SIZE
from waybill.model.errors import SourceError

SID = "AC" + "0" * 31 + "1"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LINK = f"/2010-04-01/Accounts/{SID}/Messages.json"
LIST = Listing("list", LINK, ())
SWEEP = Listing("sweep", LINK, (), oldest=NOON)
MESSAGES, CALLS = FEEDS["twilio_messages"], FEEDS["twilio_calls"]


def body(*rows: object, following: object = None, key: str = "messages", **more: object) -> bytes:
    return json.dumps({key: rows, "next_page_uri": following, **more}).encode()


def row(number: int = 1, created: str | None = "11:00", **more: object) -> dict:
    return {"sid": f"SM{number}", "date_created": written(created), **more}


def written(time: str | None) -> str | None:
    return time and f"Mon, 02 Mar 2026 {time}:00 +0000"


@pytest.mark.parametrize(
    ("feed", "resource", "filtered_by"), [(MESSAGES, "Messages", "DateSent"), (CALLS, "Calls", "StartTime")]
)
def test_the_stretches_of_a_window_overlap_by_a_second(feed: ApiFeed, resource: str, filtered_by: str) -> None:
    listings = feed.listings(SID, Window(NOON - HOUR, NOON + HOUR), None)
    assert [(one.link, one.params, one.oldest) for one in listings] == [
        (
            f"/2010-04-01/Accounts/{SID}/{resource}.json",
            (
                (f"{filtered_by}>", f"2026-03-02T{first}:00:00Z"),
                (f"{filtered_by}<", f"2026-03-02T{last}:00:01Z"),
                ("PageSize", str(PAGE_SIZE)),
            ),
            None,
        )
        for first, last in (("06", "12"), ("12", "18"))
    ]
    assert [one.name for one in listings] == [
        f"{filtered_by} 2026-03-02T06:00:00Z",
        f"{filtered_by} 2026-03-02T12:00:00Z",
    ]


def test_a_sweep_is_a_list_without_filter_named_by_its_end() -> None:
    window = Window(NOON - HOUR, NOON)
    (*stretches, sweep) = MESSAGES.listings(SID, window, NOON - 3 * HOUR)
    assert stretches == list(MESSAGES.listings(SID, window, None))
    oldest = NOON - 3 * HOUR
    assert sweep == Listing("newest down to 2026-03-02T09:00:00Z", LINK, (("PageSize", str(PAGE_SIZE)),), oldest)


def test_a_page_names_its_rows_and_the_next_page() -> None:
    page = MESSAGES.page(body(row(1), row(2), following=f"{LINK}?Page=1"), LIST)
    assert page == Page(("SM1", "SM2"), f"{LINK}?Page=1", False, None)
    assert CALLS.page(body({"sid": "CA1"}, key="calls"), LIST) == Page(("CA1",), None, False, None)


@pytest.mark.parametrize("following", [None, ""])
def test_the_last_page_has_no_next_page(following: object) -> None:
    assert MESSAGES.page(body(row(), following=following), LIST).next_link is None


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"<html>",
        b"\xff\xfe",
        b'{"messages": []}',
        b'{"messages": [], "next_page_uri": 5}',
        b'{"messages": null, "next_page_uri": null}',
        b'{"messages": {}, "next_page_uri": null}',
        b'{"calls": [], "next_page_uri": null}',
        b'{"next_page_uri": null}',
        body(row())[:-2],
        b'{"next_page_uri": null, "messages": [], "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"[" * 100_000,
    ],
    ids=lambda bad: bad[:40].decode(errors="replace"),
)
def test_a_body_that_is_no_page_is_refused(bad: bytes) -> None:
    with pytest.raises(SourceError, match=r"^Twilio's answer is not a page of messages\.$"):
        MESSAGES.page(bad, LIST)


def test_an_error_body_is_refused_with_its_code_but_not_its_text() -> None:
    with pytest.raises(SourceError, match=r"not a page of calls \(error 20429\)\.$"):
        CALLS.page(b'{"code": 20429, "message": "+12025550123 said too much", "status": 429}', LIST)


@pytest.mark.parametrize(("start", "end", "rows"), [(0, 2, 2), (0, 0, 2), (50, 52, 2), (0, 49, 0), (50, 99, 0)])
def test_a_page_with_another_number_of_rows_than_stated_is_refused(start: int, end: int, rows: int) -> None:
    shown = [row(number) for number in range(rows)]
    with pytest.raises(SourceError, match=f"says that it holds {end - start + 1} messages, and holds {rows}"):
        MESSAGES.page(body(*shown, start=start, end=end), LIST)


@pytest.mark.parametrize(
    ("start", "end", "rows"), [(0, 1, 2), (50, 51, 2), (0, 0, 1), (0, 0, 0), (50, 50, 0), (0, -1, 0), (None, None, 2)]
)
def test_a_page_with_the_stated_number_of_rows_is_accepted(start: int | None, end: int | None, rows: int) -> None:
    shown = [row(number) for number in range(rows)]
    assert len(MESSAGES.page(body(*shown, start=start, end=end), LIST).record_ids) == rows


@pytest.mark.parametrize(
    "following",
    [
        "/2010-04-01/Accounts/ACother/Messages.json?Page=1",
        f"/2010-04-01/Accounts/{SID}/Calls.json?Page=1",
        f"/elsewhere{LINK}?Page=1",
        f"{LINK}/../Calls.json",
        "?Page=1",
        "http://[::1",
        " ",
    ],
)
def test_a_next_page_of_another_list_is_refused(following: str) -> None:
    with pytest.raises(SourceError, match="names a page of another list"):
        MESSAGES.page(body(row(), following=following), LIST)


@pytest.mark.parametrize("name", ["uri", "first_page_uri"])
def test_a_page_with_itself_or_the_first_as_next_is_refused(name: str) -> None:
    with pytest.raises(SourceError, match="names itself or the first page"):
        MESSAGES.page(body(row(), following=f"{LINK}?Page=0", **{name: f"{LINK}?Page=0"}), LIST)


@pytest.mark.parametrize("poison", [None, 5, "row", [], {}, {"sid": 5}, {"sid": None}, {"sid": "SM1", "date_sent": 5}])
def test_a_malformed_row_does_not_refuse_the_page(poison: object) -> None:
    page = MESSAGES.page(body(poison, row(2), {"another": "poison"}, start=0, end=2), SWEEP)
    assert page.record_ids[1] == "SM2"
    assert len(set(page.record_ids)) == 3
    assert page.is_past is False


def test_a_deeply_nested_row_does_not_refuse_the_page() -> None:
    nested = b'{"messages": [{"sid": "SM1", "x": ' + b"[" * 900 + b"]" * 900 + b'}], "next_page_uri": null}'
    assert len(MESSAGES.page(nested, LIST).record_ids) == 1


@pytest.mark.parametrize(
    ("rows", "is_past"),
    [
        ([row(1, "11:59"), row(2, "11:00")], True),
        ([row(1, "12:00"), row(2, "11:00")], False),
        ([row(1, "11:00"), row(2, "12:00")], False),
        ([row(1, None)], False),
        ([row(1, "11:00"), {"sid": "SM2", "date_created": "soon"}], False),
        ([], False),
        # scheduled in the morning and sent just now: above rows that were created meanwhile and never sent
        ([row(1, "09:00", date_sent=written("12:05")), row(2, "09:00", date_sent=written("12:04"))], False),
        ([row(1, "09:00", date_sent=written("11:59"))], True),
        ([row(1, "09:00", start_time=written("12:05"))], False),
        ([row(1, "09:00", date_sent="")], True),
    ],
)
def test_a_sweep_ends_when_all_rows_of_a_page_are_older(rows: list[dict], is_past: bool) -> None:
    assert MESSAGES.page(body(*rows), SWEEP).is_past is is_past
    assert MESSAGES.page(body(*rows), LIST).is_past is False
