"""`show` writes every row of a report in the order of its grain, with exact values, in each format."""

import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow
import pytest
from pyarrow import parquet

from tests.conftest import Warehouse
from waybill.feeds.fields import decimal
from waybill.model.errors import UsageError
from waybill.reports import show as module
from waybill.reports.catalogue import all_reports, find
from waybill.reports.show import FORMATS, show

D1, D2, D3 = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)
COSTS = [
    (D1, "acme", "sms", "twilio", "(none)", "DE", "USD", 9_007_199_254_740_993, Decimal("0.00750000000000000001")),
    (D2, "acme", "sms", "twilio", "=cmd()", "DE", "USD", 1, Decimal("-12345678901234567890.5")),
    (D3, "acme", "sms", "twilio", "a,\"b\"\nc", "DE", "USD", 2, Decimal("0.1")),
]  # fmt: skip
NAME = "message_cost_daily"


@pytest.fixture
def costs(warehouse: Warehouse) -> Warehouse:
    connection = warehouse.connect("waybill_reporter")
    with connection, connection.cursor() as cursor:
        cursor.executemany(f"insert into report.{NAME} values (%s, %s, %s, %s, %s, %s, %s, %s, %s)", reversed(COSTS))
    connection.close()
    return warehouse


def shown(
    warehouse: Warehouse,
    name: str,
    form: str,
    from_day: date | None = None,
    until_day: date | None = None,
    only: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    connection = warehouse.connect("waybill_bi_reader")
    stream = io.BytesIO()
    count = show(connection, name, from_day, until_day, form, stream, only=only)
    connection.close()
    return count, stream.getvalue()


def test_csv_has_exact_values_and_no_formulas(costs: Warehouse) -> None:
    count, data = shown(costs, NAME, "csv")
    header, *rows = csv.reader(io.StringIO(data.decode(), newline=""))
    assert count == 3 and tuple(header) == find(NAME).columns
    assert rows[0][4:] == ["(none)", "DE", "USD", "9007199254740993", "0.00750000000000000001"]
    # A formula is neutralised, but a negative number is not a formula.
    assert rows[1][4:] == ["'=cmd()", "DE", "USD", "1", "-12345678901234567890.5"]
    assert rows[2][4] == 'a,"b"\nc'


@pytest.mark.parametrize("start", [*"=+-@", *"\uff1d\uff0b\uff0d\uff20", "\t", "\r", "\n"])
def test_every_start_of_a_formula_is_neutralised(costs: Warehouse, start: str) -> None:
    costs_row = list(COSTS[0])
    connection = costs.connect("waybill_reporter")
    with connection, connection.cursor() as cursor:
        costs_row[4] = f"{start}1+1"
        cursor.execute(f"delete from report.{NAME}")
        cursor.execute(f"insert into report.{NAME} values (%s, %s, %s, %s, %s, %s, %s, %s, %s)", costs_row)
    connection.close()
    _, data = shown(costs, NAME, "csv")
    (row,) = list(csv.reader(io.StringIO(data.decode(), newline="")))[1:]
    assert row[4] == f"'{start}1+1"


def test_json_numbers_are_exact(costs: Warehouse) -> None:
    count, data = shown(costs, NAME, "json")
    rows = json.loads(data, parse_float=Decimal)
    assert count == 3
    assert [tuple(row) for row in rows] == [find(NAME).columns] * 3
    assert [(row["sent_day"], row["priced_leg_count"], row["cost"]) for row in rows] == [
        (day.isoformat(), count, cost) for day, *_, count, cost in COSTS
    ]


def test_parquet_keeps_types(costs: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    finest = decimal("price", "0.000000000000001")
    monkeypatch.setattr(module, "DECIMALS_OF_MONEY", 20 - 2)
    with pytest.raises(pyarrow.ArrowInvalid):
        shown(costs, NAME, "parquet")  # values are never rounded: too many decimals are an error
    connection = costs.connect("waybill_reporter")
    with connection, connection.cursor() as cursor:
        cursor.execute(f"update report.{NAME} set cost = %s where sent_day = %s", (finest, D1))
    connection.close()
    monkeypatch.undo()
    count, data = shown(costs, NAME, "parquet")
    table = parquet.read_table(io.BytesIO(data))
    assert count == table.num_rows == 3
    assert tuple(table.column_names) == find(NAME).columns
    assert table.schema.field("sent_day").type == pyarrow.date32()
    assert table.column("priced_leg_count").to_pylist() == [row[7] for row in COSTS]
    assert table.column("cost").to_pylist() == [finest, COSTS[1][8], COSTS[2][8]]


def test_a_table_shows_each_row_on_one_line(costs: Warehouse) -> None:
    connection = costs.connect("waybill_reporter")
    with connection, connection.cursor() as cursor:
        cursor.execute(f"update report.{NAME} set campaign_id = %s where sent_day = %s", ("[red]\x1b[31mx", D2))
    connection.close()
    count, data = shown(costs, NAME, "table")
    lines = data.decode().splitlines()
    assert count == 3 and len(lines) == 5
    assert lines[0].split() == list(find(NAME).columns)
    assert "-12345678901234567890.5" in lines[3] and "[red]\N{REPLACEMENT CHARACTER}[31mx" in lines[3]
    assert "\x1b" not in data.decode()


@pytest.mark.parametrize(
    ("from_day", "until_day", "days"),
    [
        (None, None, [D1, D2, D3]),
        (D2, None, [D2, D3]),
        (None, D2, [D1, D2]),
        (D2, D2, [D2]),
        (date(2027, 1, 1), None, []),
    ],
)
def test_the_first_and_the_last_day_are_included(
    costs: Warehouse, from_day: date | None, until_day: date | None, days: list[date]
) -> None:
    count, data = shown(costs, NAME, "json", from_day, until_day)
    assert count == len(days)
    assert [row["sent_day"] for row in json.loads(data)] == [day.isoformat() for day in days]


@pytest.mark.parametrize("form", FORMATS)
def test_reports_with_more_rows_than_a_batch_are_complete(
    costs: Warehouse, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = shown(costs, "sms_activity_daily", form)
    connection = costs.connect("waybill_reporter")
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into report.sms_activity_daily"
            " select date '2026-01-01' + n, 'acme', 'twilio', 'c', 'DE', n, n, 0, 0, 0 from generate_series(1, 25) as n"
        )
    connection.close()
    monkeypatch.setattr(module, "BATCH", 10)
    count, data = shown(costs, "sms_activity_daily", form)
    assert (whole[0], count) == (0, 25)
    if form == "json":
        assert json.loads(whole[1]) == []
        assert [row["sent"] for row in json.loads(data)] == list(range(1, 26))
    elif form == "parquet":
        assert parquet.read_table(io.BytesIO(whole[1])).num_rows == 0
        assert parquet.read_table(io.BytesIO(data)).column("sent").to_pylist() == list(range(1, 26))
    elif form == "csv":
        assert whole[1].decode().count("\n") == 1
        assert [row[5] for row in csv.reader(io.StringIO(data.decode()))][1:] == [str(n) for n in range(1, 26)]
    else:
        assert len(data.decode().splitlines()) == 27


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", [report.name for report in all_reports()])
def test_every_report_is_shown_in_every_format(warehouse: Warehouse, name: str, form: str) -> None:
    connection = warehouse.connect()
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into ops.build (status, as_of, report_timezone, days_built, is_full, rows_changed, code_version)"
            " values ('published', '2026-03-02 01:00+00', 'UTC', '{2026-03-01,2026-03-02}', false, 3, '1')"
        )
        cursor.execute(
            "insert into ops.object (account, feed, sha256, path, byte_count, landed_at)"
            " values ('acme', 'sendgrid_events', 'x', 'x', 1, '2026-03-02 00:00+00')"
        )
    connection.close()
    count, data = shown(warehouse, name, form)
    assert data
    assert count == (1 if name in ("build", "freshness") else 0)


def test_times_and_lists_in_every_format(warehouse: Warehouse) -> None:
    connection = warehouse.connect()
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into ops.build (status, started_at, as_of, report_timezone, days_built, is_full, rows_changed,"
            " code_version) values ('published', '2026-03-02 01:00+00', '2026-03-02 01:00:00.5+00', 'UTC',"
            " '{2026-03-01,2026-03-02}', false, 3, '1')"
        )
    connection.close()
    _, data = shown(warehouse, "build", "csv")
    assert data.decode().splitlines()[1] == (
        "1,2026-03-02T01:00:00Z,2026-03-02T01:00:00.500000Z,UTC,2026-03-01 2026-03-02,3,1"
    )
    _, data = shown(warehouse, "build", "parquet")
    (row,) = parquet.read_table(io.BytesIO(data)).to_pylist()
    assert row["days_built"] == [date(2026, 3, 1), D1]
    assert row["started_at"] == datetime(2026, 3, 2, 1, tzinfo=UTC)


def test_wrong_names_formats_and_days_are_refused(warehouse: Warehouse) -> None:
    with pytest.raises(UsageError, match="email_campaign"):
        shown(warehouse, "email", "csv")
    with pytest.raises(UsageError, match="table, csv, json, parquet"):
        shown(warehouse, NAME, "xlsx")
    with pytest.raises(UsageError, match="has no days"):
        shown(warehouse, "freshness", "csv", D1)
    with pytest.raises(UsageError, match="before"):
        shown(warehouse, NAME, "csv", D2, D1)


@pytest.mark.parametrize(
    ("only", "days"),
    [
        ({"campaign_id": "=cmd()"}, [D2]),
        ({"country": "DE", "priced_leg_count": "2"}, [D3]),
        ({"sent_day": "2026-03-02", "account": "acme"}, [D1]),
        ({"account": "%"}, []),
        ({"campaign_id": "x' or true --"}, []),
        ({}, [D1, D2, D3]),
    ],
)
def test_only_selects_rows_with_a_value(costs: Warehouse, only: dict[str, str], days: list[date]) -> None:
    count, data = shown(costs, NAME, "json", only=only)
    assert [date.fromisoformat(row["sent_day"]) for row in json.loads(data)] == days
    assert count == len(days)


def test_only_selects_rows_whose_list_contains_a_value(warehouse: Warehouse) -> None:
    connection = warehouse.connect()
    with connection, connection.cursor() as cursor:
        for days in ("{2026-03-01,2026-03-02}", "{2026-03-03}"):
            cursor.execute(
                "insert into ops.build (status, as_of, report_timezone, days_built, is_full, rows_changed,"
                " code_version) values ('published', now(), 'UTC', %s, false, 3, '1')",
                (days,),
            )
    connection.close()
    _, data = shown(warehouse, "build", "json", only={"days_built": "2026-03-02"})
    assert [row["build_id"] for row in json.loads(data)] == [1]
    assert shown(warehouse, "email_activity", "csv", only={"words": "Bounced"})[0] == 0


def test_a_value_that_does_not_fit_its_column_is_refused(costs: Warehouse) -> None:
    with pytest.raises(UsageError, match=r"no column 'campaign'.*campaign_id"):
        shown(costs, NAME, "csv", only={"campaign": "x"})
    for only in ({"sent_day": "someday"}, {"priced_leg_count": "many"}, {"account": "\udcff"}):
        with pytest.raises(UsageError, match="does not fit its column"):
            shown(costs, NAME, "csv", only=only)
