"""Removes addresses and numbers of people from everything that is stored. See docs/model.md.

There are three rules:

- `own_as_key` is part of identity tuples, and so of every event key. It can never change.
- `identifier` makes stored ids, and ids are part of keys. It can never change either.
- `text` makes texts for readers. It is part of no key and may improve; a replay then improves the texts of the past.

*Own* means the recipient of the record, as written (stripped) and normalised. Each of its characters may be plain or
percent-encoded once or twice (`%40`, `%2540`), ASCII letters in any case. The longer form is matched first.

A recipient may be neither an address nor a number (`ana.inbox.example`, `none`, `x`, `12`). Texts are searched for such
a *word* as a whole, in any case and encoding, if it has at least four characters: a shorter one identifies nobody and
is part of many texts.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Protocol

import msgspec

from waybill.model.errors import RejectRecord
from waybill.model.event import rank
from waybill.model.plain_text import may_have_at_sign_or_plus, readings
from waybill.model.recipients import is_address

MASK = "<recipient>"
_NUL = "\ufffd"  # instead of NUL, which Postgres cannot store in text or jsonb
DEEPEST = 64

# Frozen, because ids are part of keys. An at-sign may be plain, wide, percent-encoded (%40, %2540, …), an HTML entity
# or a JSON escape, with zero-width characters after it. In an id that is part of keys every at-sign counts: the id may
# be an address that was cut at its first dot. A label contains a person if it has text, an at-sign and a domain with a
# dot or an address literal, or a number that begins with +. `sale@home` and `medium.com/@name` contain nobody.
_AT = (
    r"(?:(?:[@\uff20\ufe6b]|%(?:25)*40|%(?:25)*ef%(?:25)*bc%(?:25)*a0|\\u0040"
    r"|&(?:amp;)*(?:#0*64(?!\d)|#x0*40(?![\da-f])|commat;);?)[\u00ad\u200b-\u200d\u2060\ufeff]*)"
)
_AT_SIGN = re.compile(_AT, re.IGNORECASE)
_LABEL_PERSON = re.compile(
    rf"[^\s@%]\s?{_AT}\s?\[?[\w-]+(?:[.:]|%(?:25)*2e)\w"
    r"|(?:\+|%(?:25)*2b)(?:[ ().\-/]{0,3}\d){7,15}(?!\d)",
    re.IGNORECASE,
)

# May improve: the form of an address or a number in decoded text (plain_text). An address is a quoted local part or the
# end of a local part, at-signs, and a domain. If the domain has a dot and letters, blanks and comments (like this) may
# separate them: `a @ b` is no address. A local part also matches without a domain, so that no text is searched twice.
_LETTER = r"[\w.+\-\u00b7\u0300-\u036f\u0590-\u1fff\ufe00-\ufe0f]"  # with combining marks
_LITERAL = r"\[[0-9A-Za-z:.]++\]"
_GAP = r"(?:\s++|\((?:[^()]++|\([^()]*+\))*+\))*+"
_SITE = (
    rf"(?:(?:@++(?:{_LETTER}++|{_LITERAL}))++"
    rf"|{_GAP}@++{_GAP}(?:(?={_LETTER}*\.[^\W\d_]{{2}}){_LETTER}++|{_LITERAL}))"
)
_ADDRESS = re.compile(
    rf"(?P<quoted>\"[^\"\r\n]{{1,128}}\"{_SITE})"
    rf"|{_LETTER}++(?:'++{_LETTER}++)*+[!$'*^`{{|}}~]{{0,16}}+(?P<plain>{_SITE})?"
)
_NUMBER = re.compile(r"\+(\d[\d ().\-/]{5,40}+)", re.ASCII)
_DIGIT_RUN = re.compile(r"\d+", re.ASCII)
_DOUBLE_MASK = re.compile(r"(?<!<)<++recipient>++")
_FEWEST_DIGITS, _MOST_DIGITS = 7, 15
_SHORTEST_WORD = 4


class RecipientKeys(Protocol):
    """The part of a Keyring that redaction uses."""

    def recipient_key(self, account: str, address: str) -> bytes:
        """Return the key of a normalised address."""


class Redactor:
    """Removes the recipient of one record, and all other people, from the values of the record.

    :param keyring: hashes ids that contain people
    :param written: the recipient as in the record; empty if the record has no recipient
    :param normalised: the normalised recipient
    :ivar key_hex: its recipient_key, hexadecimal
    """

    __slots__ = ("_account", "_bare", "_keyring", "_normalised", "_written", "key_hex")

    def __init__(
        self, account: str, keyring: RecipientKeys, written: str = "", normalised: str = "", key_hex: str = ""
    ) -> None:
        self._written = written.strip()
        self._normalised = normalised
        self.key_hex = key_hex
        self._account = account
        self._keyring = keyring
        self._bare = None if not normalised or "@" in normalised else normalised.lstrip("+")

    @property
    def _is_word(self) -> bool:
        """Whether the recipient is neither an address nor a number."""
        return bool(self._normalised) and not is_address(self._normalised) and not _is_number(self._bare)

    def is_clean(self, text: str) -> bool:
        """Whether all three rules leave the text, and every part of it, unchanged. Cheap; False may be wrong."""
        if may_have_at_sign_or_plus(text) or "\0" in text:
            return False
        return self._bare is None or self._cannot_hold_own(text)

    def own_as_key(self, text: str) -> str:
        """Return the text with the own recipient, and nothing else, replaced by its key. This rule can never change."""
        if not self._normalised or self._cannot_hold_own(text):
            return text
        return _own_expression(self._written, self._normalised).sub(self.key_hex, text)

    def identifier(self, text: str) -> str:
        """Return an id without clear addresses. If it has an at-sign or a number, it is hashed as a whole, so different
        ids stay different, and an id is the same in records with and without its recipient. NUL becomes U+FFFD. This
        rule can never change."""
        if not may_have_at_sign_or_plus(text) and "\0" not in text:
            return text
        if _AT_SIGN.search(text) or _LABEL_PERSON.search(text):
            return self._keyring.recipient_key(self._account, text).hex()
        return text.replace("\0", _NUL)

    def label(self, text: str) -> str:
        """Return the id of a campaign or a template, which is no part of joins. It is hashed as a whole if it contains
        an address, a number, the own number without its plus, or the own word in any encoding. NUL becomes U+FFFD."""
        if (word := self._own_word()) is not None:
            is_own = any(word.search(reading.text) for reading in readings(text))
        else:
            is_own = self._bare is not None and not self._is_word and self._bare in text
        if is_own or _LABEL_PERSON.search(text):
            return self._keyring.recipient_key(self._account, text).hex()
        return text.replace("\0", _NUL)

    def code(self, text: str) -> str:
        """Return a code or a word of the provider, redacted as by `text`; a recipient that is a word stays."""
        return self.text(text) if not self._is_word else _everyone_masked(text.replace("\0", _NUL))

    def text(self, text: str) -> str:
        """Return a text for readers. The own recipient, all addresses, all numbers that begin with +, and the digits of
        the own number become `<recipient>`; NUL becomes U+FFFD. The time is linear in the length of the text."""
        return text if self.is_clean(text) else self._masked(text)

    def value(self, value: object, depth: int = 0) -> object:
        """Return tags or `extra` with every text inside, keys included, redacted by `text`. If two keys become equal,
        the greater value in bytes stays. Raises RejectRecord if values are nested deeper than DEEPEST."""
        if depth == 0 and self.is_clean_value(value):
            return value
        if value is None or value is True or value is False:
            return value
        if isinstance(value, str):
            return self.text(value)
        if depth > DEEPEST:
            raise RejectRecord(f"nested deeper than {DEEPEST}")
        if isinstance(value, list):
            return [self.value(element, depth + 1) for element in value]
        if isinstance(value, dict):
            clean: dict[str, object] = {}
            for name, inner in value.items():
                name, inner = self.text(name), self.value(inner, depth + 1)
                clean[name] = inner if name not in clean else max(clean[name], inner, key=rank)
            return clean
        written = str(value)
        masked = self.text(written) if self._bare is not None else written
        return value if masked == written else masked

    def is_clean_value(self, value: object) -> bool:
        """As `is_clean`, for all texts inside at once."""
        written = msgspec.json.encode(value).decode()
        return (
            "\\u0000" not in written
            and self.is_clean(written)
            and written.count("[") + written.count("{") <= DEEPEST
            and (self._bare is None or written.isascii())
        )

    def _cannot_hold_own(self, text: str) -> bool:
        """Cheap; True is sure. An email address needs its at-sign, a number the digits with which it was written."""
        if "%" in text:
            return self._bare is None and "@" not in text and "40" not in text
        if self._bare is None:
            return "@" not in text
        if self._bare in text or not text.isascii():
            return False
        return self._written.lower() not in text.lower()

    def _masked(self, text: str) -> str:
        text = text.replace("\0", _NUL)
        if self._bare is None:
            text = self._own_masked(text)
        text = _everyone_masked(text, self._own_word())
        if self._bare is not None:  # after the others, so that an encoded + is replaced together with its number
            text = self._own_masked(text)
        return _single_masked(text)

    def _own_masked(self, text: str) -> str:
        if not self._normalised or self._is_word or self._cannot_hold_own(text):
            return text
        if self._bare is None:
            return _own_expression(self._written, self._normalised).sub(MASK, text)
        return _own_number_expression(self._written, self._normalised).sub(MASK, text)

    def _own_word(self) -> re.Pattern[str] | None:
        """Return the expression of a recipient that is a word; None if it is no word or too short."""
        if not self._is_word or len(self._normalised) < _SHORTEST_WORD:
            return None
        return _own_word_expression(self._written, self._normalised)


def mask_everyone(text: str) -> str:
    """Return a text for readers that belongs to no record, redacted as by `Redactor.text`."""
    if not may_have_at_sign_or_plus(text) and "\0" not in text:
        return text
    return _single_masked(_everyone_masked(text.replace("\0", _NUL)))


def _single_masked(text: str) -> str:
    """Return a masked text in which the angle brackets of an address are not doubled."""
    return _DOUBLE_MASK.sub(MASK, text) if "<<recipient>" in text or "<recipient>>" in text else text


def _is_number(bare: str | None) -> bool:
    """Whether a recipient (without its plus) is a number that is long enough for a person."""
    return bare is not None and bare.isdigit() and len(bare) >= _FEWEST_DIGITS


def _everyone_masked(text: str, own_word: re.Pattern[str] | None = None) -> str:
    """Return the text with all addresses, all numbers that begin with +, and the own word masked, in any encoding."""
    spans: list[tuple[int, int]] = []
    for reading in readings(text):
        found = [*address_spans(reading.text), *number_spans(reading.text)]
        if own_word is not None:
            found += (match.span() for match in own_word.finditer(reading.text))
        spans += [reading.written_span(start, end) for start, end in found]
    pieces: list[str] = []
    done = 0
    for start, end in sorted(spans):
        if start >= done:
            pieces += (text[done:start], MASK)
        done = max(done, end)
    return "".join((*pieces, text[done:]))


def address_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of the addresses in a decoded text."""
    if "@" in text:
        for match in _ADDRESS.finditer(text):
            if match.lastgroup is not None:
                yield match.start(), match.start() + len(match[0].rstrip(".-"))


def number_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of numbers: one in `+1 (555) 010-0001`, and only the first part of `+15550100001 550`."""
    if "+" not in text:
        return
    for match in _NUMBER.finditer(text):
        groups = list(_DIGIT_RUN.finditer(match[1]))
        count, end = 0, 0
        for position, group in enumerate(groups):
            if position and (group.start() - end > 2 or len(groups[0][0]) >= _FEWEST_DIGITS):
                break
            if count + len(group[0]) > _MOST_DIGITS:
                break
            count, end = count + len(group[0]), group.end()
        if count >= _FEWEST_DIGITS:
            yield match.start(), match.start(1) + end


def _encodable(forms: Iterable[str]) -> str:
    """Return an expression for these texts, the longest first; each character may be percent-encoded once or twice."""
    return "|".join(
        "".join(
            f"(?:{re.escape(character)}|"
            + "".join(f"%(?:25)?{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
            + ")"
            for character in form
        )
        for form in sorted({form for form in forms if form}, key=lambda form: (-len(form), form))
    )


@lru_cache(maxsize=4_096)
def _own_expression(written: str, normalised: str) -> re.Pattern[str]:
    """Return the expression of the own recipient. Frozen: it is part of keys."""
    return re.compile(_encodable((written, normalised)), re.IGNORECASE | re.ASCII)


@lru_cache(maxsize=4_096)
def _own_number_expression(written: str, normalised: str) -> re.Pattern[str]:
    """Return the expression of the own number or its digits alone, not inside a longer number. May improve."""
    digits = normalised.lstrip("+")
    forms = (written, normalised, digits) if digits.isdigit() else (written, normalised)
    return re.compile(rf"(?<!\d)(?:{_encodable(forms)})(?!\d)", re.IGNORECASE | re.ASCII)


@lru_cache(maxsize=4_096)
def _own_word_expression(written: str, normalised: str) -> re.Pattern[str]:
    """Return the expression of the own word as a whole word: `none` is not in `nonetheless`. May improve."""
    forms = sorted({written, normalised}, key=lambda form: (-len(form), form))
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, forms))})(?!\w)", re.IGNORECASE)
