"""No address of a person in what is stored; identities that never change."""

import time
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.model.errors import RejectRecord
from etl.model.identity import Keyring
from etl.model.redaction import DEEPEST, MASK, Redactor

KEYRING = Keyring(b"a secret for tests only")
ACCOUNT = "acme"


def redactor(written: str | None = None, normalised: str | None = None) -> Redactor:
    if written is None:
        return Redactor(None, None, None, ACCOUNT, KEYRING)
    normalised = normalised or written.strip().lower()
    return Redactor(written, normalised, KEYRING.recipient_key(ACCOUNT, normalised).hex(), ACCOUNT, KEYRING)


ANA = redactor(" Ana.B+c@Inbox.example ")
KEY = KEYRING.recipient_key(ACCOUNT, "ana.b+c@inbox.example").hex()
CALLEE = redactor("+1 (202) 555-0123", "+12025550123")
CALLEE_KEY = KEYRING.recipient_key(ACCOUNT, "+12025550123").hex()


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        ("ana.b+c@inbox.example", "{}"),
        ("x ANA.B+C@INBOX.EXAMPLE y", "x {} y"),
        ("?e=ana.b%2Bc%40inbox.example&x=%20", "?e={}&x=%20"),
        ("?e=ana%2eb%252bc%2540inbox%2Eexample", "?e={}"),
        ("%61na.b+c@inbox.exampl%2565", "{}"),
        ("ana.b+c@inbox.example%40", "{}%40"),
        ("bo@other.example and ana.b+c@inbox.example", "bo@other.example and {}"),
        ("ana.b+c@inbox.exampleana.b+c@inbox.example", "{}{}"),
        ("100%25ana.b+c@inbox.example", "100%25{}"),
        ("ana.b c@inbox.example", "ana.b c@inbox.example"),
        ("ana.b%252525c@inbox.example", "ana.b%252525c@inbox.example"),
        ("%", "%"),
        ("", ""),
    ],
)
def test_an_identity_has_the_own_recipient_replaced_and_nothing_else(text: str, replaced: str):
    assert ANA.own_as_key(text) == replaced.format(KEY, KEY)


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        ("to +12025550123.", "to {}."),
        ("to +1 (202) 555-0123.", "to {}."),
        ("to %2B12025550123", "to {}"),
        ("+%31%32025550123", "{}"),
        ("12025550123", "12025550123"),
        ("+13025550123", "+13025550123"),
    ],
)
def test_an_identity_has_the_own_number_replaced_as_written_and_normalised(text: str, replaced: str):
    assert CALLEE.own_as_key(text) == replaced.format(CALLEE_KEY)


pieces = st.lists(
    st.sampled_from([*"anbox.@+ %&=<", "%40", "%2540", "%2E", "%61", "%6E", "ana@box.no", "ANA%40box.no", "%25", "na"]),
    max_size=12,
).map("".join)


def test_without_a_recipient_nothing_is_replaced_in_an_identity():
    assert redactor().own_as_key("ana@inbox.example +12025550123") == "ana@inbox.example +12025550123"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("550 <ana.b+c@inbox.example>: unknown", "550 <recipient>: unknown"),
        ("bo@other.example.", "<recipient>."),
        ("<<bo@other.example>>", "<recipient>"),
        ("mailto:bo.o'brien@other.example?x", "mailto:<recipient>?x"),
        ('"bo b"@other.example', "<recipient>"),
        ("bo@[192.0.2.1]", "<recipient>"),
        ("bö@exämple.test", "<recipient>"),
        ("b!@other.example", "<recipient>"),
        (
            "https://x.example/p/a?email%3Dbo%40other.example%26id%3D5",
            "https://x.example/p/a?email%3D<recipient>%26id%3D5",
        ),
        ("https://x.example/a%2Fb?e=b%2Bo%2540other%2Eexample#top", "https://x.example/a%2Fb?e=<recipient>#top"),
        ("bo%25252540other.example", "<recipient>"),
        ("a@b@c.example", "<recipient>"),
        ("to +12025550199 550", "to <recipient> 550"),
        ("to %2B12025550199", "to <recipient>"),
        ("to +44 (20) 7946-0123, thanks", "to <recipient>, thanks"),
        ("to <+12025550199>", "to <recipient>"),
        ("a+b, +123456, +1234567890123456", "a+b, +123456, +1234567890123456"),
        ("@handle and a @ b", "@handle and a @ b"),
        ("12025550199", "12025550199"),
        ("a\0b", "a\ufffdb"),
        ("100%", "100%"),
    ],
)
def test_a_text_for_readers_holds_no_address_and_no_number(text: str, masked: str):
    assert ANA.text(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("to 12025550123!", "to <recipient>!"),
        ("to 912025550123", "to 912025550123"),
        ("to 120255501234", "to 120255501234"),
        ("x12025550123y 12025550123", "x<recipient>y <recipient>"),
        ("tel:%2B12025550123", "tel:<recipient>"),
        ("to +1 (202) 555-0123", "to <recipient>"),
        ("12025550124", "12025550124"),
    ],
)
def test_the_own_number_is_masked_without_its_plus_and_only_whole(text: str, masked: str):
    assert CALLEE.text(text) == masked


@given(st.text(), st.sampled_from([ANA, CALLEE, redactor()]))
def test_any_text_survives_and_masking_again_changes_nothing(text: str, someone: Redactor):
    masked = someone.text(text)
    assert "\0" not in masked
    assert someone.text(masked) == masked
    assert someone.identifier(someone.identifier(text)) == someone.identifier(text)
    assert isinstance(someone.own_as_key(text), str)


@given(pieces, st.sampled_from(["ana@box.no", "ANA%40BOX.no", "%61na%2540box%2Eno"]), pieces)
def test_the_own_recipient_is_gone_wherever_it_stood(before: str, form: str, after: str):
    masked = redactor("ana@box.no").text(before + " " + form + " " + after)
    assert MASK in masked
    for _ in range(3):
        assert "ana@box.no" not in masked.lower()
        masked = unquote(masked)


@given(st.text(alphabet="ab@.%4025+1<> \0"))
def test_what_is_called_clean_comes_out_as_it_is(text: str):
    for someone in (ANA, CALLEE, redactor()):
        if someone.is_clean(text):
            assert someone.text(text) == someone.identifier(text) == someone.own_as_key(text) == text
        assert "<<recipient>" not in someone.text(text)


HELD = [
    "list-ana.b+c@inbox.example-3",
    "list/Bo@Other.example",
    "list/bo%40other.example",
    "bo%25252540other.example",
    '"bo b"@other.example',
    "bo@[192.0.2.1]",
    "c+12025550123",
    "%2B12025550123-x",
    "+1 (202) 555-0123",
]


@pytest.mark.parametrize("text", HELD)
def test_an_id_that_holds_a_person_is_hashed_whole_whoever_the_recipient_is(text: str):
    hashed = KEYRING.recipient_key(ACCOUNT, text).hex()
    for someone in (ANA, CALLEE, redactor()):
        assert someone.identifier(text) == someone.label(text) == hashed


@pytest.mark.parametrize("text", ["4711", "a+b", "12025550123", "100%25", "v+2026"])
def test_an_id_that_holds_nobody_stays(text: str):
    assert redactor().identifier(text) == ANA.identifier(text) == CALLEE.identifier(text) == text


@pytest.mark.parametrize("text", ["sale@home", "medium.com/@name"])
def test_an_at_sign_alone_makes_no_person_of_a_campaign_but_of_a_message_id_it_may_be_what_is_left_of_one(text: str):
    assert ANA.label(text) == text
    assert ANA.identifier(text) == KEYRING.recipient_key(ACCOUNT, text).hex()


def test_a_nul_in_an_id_becomes_what_postgres_can_keep():
    assert ANA.identifier("4711+5 a\0b") == "4711+5 a\ufffdb"


def test_a_campaign_that_holds_the_own_number_is_hashed_also_without_its_plus():
    assert CALLEE.label("c 12025550123") == KEYRING.recipient_key(ACCOUNT, "c 12025550123").hex()
    assert ANA.label("c 12025550123") == "c 12025550123"


def test_tags_and_extra_are_masked_through_and_through():
    value = {"bo@x.example": ["a", {"n": "+12025550199", "m": 3, "t": None, "f": True}], "x": 1.5}
    assert ANA.value(value) == {MASK: ["a", {"n": MASK, "m": 3, "t": None, "f": True}], "x": 1.5}
    assert CALLEE.value({"n": 12025550123, "m": 12025550124}) == {"n": MASK, "m": 12025550124}
    assert ANA.value({"n": 12025550123, "a": "b\0"}) == {"n": 12025550123, "a": "b\ufffd"}


def test_of_two_names_that_become_one_the_greater_value_stays_in_any_order():
    one = {"bo@x.example": "1", "cy@x.example": 1, "di@x.example": "0"}
    assert ANA.value(one) == ANA.value(dict(reversed(one.items()))) == {MASK: "1"}


def test_what_is_nested_too_deeply_is_rejected():
    value: object = "x"
    for _ in range(DEEPEST + 2):
        value = [value]
    with pytest.raises(RejectRecord, match="nested deeper"):
        ANA.value(value)


HOSTILE = [
    "a",
    "@",
    "%",
    "%40",
    "+1",
    "<",
    ">",
    "1",
    "a@",
    "a@b",
    '"',
    '"a',
    "%25",
    "+1 ",
    "'a",
    "!",
    "a%",
    ".@",
    "%2540",
    "a" * 99 + "@",
    "ana.b+c@inbox.exampl",
    "%61na.b",
    "<recipient>",
    "1202555012",
    "+1202555012 ",
]


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize("someone", [ANA, CALLEE], ids=["email", "number"])
def test_hostile_text_costs_time_in_proportion_to_its_length(piece: str, someone: Redactor):
    def seconds(size: int) -> float:
        text = (piece * (size // len(piece) + 1))[:size] + " a@b c%40d +12 "
        best = float("inf")
        for _ in range(3):
            began = time.process_time()
            someone.text(text), someone.identifier(text), someone.own_as_key(text)
            best = min(best, time.process_time() - began)
        return best

    small, large = seconds(10_000), seconds(80_000)
    assert large < 24 * small + 0.05  # eight times is linear; sixty-four times would be quadratic
