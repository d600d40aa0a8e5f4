"""All forms of files give the same records; truncation is reported; files beyond a limit are refused early."""

import base64
import bz2
import gzip
import io
import json
import lzma
import time
import zipfile
from collections.abc import Callable

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.framing import limits
from waybill.framing.bodies import list_body
from waybill.framing.lines import lines_or_arrays
from waybill.framing.raw_record import BROKEN_OFF, NOT_CLOSED, RawRecord
from waybill.framing.tables import table
from waybill.model.errors import SourceError

RECORDS = [{"event": "open", "n": number, "text": '}{"],[\n'} for number in range(5)]
ONE_BY_ONE = [json.dumps(record) for record in RECORDS]


def split(data: bytes) -> list[RawRecord]:
    return list(lines_or_arrays(io.BytesIO(data), own_field="event"))


def zipped(*files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, data in enumerate(files):
            archive.writestr(f"{number}.json", data)
    return out.getvalue()


def zstandard(data: bytes) -> bytes:
    return pyarrow.compress(data, codec="zstd", asbytes=True)


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


FORMS: dict[str, Callable[[list[str]], str]] = {
    "one after another": "".join,
    "with blanks between": " ".join,
    "on lines": "\n".join,
    "on lines that end with a carriage return": "\r".join,
    "with a comma after each line": lambda records: "".join(f"{record},\n" for record in records),
    "as a JSON text sequence": lambda records: "".join(f"\x1e{record}\n" for record in records),
    "over several lines": lambda records: "\n".join(json.dumps(json.loads(record), indent=2) for record in records),
    "over several lines without indents": lambda r: "".join(json.dumps(json.loads(record), indent=0) for record in r),
    "in an array": lambda records: f"[{','.join(records)}]",
    "in arrays of two": lambda r: "\n".join(f"[{','.join(r[at : at + 2])}]" for at in range(0, len(r), 2)),
    "in a body": lambda records: json.dumps({"body": f"[{','.join(records)}]", "isBase64Encoded": False}),
    "in a body in Base64": lambda r: json.dumps({"body": in_base64("\n".join(r)), "isBase64Encoded": True}),
    "in records of SQS": lambda r: json.dumps({"Records": [{"messageId": "m", "body": record} for record in r]}),
    "in records of SNS": lambda r: json.dumps({"Records": [{"Sns": {"Message": record}} for record in r]}),
    "in records of Kinesis": lambda r: json.dumps({"Records": [{"kinesis": {"data": in_base64(one)}} for one in r]}),
    "in a notification": lambda r: json.dumps({"Type": "Notification", "Message": f"[{','.join(r)}]"}),
    "in a push of Pub/Sub": lambda r: json.dumps({"message": {"data": in_base64(f"[{','.join(r)}]")}}),
    "in a list of events": lambda records: f'{{"events": [{",".join(records)}]}}',
    "in a notification in SQS": lambda r: json.dumps(
        {"Records": [{"body": json.dumps({"Type": "Notification", "Message": record})} for record in r]}
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress, zstandard, zipped])
def test_every_form_gives_the_same_records(form: str, pack: Callable[[bytes], bytes]):
    found = split(pack(FORMS[form](ONE_BY_ONE).encode()))
    assert [record.problem for record in found] == [None] * 5
    assert [json.loads(record.raw) for record in found] == RECORDS
    assert [record.value for record in found] == RECORDS


@given(
    st.lists(st.tuples(st.sampled_from(sorted(FORMS)), st.lists(st.sampled_from(ONE_BY_ONE), min_size=1)), max_size=5),
    st.integers(1, 300),
)
def test_a_mixture_of_forms_gives_the_same_records_in_order(parts: list[tuple[str, list[str]]], block: int):
    data = "\n".join(FORMS[form](records) for form, records in parts).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "BLOCK", block)
        found = split(data)
    assert [record.value for record in found] == [json.loads(one) for _, records in parts for one in records]
    positions = [record.position for record in found]
    assert positions == sorted(set(positions))


@pytest.mark.parametrize("form", FORMS)
def test_a_truncated_file_is_reported_or_has_only_whole_records(form: str):
    data = FORMS[form](ONE_BY_ONE).encode()
    for cut in range(1, len(data)):
        found = split(data[:cut])
        is_reported = any(record.problem in (NOT_CLOSED, BROKEN_OFF) for record in found)
        rest = data[:cut]
        for record in found:
            rest = rest[rest.find(record.raw) + len(record.raw) :] if record.raw in rest else b"?"
        assert is_reported or not rest.strip(b"]\x1e, \r\n"), (cut, data[:cut])


def test_a_truncated_row_is_reported():
    rows = b'a,b,c\n1,2,3\n4,"5\n5",6'
    for cut in range(len(b"a,b,c\n1,2,3\n") + 1, len(rows) - 2):
        *_, last = table(io.BytesIO(rows[:cut]), ("a", "b"))
        assert last.problem == BROKEN_OFF, rows[:cut]


def test_a_bad_object_on_several_lines_affects_no_other():
    bad = '{\n  "event": NaN,\n  "n": 1\n}'
    found = split("\n".join((ONE_BY_ONE[0], bad, ONE_BY_ONE[1])).encode())
    assert [record.raw.decode() for record in found] == [ONE_BY_ONE[0], bad, ONE_BY_ONE[1]]
    assert [record.value is None for record in found] == [False, True, False]


@pytest.mark.parametrize(
    "bad", ['{"event": 17745', '{"event":', '{"event": "x', "POST /", '"noise"', "true", '{"a":[{"b"']
)
def test_a_truncated_line_in_a_file_is_one_record(bad: str):
    lines = [ONE_BY_ONE[0], bad, "GET /", ONE_BY_ONE[1], bad, ONE_BY_ONE[2]]
    assert [record.raw.decode() for record in split("\n".join(lines).encode())] == lines


def test_bodies_without_a_line_break_between_them():
    data = b'{"messages":[{"n":1}]}{"messages":[{"n":2},{"n":3}]}'
    assert [record.raw for record in list_body(io.BytesIO(data), "messages")] == [b'{"n":1}', b'{"n":2}', b'{"n":3}']


def test_a_body_that_is_truncated_before_its_list_is_reported():
    (record,) = list_body(io.BytesIO(b'{"page":0,"next'), "messages")
    assert record.problem == BROKEN_OFF


def test_all_files_of_an_archive_are_read():
    found = split(zipped(FORMS["in an array"](ONE_BY_ONE).encode(), b"", ONE_BY_ONE[0].encode()))
    assert [record.value for record in found] == [*RECORDS, RECORDS[0]]
    assert [record.position for record in found] == [1, 2, 3, 4, 5, 6]


def encrypted() -> bytes:
    data = bytearray(zipped(b"x"))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"7z\xbc\xaf\x27\x1c\x00\x04", "7z"),
        (b"Rar!\x1a\x07\x01\x00", "RAR"),
        (b"\x04\x22\x4d\x18abc", "LZ4"),
        (b"\xff\x06\x00\x00sNaPpY", "Snappy"),
        (gzip.compress(gzip.compress(b"x")), "compressed twice, gzip inside gzip"),
        (zipped(zipped(b"x")), "compressed twice, zip inside zip"),
        (gzip.compress(b"a" * 257 + b"ustar" + b"\0" * 250), "tar"),
        (encrypted(), "encrypted"),
        (zipped(b"x" * 500)[:-4], "truncated"),
    ],
    ids=["7z", "RAR", "LZ4", "Snappy", "gzip in gzip", "zip in zip", "tar", "encrypted", "truncated"],
)
def test_unsupported_formats_are_named(data: bytes, expected: str):
    with pytest.raises(SourceError, match=expected):
        split(data)


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress, zstandard])
def test_truncated_compressed_data_are_reported(pack: Callable[[bytes], bytes]):
    packed = pack(b"".join(b'{"event":%d}' % number for number in range(500)))
    for cut in range(10, len(packed) - 1, 7):
        with pytest.raises(SourceError, match="truncated"):
            split(packed[:cut])


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "elements that are not objects": (lambda: b"[" + b"1," * 2_000_000 + b"1]", "cannot be read"),
    "brackets": (lambda: b"[" + b"[{" * 2_000_000, "deep"),
    "unclosed objects": (lambda: b'{"a":[\n' * 500_000, "cannot be read|many places"),
    "alternating bad elements": (lambda: b"[" + b'{"a":1},{"a":NaN},' * 50_000 + b"1]", ""),
    "line ends": (lambda: b"\n" * 20_000_000, ""),
    "line ends, packed": (lambda: gzip.compress(b"\n" * 60_000_000), "250 times"),
    "brackets of the wrong kind": (lambda: b"{" * 150_000 + b"]" * 2_000_000, ""),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_json_is_read_or_refused_in_linear_time(kind: str):
    make, expected = HOSTILE[kind]
    data = make()
    began = time.process_time()
    try:
        count = sum(1 for _ in lines_or_arrays(io.BytesIO(data), own_field="event"))
    except SourceError as error:
        assert expected and any(word in str(error) for word in expected.split("|"))
    else:
        assert not expected and count <= 100_001
    assert time.process_time() - began < 20


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-32-be"])
@pytest.mark.parametrize("compress", [bytes, gzip.compress, zipped])
def test_text_in_a_wide_encoding_with_a_byte_order_mark_is_read(encoding: str, compress: Callable[[bytes], bytes]):
    mark = "" if encoding in ("utf-16", "utf-32") else "\ufeff"  # Python writes these two with a mark
    wide = [json.dumps(record | {"name": "Zoë \U0001f600"}, ensure_ascii=False) for record in RECORDS]
    found = split(compress((mark + "\n".join(wide * 20_000)).encode(encoding)))
    assert len(found) == 100_000
    assert [json.loads(record.raw)["name"] for record in found[-2:]] == ["Zoë \U0001f600"] * 2
    rows = table(io.BytesIO(compress(f"{mark}a\tb\r\n1\tü\r\n".encode(encoding))), ("a", "b"))
    assert [row.value for row in rows] == [{"a": "1", "b": "ü"}]


def test_half_a_wide_character_affects_its_record_but_at_the_end_the_file():
    first, second = (record.encode("utf-16-le") for record in ONE_BY_ONE[:2])
    bad = '{"event":"'.encode("utf-16-le") + b"\x00\xd8" + '"}'.encode("utf-16-le")
    line_end = "\n".encode("utf-16-le")
    data = b"\xff\xfe" + line_end.join((first, bad, second))
    assert [record.value is None for record in split(data)] == [False, True, False]
    with pytest.raises(SourceError, match="UTF-16"):
        split(data[:-1])


def test_the_envelopes_of_log_shippers():
    shipped = [json.dumps({"@timestamp": "2026-03-01T10:00:00Z", "message": one}) for one in ONE_BY_ONE]
    subscribed = json.dumps({"messageType": "DATA_MESSAGE", "logEvents": [{"id": "1", "message": ONE_BY_ONE[0]}]})
    found = split("\n".join([*shipped, subscribed]).encode())
    assert [json.loads(record.raw) for record in found] == [*RECORDS, RECORDS[0]]
