"""Queries are read from the files of sql/ by file and name."""

import pytest

from waybill.installed_files import SQL
from waybill.warehouse.queries import sql_of


def test_a_file_without_names_is_one_query() -> None:
    assert sql_of("load/fold_legs") == (SQL / "load" / "fold_legs.sql").read_text()


def test_a_named_query_begins_with_its_sentence_and_ends_before_the_next() -> None:
    text = sql_of("ledger/watermark", "lock")
    assert text.startswith("-- Locks the watermark of a feed")
    assert text.rstrip().endswith("for update;")
    assert "-- name:" not in text


@pytest.mark.parametrize(("file", "name"), [("ledger/watermark", "missing"), ("ledger/watermark", None)])
def test_a_name_that_the_file_lacks_is_an_error(file: str, name: str | None) -> None:
    with pytest.raises(KeyError):
        sql_of(file, name)
