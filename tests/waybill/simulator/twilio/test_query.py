"""The meaning of the parameters of a list."""

from datetime import UTC, datetime, timedelta

import pytest

from waybill.simulator.twilio.query import InvalidQueryError, Query, Span, read_query
from waybill.simulator.twilio.rows import CALLS, MESSAGES

INSTANT = datetime(2019, 6, 11, 22, 5, 25, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def read(text: str, feed: str = MESSAGES, strict: bool = False) -> Query:
    return read_query("north", feed, text, strict)


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2019-06-11T22:05:25Z", INSTANT),
        ("2019-06-11 22:05:25Z", INSTANT),
        ("2019-06-11+22:05:25Z", INSTANT),
        ("2019-06-11T22:05:25", INSTANT),
        ("2019-06-11 22:05:25.000", INSTANT),
        ("2019-06-12T00:05:25%2B02:00", INSTANT),
        ("06/11/2019 22:05:25 MST", INSTANT + timedelta(hours=7)),
        ("06/11/2019 22:05:25", INSTANT),
        ("Tue, 11 Jun 2019 22:05:25 -0000", INSTANT),
        ("Tue, 11 Jun 2019 22:05:25 %2B0000", INSTANT),
    ],
)
def test_times_are_read_in_every_form_of_twilio_and_its_clients(written, instant):
    assert read(f"DateSent%3E={written}").spans == {"date_sent": Span(since=instant)}
    assert read(f"DateSent%3C={written}").spans == {"date_sent": Span(before=instant + TICK)}
    assert read(f"DateSent={written}").spans == {"date_sent": Span(instant, instant + TICK)}


def test_the_sign_can_be_unencoded():
    assert read("DateSent>=2019-06-11") == read("DateSent%3E=2019-06-11")


def test_a_bare_date_means_the_whole_day():
    day = datetime(2019, 6, 11, tzinfo=UTC)
    assert read("DateSent=2019-06-11").spans == {"date_sent": Span(day, day + timedelta(days=1))}
    assert read("DateSent%3E=2019-06-11").spans == {"date_sent": Span(since=day)}
    assert read("DateSent%3C=2019-06-11").spans == {"date_sent": Span(before=day + timedelta(days=1))}


def test_the_other_reading_of_upper_bounds():
    day = datetime(2019, 6, 11, tzinfo=UTC)
    assert read("DateSent%3C=2019-06-11", strict=True).own_span == Span(before=day + TICK)
    assert read("StartTime%3C=2019-06-11T22:05:25Z", CALLS, strict=True).own_span == Span(before=INSTANT)
    assert read("DateSent%3C=2019-06-11T22:05:25Z", strict=True).own_span == Span(before=INSTANT + TICK)
    assert read("DateSent=2019-06-11", strict=True) == read("DateSent=2019-06-11")


def test_two_bounds_of_one_time_are_a_window():
    query = read("EndTime%3E=2019-06-11T22:05:25Z&EndTime%3C=2019-06-11T22:05:25Z", CALLS)
    assert query.spans == {"end_time": Span(INSTANT, INSTANT + TICK)}
    assert query.own_span == Span()


def test_a_span_includes_its_bounds_but_no_missing_time():
    span = read("DateSent=2019-06-11T22:05:25Z").own_span
    assert span.holds(INSTANT)
    assert not span.holds(INSTANT - TICK)
    assert not span.holds(INSTANT + TICK)
    assert not Span().holds(None)


def test_links_repeat_the_filters_of_the_request():
    """The encodings are those of Twilio's OpenAPI description."""
    asked = "To=%2B15550100001&DateSent%3E=06%2F11%2F2019+22%3A05%3A25+MST"
    link = read(f"{asked}&PageSize=25&Unknown=1&From=").link
    assert link.uri.partition("?")[2] == f"{asked}&PageSize=25&Page=0"
    assert link.at(1, "PASM1").uri.partition("?")[2] == f"{asked}&PageSize=25&Page=1&PageToken=PASM1"


def test_the_page_size_is_50_by_default_and_at_most_1000():
    assert read("").link.page_size == 50
    assert read("PageSize=1").link.page_size == 1
    assert read("PageSize=1000").link.page_size == 1000
    assert read("PageSize=1001").link.page_size == 1000


@pytest.mark.parametrize(
    "query",
    [
        "PageSize=0",
        "PageSize=-1",
        "PageSize=ten",
        "PageSize=1.5",
        "Page=-1",
        "DateSent%3E=yesterday",
        "DateSent=13/13/2019",
    ],
)
def test_an_unreadable_parameter_is_named(query):
    with pytest.raises(InvalidQueryError, match=query.partition("=")[0].removesuffix("%3E")):
        read(query)


def test_each_list_has_its_own_filters():
    assert read("Status=completed&StartTime%3E=2019-06-11").link.filters == ()
    assert read("Status=completed&ParentCallSid=CA1", CALLS).equals == {"status": "completed", "parent_call_sid": "CA1"}
    assert read("DateSent=2019-06-11", CALLS).spans == {}
