"""The decoded text that a reader sees, and the position of each character in the written text."""

import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.model.plain_text import DEEPEST_NESTING, Reading, may_have_at_sign_or_plus, readings


def last_reading(written: str) -> Reading:
    *_, last = readings(written)
    return last


AT_SIGNS = [
    "@",
    "%40",
    "%2540",
    "%25252540",
    "&#64;",
    "&#64",
    "&#00064;",
    "&#x40;",
    "&#X0040;",
    "&commat;",
    "&COMMAT;",
    "&amp;#64;",
    "&amp;amp;commat;",
    "\\u0040",
    "\\\\\\u0040",
    "\\x40",
    "\\U0040",
    "\uff20",
    "\ufe6b",
    "%EF%BC%A0",
    "%26%2364%3B",
    "%5Cu0040",
    "\\u0026#64;",
    "\uff05\uff14\uff10",
    "%25%34%30",
    "&num;".join(("&", "64;")),
]


@pytest.mark.parametrize("written", AT_SIGNS)
def test_an_at_sign_is_decoded_from_every_form(written: str):
    plain = last_reading(f"a{written}b")
    assert plain.text == "a@b"
    assert [plain.written_span(place, place + 1) for place in range(3)] == [
        (0, 1),
        (1, 1 + len(written)),
        (1 + len(written), 2 + len(written)),
    ]
    assert may_have_at_sign_or_plus(f"a{written}b")


@pytest.mark.parametrize("written", ["+", "%2b", "%252B", "&#43;", "&plus;", "\\u002B", "\uff0b", "\ufe62"])
def test_a_plus_is_decoded_from_every_form(written: str):
    assert last_reading(f"a{written}b").text == "a+b"
    assert may_have_at_sign_or_plus(f"a{written}b")


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("", ""),
        ("100%", "100%"),
        ("100%25", "100%"),
        ("%2", "%2"),
        ("a&b;c&nonsense;", "a&b;c&nonsense;"),
        ("a&lt;b&gt;", "a<b>"),
        ("&#;&#x;", "&#;&#x;"),
        ("&#1114112;", "\ufffd"),
        ("\\u004", "\\u004"),
        ("\\\\", "\\\\"),
        ("%C3%A9", "\u00e9"),
        ("%E9t%E9", "\u00fft\u00ff"),
        ("a\u200b\u00adb&shy;c%E2%80%8Dd", "abcd"),
        ("\uff41\uff0e\uff42\u3002c", "a.b.c"),
    ],
)
def test_only_escapes_are_decoded(written: str, text: str):
    assert last_reading(written).text == text


def test_nested_encodings_are_decoded_down_to_a_depth():
    def nested(depth: int) -> str:
        """An at-sign, percent-encoded; the percent sign as an entity; its ampersand percent-encoded; …"""
        written = "@"
        for level in range(depth):
            code = ord(written[0])
            written = (f"&#{code};" if level % 2 else f"%{code:02X}") + written[1:]
        return written

    assert nested(3) == "%26#37;40"
    assert last_reading(nested(DEEPEST_NESTING)).text == "@"
    assert last_reading(nested(DEEPEST_NESTING + 1)).text == nested(1)


encodings = st.sampled_from(
    [
        lambda character: character,
        lambda character: quote(character, safe=""),
        lambda character: quote(quote(character, safe=""), safe=""),
        lambda character: f"&#{ord(character)};",
        lambda character: f"&amp;#x{ord(character):x};",
    ]
)
encoded_characters = st.tuples(encodings, st.characters(codec="utf-8")).map(lambda pair: pair[0](pair[1]))


@given(st.lists(encoded_characters, min_size=1, max_size=12).map("|".join))
def test_every_character_maps_back_to_its_written_span(written: str):
    plain = last_reading(written)
    spans = [plain.written_span(place, place + 1) for place in range(len(plain.text))]
    assert spans == sorted(spans) and all(0 <= start < end <= len(written) for start, end in spans)
    for character, (start, end) in zip(plain.text, spans, strict=True):
        assert character in last_reading(written[start:end]).text


@given(st.text(alphabet="a@+%&#;40256xu\\\u200b\uff20 amp"))
def test_a_text_without_a_possible_at_sign_or_plus_has_none(text: str):
    seen = last_reading(text).text
    assert may_have_at_sign_or_plus(text) or not ("@" in seen or "+" in seen)


@pytest.mark.parametrize(
    "piece",
    [
        "%",
        "%25",
        "%2540",
        "%E2",
        "%E2%2525",
        "\\",
        "\\u004",
        "&",
        "&amp;",
        "&#0",
        "&#0000000064",
        "&a",
        "\u200b",
        "%26",
    ],
)
def test_hostile_text_is_decoded_in_linear_time(piece: str):
    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        best = float("inf")
        for _ in range(3):
            began = time.process_time()
            last_reading(text)
            best = min(best, time.process_time() - began)
        return best

    small, large = seconds(50_000), seconds(400_000)
    assert large < 24 * small + 0.05  # 8 times is linear; 64 times would be quadratic
