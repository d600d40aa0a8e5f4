"""docs/data_dictionary.md is what the warehouse says of itself."""

from pathlib import Path

from tests.conftest import Warehouse
from tests.waybill.cli.commands import environment_of, waybill
from waybill.warehouse.connection import connected
from waybill.warehouse.dictionary import SCHEMAS, columns, markdown

PAGE = Path(__file__).resolve().parents[2] / "docs" / "data_dictionary.md"


def test_the_page_is_that_of_this_release(warehouse: Warehouse) -> None:
    said = waybill("warehouse", "dictionary", settings=environment_of(warehouse))
    assert said.code == 0 and said.err == ""
    assert said.out == PAGE.read_text(), "a comment or a column changed: run `make docs` and commit the page"


def test_everything_that_lasts_is_on_it_and_says_what_it_is(warehouse: Warehouse) -> None:
    with connected(warehouse.url) as connection, connection.cursor() as cursor:
        found = columns(cursor)
        cursor.execute(
            "select table_schema || '.' || table_name, count(*) from information_schema.columns"
            " where table_schema = any (%s) and table_name !~ '^event_(\\d{6}|before)$' group by 1",
            (list(SCHEMAS),),
        )
        there = dict(cursor.fetchall())
    listed: dict[str, int] = {}
    for column in found:
        name = f"{column.schema}.{column.relation}"
        listed[name] = listed.get(name, 0) + 1
        assert column.comment and column.relation_comment and column.schema_comment, f"{name}.{column.name}"
    assert listed == there and len(there) > 25
    assert "report.email_campaign" in there and "ops.load" in there


def test_what_would_break_a_table_is_escaped(warehouse: Warehouse) -> None:
    with connected(warehouse.url) as connection, connection.cursor() as cursor:
        cursor.execute("create table report.mine (word text not null primary key, other numeric(7, 6))")
        cursor.execute("comment on table report.mine is 'Mine.'")
        cursor.execute("comment on column report.mine.word is 'One | two.'")
        cursor.execute("comment on column report.mine.other is 'Other.'")
        page = markdown(columns(cursor))
    assert "| **word** | text | One \\| two. |" in page and "| other | numeric(7,6)? | Other. |" in page
