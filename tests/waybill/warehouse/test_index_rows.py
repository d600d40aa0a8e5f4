"""No row of an index can become too long: the widest possible row of every index, computed from the catalogue."""

import re

import pytest

from tests.conftest import Warehouse
from waybill.feeds import FEEDS
from waybill.feeds.providers import PROVIDERS
from waybill.model import vocabulary
from waybill.model.bounds import LONGEST_BYTES, LONGEST_KEY_BYTES

MOST_BYTES = 2_704
"""The longest row of a B-tree: a third of a page (BTMaxItemSize of Postgres)."""
ROW_HEADER, TEXT_HEADER, ALIGNMENT = 8, 4, 8

INDEXES = """
    select n.nspname || '.' || c.relname, i.relname, m.amname,
        array_agg(coalesce(a.attname, '(expression)') order by k.place),
        array_agg(coalesce(a.attlen, -1)::integer order by k.place)
    from pg_index as x
    inner join pg_class as c on c.oid = x.indrelid
    inner join pg_namespace as n on n.oid = c.relnamespace
    inner join pg_class as i on i.oid = x.indexrelid
    inner join pg_am as m on m.oid = i.relam
    cross join lateral unnest(x.indkey::smallint[]) with ordinality as k (attribute, place)
    left join pg_attribute as a on a.attrelid = c.oid and a.attnum = k.attribute and k.attribute <> 0
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    group by 1, 2, 3
    order by 1, 2
"""

WORDS = 100
"""A bound for Waybill's own words, in tables that only Waybill writes; its longest word is shorter."""


def longest(words) -> int:
    return max(len(word.encode()) for word in words)


OWN_WORDS = {
    "channel": longest(vocabulary.CHANNELS),
    "feed": longest(FEEDS),
    "failure_class": longest(vocabulary.FAILURE_CLASSES),
    "failure_reason": longest(vocabulary.FAILURE_REASONS),
    "category": longest(vocabulary.NOT_SENT_CATEGORY.values()),
    "reason": max(longest(vocabulary.NOT_SENT_CATEGORY), longest(vocabulary.FAILURE_REASONS)),
    "country": 6,  # ISO 3166-1 alpha-2, or (none)
    "mailbox_provider": 9,
    "sha256": 64,
    "event_status": WORDS,
    "kind": WORDS,
    "listing": WORDS,
    "name": WORDS,
    "word": WORDS,  # of ops.account_notice: those that a feed lists
}
KEYS = {"recipient_key": 32}
ACCOUNT = int(re.search(r",(\d+)\}", vocabulary.ACCOUNT.pattern)[1]) + 1


def widest_value(table: str, column: str, length: int) -> int:
    """Return the bytes of the longest value that the column can hold. A column without a bound is an error."""
    if length > 0:
        return length
    if column == "account":
        return ACCOUNT
    if column == "address":
        return LONGEST_BYTES["recipient"]
    if table.startswith("report.") and column in LONGEST_KEY_BYTES:
        return LONGEST_KEY_BYTES[column]
    known = OWN_WORDS | KEYS | LONGEST_BYTES | {"provider": longest(PROVIDERS)}
    known["own_dispatch_id"] = known["dispatch_id"]  # of a leg: the least of its events
    assert column in known, f"{table}.{column} is in an index: bound it in etl/waybill/model/bounds.py"
    return known[column]


def widest_row(table: str, columns: list[str], lengths: list[int]) -> int:
    total = ROW_HEADER
    for column, length in zip(columns, lengths, strict=True):
        total += widest_value(table, column, length) + TEXT_HEADER
        total += -total % ALIGNMENT
    return total


def test_the_widest_row_of_every_index_fits_into_a_third_of_a_page(warehouse: Warehouse) -> None:
    widest = {}
    for table, index, method, columns, lengths in warehouse.rows(INDEXES):
        if method == "gin":
            assert (index, columns) == ("message_day", ["days"])  # entries are single days
            continue
        assert method == "btree" and "(expression)" not in columns, index
        widest[index] = widest_row(table, columns, lengths)
    assert len(widest) > 40
    assert {index: size for index, size in widest.items() if size > MOST_BYTES} == {}
    assert max(widest.values()) > 2_200  # the sum is of real bounds: a campaign and a template


def test_an_index_column_without_a_bound_is_found(warehouse: Warehouse) -> None:
    warehouse.rows("create index unbounded on fact.event (account, user_agent); select 1")
    rows = [row for row in warehouse.rows(INDEXES) if row[0] == "fact.event" and row[1] == "unbounded"]
    ((table, _, _, columns, lengths),) = rows
    with pytest.raises(AssertionError, match=r"fact\.event\.user_agent is in an index"):
        widest_row(table, columns, lengths)
