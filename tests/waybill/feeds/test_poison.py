"""The poison catalogue: each bad record is accepted or rejected, and does not affect its neighbours."""

import gzip
import json
from codecs import BOM_UTF16_LE

import pytest

from tests.waybill.feeds.outcomes import normalise
from waybill.feeds import FEEDS

GOOD = b'{"email":"ana@inbox.example","timestamp":1772442911,"event":"open","sg_message_id":"m1"}'
REJECTED, KEPT = True, False


def with_field(name: str, value: bytes) -> bytes:
    return GOOD[:-1] + b',"' + name.encode() + b'":' + value + b"}"


def instead(old: bytes, new: bytes) -> bytes:
    assert old in GOOD
    return GOOD.replace(old, new)


POISON: dict[str, tuple[bytes, bool]] = {
    "a raw NUL in a text": (with_field("useragent", b'"a\0b"'), REJECTED),
    "an escaped NUL in a text": (with_field("useragent", b'"a\\u0000b"'), KEPT),
    "an escaped NUL in a name": (with_field("a\\u0000b", b'"x"'), KEPT),
    "an escaped NUL in the address": (instead(b"ana@", b"an\\u0000a@"), REJECTED),
    "an escaped NUL in an id": (instead(b'"m1"', b'"m\\u00001"'), KEPT),
    "half of a surrogate pair": (with_field("useragent", b'"\\ud800"'), REJECTED),
    "bytes that are not UTF-8": (with_field("useragent", b'"\xff"'), REJECTED),
    "bytes that are not UTF-8 in a name": (with_field("a", b'1,"\xff":1'), REJECTED),
    "not a number": (with_field("x", b"NaN"), REJECTED),
    "infinity": (with_field("x", b"Infinity"), REJECTED),
    "a number beyond floats": (with_field("x", b"1e999"), REJECTED),
    "a number beyond 64 bits": (with_field("x", b"9223372036854775808"), KEPT),
    "thirty digits": (with_field("campaign_id", b"123456789012345678901234567890"), KEPT),
    "a repeated name": (with_field("event", b'"click"'), KEPT),
    "deep nesting": (with_field("x", b"[" * 100_000 + b"]" * 100_000), REJECTED),
    "half a line": (GOOD[:40], REJECTED),
    "an array": (b"[1]", REJECTED),
    "a text": (b'"open"', REJECTED),
    "a null": (b"null", REJECTED),
    "an empty object": (b"{}", REJECTED),
    "a null id": (instead(b'"m1"', b"null"), KEPT),
    "an empty id": (instead(b'"m1"', b'""'), KEPT),
    "an id of blanks": (instead(b'"m1"', b'"  "'), KEPT),
    "milliseconds": (instead(b"1772442911", b"1772442911000"), KEPT),
    "microseconds": (instead(b"1772442911", b"1772442911000000"), REJECTED),
    "the year 9999": (instead(b"1772442911", b"253402300799"), REJECTED),
    "the year 1969": (instead(b"1772442911", b"-1"), REJECTED),
    "a quoted local part": (instead(b"ana@", b'\\"ana b\\"@'), KEPT),
    "an international domain": (instead(b"inbox.example", "bücher.example".encode()), KEPT),
    "a tag in the address": (instead(b"ana@", b"ana+tag@"), KEPT),
    "a formula": (with_field("subject", b'"=cmd()"'), KEPT),
    "an unknown event": (instead(b'"open"', b'"levitated"'), KEPT),
    "no address": (instead(b"ana@inbox.example", b""), REJECTED),
    "two addresses": (instead(b"ana@inbox.example", b"ana@inbox.example, bo@inbox.example"), REJECTED),
}


@pytest.mark.parametrize("kind", POISON)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_poison_on_a_line_is_one_record_and_affects_no_other(kind: str, pack: type):
    poison, is_rejected = POISON[kind]
    outcomes = normalise("sendgrid_events", pack(GOOD + b"\r\n" + poison + b"\n\n" + GOOD))
    assert len(outcomes) == 3
    assert isinstance(outcomes[0], list) and outcomes[0] == outcomes[2]
    assert isinstance(outcomes[1], str) == is_rejected


@pytest.mark.parametrize("kind", [kind for kind in POISON if kind != "half a line"])
def test_poison_in_an_array_is_one_element_and_affects_no_other(kind: str):
    poison, is_rejected = POISON[kind]
    for array in (
        b"[" + GOOD + b"," + poison + b"," + GOOD + b"]",
        b"[\n" + GOOD + b",\n" + poison + b",\n" + GOOD + b"\n]",
    ):
        outcomes = normalise("sendgrid_events", array)
        assert len(outcomes) == 3
        assert isinstance(outcomes[0], list) and outcomes[0] == outcomes[2]
        assert isinstance(outcomes[1], str) == is_rejected


def test_thirty_digits_stay_thirty_digits():
    ((event,),) = normalise("sendgrid_events", with_field("campaign_id", b"123456789012345678901234567890"))
    assert event.campaign_id == "123456789012345678901234567890"


def test_no_stored_text_contains_a_nul():
    nul = b'"a\\u0000b"'
    data = with_field("x", b'{"k\\u0000":[' + nul + b"]}").replace(b'"m1"', nul)
    data = data[:-1] + b',"useragent":' + nul + b',"category":[' + nul + b'],"campaign_id":' + nul + b"}"
    ((event,),) = normalise("sendgrid_events", data)
    stored = [event.provider_message_id, event.user_agent, event.tags, event.campaign_id, event.extra]
    assert "\0" not in repr(stored) and "\\x00" not in repr(stored)
    assert event.extra == {"x": {"k\ufffd": ["a\ufffdb"]}}


@pytest.mark.parametrize("slug", sorted(FEEDS))
@pytest.mark.parametrize(
    "data", [b"\xff\xfe\x00", b"{", b"}", b"[[", b'{"messages":', b"\xef\xbb\xbf", b"\0\0\0", b'"']
)
def test_meaningless_bytes_are_rejected_records_or_a_refused_file(slug: str, data: bytes):
    try:
        outcomes = normalise(slug, data)
    except Exception as error:
        assert type(error).__name__ == "SourceError" and (slug == "dispatch_log" or data.startswith(BOM_UTF16_LE))
    else:
        assert all(isinstance(outcome, str) for outcome in outcomes)


def test_the_catalogue_is_long_enough():
    assert len(POISON) >= 25
    assert json.loads(GOOD)
