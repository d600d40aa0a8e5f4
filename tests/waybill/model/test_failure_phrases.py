"""Phrases of the table of failure reasons: the texts that they fit, and the folding of texts."""

import pytest

from waybill.model.failure_phrases import COMMON, GAP, folded, phrases, words_of


def fits(written: str, text: str) -> bool:
    """Whether a text contains a phrase."""
    (phrase,) = phrases(written)
    return phrase.fits(f" {' '.join(words_of(folded(text)))} ")


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("mailbox full", "552 Mailbox: FULL!"),
        ("mailbox full", "552 mailbox-full"),
        ("mailbox full", "552 mailbox_full"),
        ("user|mailbox unknown|not_found", "550 user not found"),
        ("user|mailbox unknown|not_found", "mailbox unknown"),
        ("suspend*", "550 suspended"),
        ("suspend*", "suspend"),
        ("exceed* … quota", "it exceeds the agreed quota"),
        ("user … unknown", "user " + "x" * (GAP - 2) + " unknown"),
        ("doesnt exist", "it doesn't exist"),
        ("doesnt exist", "it doesn\u2019t exist"),
        ("4.7.1 no", "[4.7.1] no"),
        ("ADDRESS unknown", "<ana@example.com>: unknown"),
        ("ADDRESS unknown", "<recipient> unknown"),
        ("=invalid", " Invalid "),
        ("=spam content", "Spam Content."),
        ("存在しま", "550 宛先は存在しません"),
        ("容量…超|オーバー", "容量を超えました"),
        ("容量…超|オーバー", "容量のオーバー"),
        ("uberfullt", "Überfüllt"),
        ("gross", "groß"),
    ],
)
def test_a_phrase_fits_all_spellings_of_its_words(written: str, text: str):
    assert fits(written, text)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("mailbox full", "mailbox fully"),
        ("mailbox full", "amailbox full"),
        ("mailbox full", "mailbox is full"),
        ("user|mailbox not_found", "user not here, found"),
        ("suspend*", "unsuspended"),
        ("user … unknown", "user " + "x" * (GAP + 2) + " unknown"),
        ("user … unknown", "unknown user"),
        ("ADDRESS unknown", "address unknown"),
        ("=invalid", "invalid address"),
        ("容量…超", "超えました、容量"),
    ],
)
def test_a_phrase_fits_no_other_words(written: str, text: str):
    assert not fits(written, text)


def test_slashes_separate_the_phrases_of_a_row():
    assert [phrase.words for phrase in phrases("mailbox full / quota … exceed* / =bounced address")] == [
        ("full",),
        ("quota",),
        ("bounced",),
    ]


def test_a_phrase_lists_the_words_of_its_texts_the_rarest_first():
    (phrase,) = phrases("user|mailbox … frozen|locked_out")
    assert (phrase.words, phrase.others) == (("frozen", "locked"), (frozenset({"user", "mailbox"}),))
    assert "user" in COMMON and "frozen" not in COMMON
    (phrase,) = phrases("suspend*")
    assert (phrase.words, phrase.parts) == ((), (" suspend",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("550-5.1.1 Here is no\n550-5.1.1 such\r\n550 5.1.1 user", "550-5.1.1 here is no such user"),
        ("550-no user\n550-by that name", "550-no user by that name"),
        ("host mx.example.net[192.0.2.1] said: 550 no (in reply to RCPT TO command)", "550 no"),
        ("Boîte  pleine", "boite pleine"),
        ("=?iso-8859-1?q?Postfach_=FCberf=FCllt?=", "postfach uberfullt"),
        ("=?utf-8?b?bad base64?= x", "=?utf-8?b?bad base64?= x"),
        ("=?x-unheard-of?q?caf=E9?= x", "=?x-unheard-of?q?caf=e9?= x"),
    ],
)
def test_a_text_is_folded_to_its_words(text: str, expected: str):
    assert folded(text).startswith(expected)
