"""COPY writes every value into the table unchanged."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2.extensions import connection as Connection  # noqa: N812

from tests.conftest import Server
from tests.waybill.load.loading import at
from waybill.load import copying
from waybill.load.copying import CopyInto

COLUMNS = ("id", "words", "whole", "exact", "flag", "moment", "raw", "many", "tree")
# without the characters that Postgres cannot store: NUL, and halves of surrogate pairs
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])) | st.sampled_from(
    [
        "",
        "\\",
        "\\N",
        "\\.",
        "\t\n\r\v\f\b",
        "a\\tb",
        "NULL",
        "null",
        "{}",
        '"',
        "',",
        "\x7f\x85\u2028",
        "\U0001f600",
        "\\x41",
    ]
)
NUMBERS = st.integers(-(2**31), 2**31 - 1)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
ROWS = st.tuples(
    st.uuids(),
    st.none() | TEXTS,
    st.none() | NUMBERS,
    st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=10, min_value=-(10**15), max_value=10**15),
    st.none() | st.booleans(),
    st.none() | st.datetimes(datetime(2005, 1, 1), datetime(2100, 12, 31), timezones=st.just(UTC)),
    st.none() | st.binary(),
    st.none() | st.lists(TEXTS, max_size=4),
    st.none() | st.dictionaries(TEXTS, TREES, max_size=4),
)


@pytest.fixture(scope="module")
def connection(postgres: Server) -> Iterator[Connection]:
    url = postgres.database()
    from waybill.warehouse.connection import connect

    opened = connect(url)
    with opened, opened.cursor() as cursor:
        cursor.execute(
            "create table public.copied (n bigint generated always as identity, id uuid, words text, whole integer,"
            " exact numeric, flag boolean, moment timestamptz, raw bytea, many text[], tree jsonb)"
        )
    yield opened
    opened.close()
    postgres.drop(url)


def copied(connection: Connection, rows: list[tuple]) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute("truncate public.copied")
        writer = CopyInto(cursor, "public", "copied", COLUMNS)
        for row in rows:
            writer.add(row)
        writer.flush()
        assert writer.row_count == len(rows)
        cursor.execute(f"select {', '.join(COLUMNS)} from public.copied order by n")
        found = cursor.fetchall()
    connection.rollback()
    return [(*row[:6], None if row[6] is None else bytes(row[6]), *row[7:]) for row in found]


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(ROWS, min_size=1, max_size=8))
def test_every_value_is_stored_unchanged(connection: Connection, rows: list[tuple]) -> None:
    assert copied(connection, rows) == rows


def test_blocks_of_any_size_give_the_same_rows(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "FLUSH_CHARACTERS", 100)
    when = at("2026-03-01 10:00").replace(microsecond=1)
    rows = [
        (None, f"line {n}\n", n, Decimal(n) / 8, n % 2 == 0, when, b"\\x00\0", [str(n), ""], {"n": n, "é": [None]})
        for n in range(200)
    ]
    assert copied(connection, rows) == rows


def test_a_value_of_an_unknown_type_is_an_error(connection: Connection) -> None:
    with connection.cursor() as cursor, pytest.raises(KeyError):
        CopyInto(cursor, "public", "copied", ("exact",)).add([1.5])
