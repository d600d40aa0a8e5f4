"""Local days: Python and Postgres agree, and clocks change at the known times."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.conftest import Server, connect
from waybill.doctor import FIRST, UNTIL, zone_rules_differ
from waybill.model.days import local_day, offset_changes, parse_instant

ZONES = ("Europe/London", "Europe/Berlin", "America/New_York", "Asia/Kolkata")
HOUR = timedelta(hours=1)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize("zone", ZONES)
def test_postgres_and_python_agree_from_2005_to_2100(postgres: Server, zone: str) -> None:
    connection = connect(postgres.url)
    with connection, connection.cursor() as cursor:
        assert zone_rules_differ(cursor, zone) == []
        changes = offset_changes(zone, FIRST, UNTIL)
        assert len(changes) == (1 if zone == "Asia/Kolkata" else 1 + 2 * 96)
        # also the day, by the expression of the SQL files, just before and at every change
        instants = [at + step for at, _ in changes for step in (timedelta(0), -timedelta(microseconds=1), 24 * HOUR)]
        cursor.execute("select (at at time zone %s)::date from unnest(%s) as at", (zone, instants))
        assert [day for (day,) in cursor.fetchall()] == [local_day(at, zone) for at in instants]
    connection.close()


@pytest.mark.long
@pytest.mark.parametrize("zone", ZONES)
def test_every_single_hour_agrees(postgres: Server, zone: str) -> None:
    """The comparison by days leaves hours out."""
    in_zone = ZoneInfo(zone)
    connection = connect(postgres.url)
    with connection, connection.cursor("hours") as cursor:
        cursor.execute(
            "select at, (at at time zone %s) from generate_series(%s::timestamptz, %s, interval '1 hour') as at",
            (zone, FIRST, UNTIL),
        )
        count = 0
        for at, local in cursor:
            assert at.astimezone(in_zone).replace(tzinfo=None) == local
            count += 1
    connection.close()
    assert count == (UNTIL - FIRST) // HOUR + 1


def test_the_comparison_finds_different_zones(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison can fail: here Python uses another zone than Postgres."""
    from waybill import doctor

    monkeypatch.setattr(doctor, "offset_changes", lambda zone, *span: offset_changes("Europe/London", *span))
    connection = connect(postgres.url)
    with connection, connection.cursor() as cursor:
        differing = zone_rules_differ(cursor, "America/New_York")
    connection.close()
    assert differing[0] == FIRST and len(differing) > 300


@pytest.mark.parametrize(
    ("zone", "year", "changes"),
    [
        ("Europe/Berlin", 2026, [(utc(2026, 3, 29, 1), 7200), (utc(2026, 10, 25, 1), 3600)]),
        ("Europe/London", 2026, [(utc(2026, 3, 29, 1), 3600), (utc(2026, 10, 25, 1), 0)]),
        ("America/New_York", 2026, [(utc(2026, 3, 8, 7), -14400), (utc(2026, 11, 1, 6), -18000)]),
        # before 2007 summer began on the first Sunday of April and ended on the last of October
        ("America/New_York", 2006, [(utc(2006, 4, 2, 7), -14400), (utc(2006, 10, 29, 6), -18000)]),
        ("Asia/Kolkata", 2026, []),
        # half an hour, and on a day that is not Sunday in UTC
        ("Australia/Lord_Howe", 2026, [(utc(2026, 4, 4, 15), 37800), (utc(2026, 10, 3, 16), 39600)]),
        # one day was skipped: 30 December 2011 did not exist
        (
            "Pacific/Apia",
            2011,
            [(utc(2011, 4, 2, 14), -39600), (utc(2011, 9, 24, 14), -36000), (utc(2011, 12, 30, 10), 50400)],
        ),
    ],
)
def test_offset_changes_on_known_days(zone: str, year: int, changes: list[tuple[datetime, int]]) -> None:
    first = utc(year, 1, 1)
    found = offset_changes(zone, first, utc(year + 1, 1, 1))
    before = int(first.astimezone(ZoneInfo(zone)).utcoffset().total_seconds())
    # a change within an hour is reported at the next whole hour
    assert found == [(first, before), *changes]


def test_a_change_in_the_first_or_last_hour_of_the_span() -> None:
    at = utc(2026, 3, 29, 1)
    assert offset_changes("Europe/Berlin", at, at + 5 * HOUR) == [(at, 7200)]
    assert offset_changes("Europe/Berlin", at - HOUR, at + HOUR) == [(at - HOUR, 3600), (at, 7200)]
    assert offset_changes("Europe/Berlin", at - 2 * HOUR, at) == [(at - 2 * HOUR, 3600)]


@pytest.mark.parametrize(
    ("at", "zone", "day"),
    [
        (utc(2026, 3, 28, 22, 59, 59), "Europe/Berlin", date(2026, 3, 28)),
        (utc(2026, 3, 28, 23), "Europe/Berlin", date(2026, 3, 29)),
        (utc(2026, 3, 29, 21, 59, 59), "Europe/Berlin", date(2026, 3, 29)),
        (utc(2026, 3, 29, 22), "Europe/Berlin", date(2026, 3, 30)),
        (utc(2026, 1, 1, 18, 29, 59), "Asia/Kolkata", date(2026, 1, 1)),
        (utc(2026, 1, 1, 18, 30), "Asia/Kolkata", date(2026, 1, 2)),
        (utc(2011, 12, 30, 9, 59), "Pacific/Apia", date(2011, 12, 29)),
        (utc(2011, 12, 30, 10), "Pacific/Apia", date(2011, 12, 31)),
    ],
)
def test_local_days(at: datetime, zone: str, day: date) -> None:
    assert local_day(at, zone) == day


def test_parse_instant() -> None:
    assert parse_instant("2026-03-01") == utc(2026, 3, 1)
    assert parse_instant("2026-03-01T02:00:00+02:00") == utc(2026, 3, 1)
    assert parse_instant("2026-03-01T00:00:00Z").tzinfo is UTC
    for text in ("2026-03-01T00:00:00", "2026-3-1", "yesterday", "", "2026-02-30"):
        with pytest.raises(ValueError):
            parse_instant(text)
