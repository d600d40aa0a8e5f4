"""Phrases of the table of failure reasons: their syntax and their search in a text.

A text is folded once. Each phrase has a word that every matching text contains, so the words of the text select a few
phrases, and only those are searched. The time depends on the length of the text, not on the length of the table.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from contextlib import suppress
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from functools import cache
from typing import NamedTuple

GAP = 60
"""The most characters that `…` matches."""

COMMON = frozenset({
    *("a", "access", "account", "address", "addresses", "as", "at", "blocked", "by", "domain", "email", "exceeded"),
    *("failed", "for", "from", "has", "host", "in", "invalid", "is", "it", "mail", "mailbox", "message", "messages"),
    *("no", "not", "of", "on", "or", "policy", "quota", "recipient", "recipients", "rejected", "relay", "sender"),
    *("server", "service", "spam", "that", "the", "this", "to", "too", "unknown", "user", "your"),
})  # fmt: skip
"""Words of many texts: a phrase is found faster by another of its words."""

ADDRESS = "ADDRESS"
"""Replaces an address in a folded text, whose other characters are in lower case."""

_ADDRESS = re.compile(r"<recipient>|[^\s<>()\":;,]{0,64}@[^\s<>()\":;,]{0,255}", re.ASCII)
# The code that a server repeats before every line of a long answer, after the lines are joined.
_CONTINUED = re.compile(r"(?<=\s)([245]\d\d)(?:[ -]#?[245]\.\d{1,3}\.\d{1,3}\s|-)", re.ASCII)
# Words of the gateway around the server's answer: `host mx.example.net[192.0.2.1] said: …`, `(in reply to … command)`.
_FRAME = re.compile(
    r"\bhost [^\s\[]{1,255}\s?\[[^\]\s]{1,60}\]:?(?: said:)?|\bhost said:|\(in reply to [\w ]{1,30} command\)+",
    re.ASCII,
)
_SIGNS = re.compile(r"[…| ]")
_BETWEEN_WORDS = {code: " " for code in range(128) if not chr(code).isalnum()}


class Phrase(NamedTuple):
    """One phrase with its search pattern.

    :ivar words: every text that fits contains one of them
    :ivar others: every text that fits also contains one of each of these
    :ivar parts: without `words`, every text that fits contains one of these texts
    """

    words: tuple[str, ...]
    others: tuple[frozenset[str], ...]
    parts: tuple[str, ...]
    pattern: str

    def fits(self, text: str) -> bool:
        """Whether a text contains the phrase. The text is its words, with a space before and after each."""
        return _compiled(self.pattern)(text) is not None


@cache
def _compiled(pattern: str) -> Callable[[str], re.Match[str] | None]:
    """Return the search of a pattern. It is compiled at first use: most patterns are never used."""
    return re.compile(pattern, re.ASCII).search


def folded(text: str) -> str:
    """Return the text in lower case, on one line, without accents, apostrophes, underscores and repeated codes.

    Encoded words (RFC 2047) are decoded if possible.
    """
    if "=?" in text:
        with suppress(HeaderParseError, LookupError, ValueError):
            text = str(make_header(decode_header(text)))
    text = " ".join(_plain(text).split())
    if "-" in text or "." in text:
        text = _CONTINUED.sub("", text)
    if "host " in text or "(in reply" in text:
        text = _FRAME.sub(" ", text).strip()
    if "@" in text or "<recipient>" in text:
        text = _ADDRESS.sub(f" {ADDRESS} ", text)
    return text


def phrases(written: str) -> Iterable[Phrase]:
    """Return the phrases of a row, in order."""
    return [_phrase(one.strip()) for one in written.split(" / ")]


def words_of(text: str) -> list[str]:
    """Return the words of a folded text, in order."""
    return text.translate(_BETWEEN_WORDS).split()


def _plain(text: str) -> str:
    text = text.lower()
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("\u2019", "'"))
        text = "".join(letter for letter in text if not unicodedata.combining(letter)).lower()
    return text.replace("'", "").replace("_", " ")


def _phrase(written: str) -> Phrase:
    if written.startswith("="):
        words = words_of(written)
        return Phrase((words[0],), (), (), rf"\A {' '.join(words)} \Z")
    if not written.isascii() and not _SIGNS.sub("", written).isascii():
        return _unspaced(written)
    tokens = [token.split("|") for token in written.split()]
    pattern = "".join(rf"(?= ).{{0,{GAP}}}" if token == ["…"] else _one_of(token) for token in tokens) + "(?= )"
    sure = [token for token in tokens if token != ["…"]]
    whole = [token for token in sure if not any(word.endswith("*") and "_" not in word for word in token)]
    if whole:
        rarest, *others = sorted(
            (dict.fromkeys(words_of(word.partition("_")[0])[0] for word in token) for token in whole),
            key=lambda words: (not COMMON.isdisjoint(words), len(words), -min(map(len, words))),
        )
        return Phrase(tuple(rarest), tuple(map(frozenset, others)), (), pattern)
    return Phrase((), (), tuple(f" {word.rstrip('*')}".replace("_", " ") for word in min(sure, key=len)), pattern)


def _one_of(words: list[str]) -> str:
    return f" (?:{'|'.join(map(_spaced, words))})"


def _spaced(word: str) -> str:
    plain = " ".join(words_of(word.rstrip("*").replace("_", " ")))
    return plain + "[^ ]{0,20}" if word.endswith("*") else plain


def _unspaced(written: str) -> Phrase:
    """Return a phrase of a language without spaces; its parts match anywhere."""
    choices = [[_plain(word.strip()) for word in part.split("|")] for part in written.split("…")]
    parts = ("|".join(map(re.escape, words)) for words in choices)
    return Phrase((), (), tuple(choices[0]), rf".{{0,{GAP}}}".join(f"(?:{part})" for part in parts))
