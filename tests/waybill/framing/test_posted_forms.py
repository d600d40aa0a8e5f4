"""Form-encoded bodies: forms whose field contains JSON, and forms whose fields are a record."""

import base64
import gzip
import io
import json
from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from waybill.framing import limits
from waybill.framing.lines import lines_or_arrays
from waybill.framing.posted_forms import PostedForm
from waybill.framing.raw_record import NOT_CLOSED, NOT_JSON, RawRecord

JSON_FIELD, FIELDS = PostedForm(json_field="events"), PostedForm()
ONE, TWO = {"id": 1, "text": "a+b & 'ü'"}, {"id": 2}


def records(data: bytes, form: PostedForm = JSON_FIELD) -> list[RawRecord]:
    return list(lines_or_arrays(io.BytesIO(data), own_field="id", form=form))


def posted(*events: object) -> bytes:
    return urlencode({"key": "k", "events": json.dumps(events)}).encode()


@pytest.mark.parametrize(
    "data",
    [
        posted(ONE, TWO),
        posted(ONE) + b"\r\n\n" + posted(TWO) + b"\n",
        posted(ONE) + b"\n" + json.dumps(TWO).encode(),
        json.dumps([ONE, TWO]).encode(),
        json.dumps({"events": [ONE, TWO]}).encode(),
        json.dumps({"events": json.dumps([ONE, TWO])}).encode(),
        json.dumps({"body": posted(ONE, TWO).decode(), "isBase64Encoded": False}).encode(),
        json.dumps({"body": base64.b64encode(posted(ONE, TWO)).decode(), "isBase64Encoded": True}).encode(),
        json.dumps({"Records": [{"body": posted(ONE).decode()}, {"body": posted(TWO).decode()}]}).encode(),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_records_of_a_form_are_found_however_it_was_landed(data: bytes, pack: Callable[[bytes], bytes]) -> None:
    found = records(pack(data))
    assert [record.value for record in found] == [ONE, TWO] and {record.problem for record in found} == {None}
    assert [record.position for record in found] == sorted({record.position for record in found})


def test_the_fields_of_a_form_are_a_record() -> None:
    first, second = records(b"id=SM1&to=%2B12025550123&note=a+b&empty=\nid=SM2&media=x&media=y", FIELDS)
    assert first.value == {"id": "SM1", "to": "+12025550123", "note": "a b", "empty": ""}
    assert second.value == {"id": "SM2", "media": ["x", "y"]}


@pytest.mark.parametrize("data", [b"hello", b"a=1&b", b"=1", b"a=%ff", b"other=1", b"events=7", b"events=not JSON"])
def test_what_is_no_form_with_records_is_one_bad_record_among_the_others(data: bytes) -> None:
    bad, good = records(data + b"\n" + posted(ONE))
    assert bad.problem is not None and good.value == ONE


def test_a_form_of_no_records_has_none_and_a_truncated_form_says_so() -> None:
    assert records(posted()) == []
    assert [record.problem for record in records(posted(ONE, TWO)[:-12])] == [None, NOT_CLOSED]


def test_forms_are_read_only_where_the_provider_posts_them() -> None:
    (record,) = lines_or_arrays(io.BytesIO(posted(ONE)), own_field="id")
    assert record.problem == NOT_JSON


def test_forms_and_envelopes_in_each_other_have_an_end() -> None:
    data = json.dumps(ONE)
    for _ in range(limits.MOST_ENVELOPES + 1):
        data = urlencode({"events": data})
        data = json.dumps({"events": data})
    (record,) = records(data.encode())
    assert record.problem is not None
