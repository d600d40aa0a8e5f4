"""Queries are read from the files of sql/ by file and name; a result of one row is checked."""

import pytest

from tests.conftest import Warehouse
from waybill.installed_files import SQL
from waybill.warehouse.connection import connected
from waybill.warehouse.queries import only_row, only_value, sql_of


def test_a_file_without_names_is_one_query() -> None:
    assert sql_of("load/fold_legs") == (SQL / "load" / "fold_legs.sql").read_text()


def test_a_named_query_starts_with_its_description_and_ends_before_the_next_query() -> None:
    text = sql_of("ledger/watermark", "lock")
    assert text.startswith("-- Locks the watermark of a feed")
    assert text.rstrip().endswith("for update;")
    assert "-- name:" not in text


@pytest.mark.parametrize(("file", "name"), [("ledger/watermark", "missing"), ("ledger/watermark", None)])
def test_an_unknown_query_name_is_an_error(file: str, name: str | None) -> None:
    with pytest.raises(KeyError):
        sql_of(file, name)


def test_a_missing_row_or_a_value_of_another_type_is_an_error(warehouse: Warehouse) -> None:
    with connected(warehouse.url) as connection, connection.cursor() as cursor:
        cursor.execute("select 1, 'two'")
        assert only_row(cursor) == (1, "two")
        cursor.execute("select 1")
        assert only_value(cursor, int) == 1
        cursor.execute("select null")
        with pytest.raises(TypeError, match="NoneType, not int"):
            only_value(cursor, int)
        cursor.execute("select 1 where false")
        with pytest.raises(LookupError, match="no row"):
            only_row(cursor)
