"""Tables in CSV, Parquet and lines of JSON."""

import csv
import gzip
import io
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pyarrow
import pyarrow.parquet as parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.framing import limits
from waybill.framing.bodies import list_body
from waybill.framing.lines import lines_or_arrays
from waybill.framing.raw_record import RawRecord
from waybill.framing.tables import table
from waybill.model.errors import SourceError


def rows(data: bytes, required: tuple[str, ...] = ("a", "b")) -> list[RawRecord]:
    return list(table(io.BytesIO(data), required))


def values(data: bytes) -> list[dict | str]:
    return [row.problem or (json.loads(row.raw) if row.value is None else row.value) for row in rows(data)]


@pytest.mark.parametrize(
    "data",
    [
        b"a,b,c\n1,2,3\n4,,6\n",
        b"\xef\xbb\xbfa,b,c\r\n1,2,3\r\n\r\n4,,6",
        b"a;b;c\n1;2;3\n4;;6\n",
        b' A , "b","c"\n"1","2","3"\n"4","",6\n',
        b'\n\n{"a":"1","b":"2","c":"3"}\n\n{"a":"4","c":"6"}\n',
    ],
)
def test_every_format_gives_the_same_rows(data: bytes):
    assert values(data) == [{"a": "1", "b": "2", "c": "3"}, {"a": "4", "c": "6"}]


def test_a_quoted_cell_may_contain_delimiters_quotes_and_line_breaks():
    data = b'a,b\n"x,y","say ""hi""\nagain, \r\nand again"\n1,2\n'
    assert values(data) == [{"a": "x,y", "b": 'say "hi"\nagain, \r\nand again'}, {"a": "1", "b": "2"}]
    assert [row.position for row in rows(data)] == [1, 2]
    assert rows(data)[0].raw == b'"x,y","say ""hi""\nagain, \r\nand again"'


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (b"1", "1 fields instead of 2"),
        (b"1,2,3", "3 fields instead of 2"),
        (b'"1,2', "a quoted field is not closed"),
        (b'"1"x,2', "a quoted field is followed by text"),
        (b"\xff,2", "not UTF-8"),
        (b'"\xff",2', "not UTF-8"),
    ],
)
def test_a_bad_row_is_rejected_alone_with_its_bytes(bad: bytes, problem: str):
    good, rejected, after = rows(b"a,b\n1,2\n" + bad + b'\n3,"4"\n')
    assert (rejected.raw, rejected.problem) == (bad, problem)
    assert good.value == {"a": "1", "b": "2"} and after.value == {"a": "3", "b": "4"}


def test_a_quote_inside_an_unquoted_cell_is_a_quote():
    assert values(b'a,b\n5" pipe,2\n') == [{"a": '5" pipe', "b": "2"}]


def test_an_unclosed_quote_affects_only_its_own_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "MOST_LINES_OF_A_ROW", 20)
    found = values(b'a,b\n"1,2\n' + b"3,4\n" * 100)
    assert found[0] == "a quoted field is not closed" and found[1:] == [{"a": "3", "b": "4"}] * 100


def test_a_row_that_is_too_long_is_rejected(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "LONGEST_ROW", 100)
    monkeypatch.setattr(limits, "KEPT_OF_LONG", 10)
    long, after = rows(b"a,b\n" + b"x" * 500 + b",2\n3,4\n")
    assert "longer than 100" in long.problem and long.raw == b"x" * 10 and after.value == {"a": "3", "b": "4"}


def test_a_header_without_a_required_column_refuses_the_file_without_values():
    with pytest.raises(SourceError, match="no column b") as caught:
        rows(b"a,canary@x.example\n1,2\n")
    assert "canary" not in str(caught.value)


def test_a_table_without_rows():
    assert rows(b"a,b\n") == rows(b"") == rows(b"\n\n") == []


@given(
    st.lists(st.lists(st.text(alphabet="ab,;\"'\n\r é", max_size=4), min_size=2, max_size=2), max_size=6),
    st.sampled_from(",;"),
)
def test_output_of_the_csv_library_is_read(cells: list[list[str]], delimiter: str):
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([["a", "b"], *cells])
    expected = [{name: cell for name, cell in zip("ab", row, strict=True) if cell} for row in cells]
    assert values(out.getvalue().encode()) == expected


def parquet_bytes(**columns: pyarrow.Array) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), out)
    return out.getvalue()


AT = datetime(2026, 3, 2, 9, 14, 40, 123456, tzinfo=UTC)


def test_parquet_rows_are_their_json():
    data = parquet_bytes(
        a=pyarrow.array([1, None]),
        b=pyarrow.array(["x", "y"]),
        n=pyarrow.array([float("nan"), 1.5]),
        berlin=pyarrow.array([AT, None], pyarrow.timestamp("us", "Europe/Berlin")),
        fine=pyarrow.array([1772442880123456789, None], pyarrow.timestamp("ns", "UTC")),
        nothing=pyarrow.array([None, None]),
    )
    first, second = values(data)
    assert second == {"b": "y", "n": 1.5}
    assert datetime.fromisoformat(first["berlin"]) == AT
    assert datetime.fromisoformat(first["fine"]) == AT
    assert first["a"] == 1 and first["n"] is None
    assert [row.position for row in rows(data)] == [1, 2]


def test_parquet_is_read_from_a_stream_that_cannot_seek():
    data = parquet_bytes(a=pyarrow.array([1]), b=pyarrow.array([2]))

    class OneWay(io.BytesIO):
        def seekable(self) -> bool:
            return False

    assert [json.loads(row.raw) for row in table(OneWay(data), ("a",))] == [{"a": 1, "b": 2}]


@pytest.mark.parametrize("cut", [4, 20, -1, -30])
def test_damaged_parquet_is_refused(cut: int):
    data = parquet_bytes(a=pyarrow.array([1]), b=pyarrow.array([2]))
    with pytest.raises(SourceError, match="Parquet"):
        rows(data[:cut])


def test_parquet_whose_metadata_ends_the_process_of_pyarrow_is_called_damaged():
    file = Path(__file__).parent / "ends_pyarrow.parquet"
    reading = "import sys, pyarrow.parquet as p; p.read_metadata(sys.argv[1]).row_group(0).column(1)"
    done = subprocess.run([sys.executable, "-c", reading, file], capture_output=True)
    assert done.returncode == -signal.SIGABRT, "this pyarrow can read it: the test needs another file"
    with pytest.raises(SourceError, match="The Parquet file is damaged"):
        rows(file.read_bytes())


@pytest.mark.parametrize("damaged", [lambda data: data[4:], lambda data: b"\n" + data, lambda data: data[:-50]])
def test_parquet_without_its_first_bytes_is_called_damaged(damaged: Callable[[bytes], bytes]):
    data = parquet_bytes(a=pyarrow.array([1]), b=pyarrow.array([2]))
    with pytest.raises(SourceError, match=r"The Parquet file is damaged or truncated.*fetch or write it again"):
        rows(damaged(data))


def test_parquet_is_named_by_feeds_that_do_not_read_it():
    data = parquet_bytes(a=pyarrow.array([1]), b=pyarrow.array([2]))
    for written in (data, data[:-50], data[4:], gzip.compress(data)):
        for records in (lines_or_arrays(io.BytesIO(written)), list_body(io.BytesIO(written), "calls")):
            with pytest.raises(SourceError, match=r"The file is a Parquet file.*write it as JSON"):
                list(records)


def test_parquet_without_a_required_column_is_refused():
    with pytest.raises(SourceError, match="no column b"):
        rows(parquet_bytes(a=pyarrow.array([1])))


def test_a_timestamp_keeps_its_zone():
    berlin = timezone(timedelta(hours=1))
    data = parquet_bytes(
        a=pyarrow.array([AT.astimezone(berlin)], pyarrow.timestamp("s", "+01:00")), b=pyarrow.array([1])
    )
    (row,) = values(data)
    assert datetime.fromisoformat(row["a"]) == AT.replace(microsecond=0)


@pytest.mark.parametrize("surplus", [b",", b",,", b', ,""'])
def test_trailing_separators_without_text_are_no_cells(surplus: bytes):
    assert values(b"a,b\n1,2" + surplus + b"\n3,4\n") == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]
    assert values(b"a,b\n1,2" + surplus + b",x\n")[0].endswith("fields instead of 2")  # a text without a column


def test_a_blank_may_precede_a_quoted_cell():
    assert values(b'a, b\n"1", "2, or 3"\n 4, 5\n') == [{"a": "1", "b": "2, or 3"}, {"a": " 4", "b": " 5"}]
