"""docs/data_dictionary.md agrees with the comments of the warehouse."""

from pathlib import Path

from tests.conftest import Warehouse
from tests.waybill.cli.commands import environment_of, waybill
from waybill.warehouse.connection import connected
from waybill.warehouse.dictionary import SCHEMAS, columns, markdown

PAGE = Path(__file__).resolve().parents[2] / "docs" / "data_dictionary.md"


def test_the_page_is_up_to_date(warehouse: Warehouse) -> None:
    answer = waybill("warehouse", "dictionary", settings=environment_of(warehouse))
    assert answer.code == 0 and answer.err == ""
    assert answer.out == PAGE.read_text(), "a comment or a column changed: run `make docs` and commit the page"


def test_every_table_and_column_is_on_the_page_with_a_comment(warehouse: Warehouse) -> None:
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


def test_special_characters_of_a_table_are_escaped(warehouse: Warehouse) -> None:
    with connected(warehouse.url) as connection, connection.cursor() as cursor:
        cursor.execute("create table report.mine (word text not null primary key, other numeric(7, 6))")
        cursor.execute("comment on table report.mine is 'Mine.'")
        cursor.execute("comment on column report.mine.word is 'One | two.'")
        cursor.execute("comment on column report.mine.other is 'Other.'")
        page = markdown(columns(cursor))
    assert "| **word** | text | One \\| two. |" in page and "| other | numeric(7,6)? | Other. |" in page
