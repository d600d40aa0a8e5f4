"""Takes addresses and numbers of people out of everything that is stored. See docs/model.md.

Three rules, in order of how freely they may change:

- `own_as_key` enters identity tuples and with them every event key: it can never change.
- `identifier` makes the ids that are stored, and ids enter keys: it can never change either.
- `text` makes what people read. It enters no key and may improve; then texts of the past improve by a replay.

*Own* means the record's own recipient, as written (stripped) and normalised, each of its characters plain or
percent-encoded once or twice (`%40`, `%2540`), letters of ASCII in any case; the longer form first.

A recipient may be no address and no number (`ana.inbox.example`, `none`, `x`, `12`). In texts such a *word* is looked
for whole, in any case and encoding, and only from four characters on: a shorter one names nobody and is in every text.
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
NUL_STANDS_FOR = "\ufffd"  # Postgres keeps no NUL in text or jsonb
DEEPEST = 64

# Frozen, for ids enter keys. An at-sign: plain, wide, percent-encoded (%40, %2540, …), an entity of HTML, an escape of
# JSON; and characters of no width behind it. In an id that enters keys any at-sign counts: it may be what is left of an
# address that was cut at its first dot. A label holds a person if it has something, an at-sign, and a domain with a dot
# or an address literal; or a number that begins with +. `sale@home` and `medium.com/@name` hold nobody.
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

# May improve: what is an address or a number in a text that was decoded (plain_text). An address: a quoted local part
# or the end of one, at-signs, a domain. Between them may stand blanks and comments, (like this), where the domain has
# a dot and letters: `a @ b` is none. A local part is matched without its domain, too, so that no text is looked at
# twice.
_LETTER = r"[\w.+\-\u00b7\u0300-\u036f\u0590-\u1fff\ufe00-\ufe0f]"  # and marks that belong to letters
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
    """What a keyring can do that is needed here."""

    def recipient_key(self, account: str, address: str) -> bytes:
        """The key of a normalised address."""


class Redactor:
    """Knows one record's recipient and takes it, and everyone else, out of the record's values.

    :param written: the recipient as the record has it; None if it names none
    :param normalised: the same, normalised
    :param key_hex: its recipient_key, hexadecimal
    :param keyring: hashes ids that hold people
    """

    __slots__ = ("_account", "_bare", "_key_hex", "_keyring", "_normalised", "_written")

    def __init__(
        self,
        written: str | None,
        normalised: str | None,
        key_hex: str | None,
        account: str | None,
        keyring: RecipientKeys,
    ) -> None:
        self._written = written
        self._normalised = normalised
        self._key_hex = key_hex
        self._account = account
        self._keyring = keyring
        self._bare = None if normalised is None or "@" in normalised else normalised.lstrip("+")

    @property
    def _is_word(self) -> bool:
        """Whether the recipient is neither an address nor a number."""
        return self._normalised is not None and not is_address(self._normalised) and not _is_number(self._bare)

    def is_clean(self, text: str) -> bool:
        """Whether the text, and every part of it, comes out of all three rules as it is. Cheap; False may be wrong."""
        if may_have_at_sign_or_plus(text) or "\0" in text:
            return False
        return self._bare is None or self._cannot_hold_own(text)

    def own_as_key(self, text: str) -> str:
        """The text with the own recipient, and nothing else, replaced by its key. This rule can never change."""
        if self._normalised is None or self._cannot_hold_own(text):
            return text
        return _own_expression(self._written.strip(), self._normalised).sub(self._key_hex, text)

    def identifier(self, text: str) -> str:
        """An id without clear addresses: one that holds an at-sign or a number is hashed whole, so that ids stay
        apart, and one id stays one id whichever record names it, with its recipient or without. NUL becomes U+FFFD.
        This rule can never change."""
        if not may_have_at_sign_or_plus(text) and "\0" not in text:
            return text
        if _AT_SIGN.search(text) or _LABEL_PERSON.search(text):
            return self._keyring.recipient_key(self._account, text).hex()
        return text.replace("\0", NUL_STANDS_FOR)

    def label(self, text: str) -> str:
        """The id of a campaign or a template, which joins nothing: hashed whole where it holds an address, a number,
        or the own number without its plus; NUL becomes U+FFFD."""
        word = self._own_word()
        is_own = word.search(text) if word else self._bare is not None and not self._is_word and self._bare in text
        if is_own or _LABEL_PERSON.search(text):
            return self._keyring.recipient_key(self._account, text).hex()
        return text.replace("\0", NUL_STANDS_FOR)

    def code(self, text: str) -> str:
        """A code or a word of the provider's: as `text` does it, but for a recipient that is a mere word."""
        return self.text(text) if not self._is_word else _everyone_masked(text.replace("\0", NUL_STANDS_FOR), None)

    def text(self, text: str) -> str:
        """A text for readers: own recipient, any address, any number that begins with +, and the own number's digits
        become `<recipient>`; NUL becomes U+FFFD. Linear in the length of the text."""
        return text if self.is_clean(text) else self._masked(text)

    def value(self, value: object, depth: int = 0) -> object:
        """Tags and `extra`: every text inside, keys included, as `text` does it. Where two keys become one, the
        greater value in bytes stays. Raises RejectRecord for what is nested deeper than 64."""
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
        """As `is_clean`, of everything inside at once."""
        written = msgspec.json.encode(value).decode()
        return (
            "\\u0000" not in written
            and self.is_clean(written)
            and written.count("[") + written.count("{") <= DEEPEST
            and (self._bare is None or written.isascii())
        )

    def _cannot_hold_own(self, text: str) -> bool:
        """Cheap and sure: an email address needs its at-sign, a number the digits that it was written with."""
        if "%" in text:
            return self._bare is None and "@" not in text and "40" not in text
        if self._bare is None:
            return "@" not in text
        if self._bare in text or not text.isascii():
            return False
        return self._written.strip().lower() not in text.lower()

    def _masked(self, text: str) -> str:
        text = text.replace("\0", NUL_STANDS_FOR)
        if self._bare is None:
            text = self._own_masked(text)
        text = _everyone_masked(text, self._own_word())
        if self._bare is not None:  # now: so that an encoded + goes with its number
            text = self._own_masked(text)
        if "<<recipient>" in text or "<recipient>>" in text:
            text = _DOUBLE_MASK.sub(MASK, text)
        return text

    def _own_masked(self, text: str) -> str:
        if self._normalised is None or self._is_word or self._cannot_hold_own(text):
            return text
        if self._bare is None:
            return _own_expression(self._written.strip(), self._normalised).sub(MASK, text)
        return _own_number_expression(self._written.strip(), self._normalised).sub(MASK, text)

    def _own_word(self) -> re.Pattern[str] | None:
        """Where the recipient is no address and no number, and long enough to be looked for."""
        if not self._is_word or len(self._normalised) < _SHORTEST_WORD:
            return None
        return _own_word_expression(self._written.strip(), self._normalised)


def _is_number(bare: str | None) -> bool:
    """Whether a recipient, without its plus, is as long a number as a person can have."""
    return bare is not None and bare.isdigit() and len(bare) >= _FEWEST_DIGITS


def _everyone_masked(text: str, own_word: re.Pattern[str] | None) -> str:
    """Every address, every number that begins with +, and the own word masked, however it is encoded."""
    spans = []
    for reading in readings(text):
        found = [*_address_spans(reading.text), *_number_spans(reading.text)]
        if own_word is not None:
            found += (match.span() for match in own_word.finditer(reading.text))
        spans += [reading.written_span(start, end) for start, end in found]
    pieces, done = [], 0
    for start, end in sorted(spans):
        if start >= done:
            pieces += (text[done:start], MASK)
        done = max(done, end)
    return "".join((*pieces, text[done:]))


def _address_spans(text: str) -> Iterator[tuple[int, int]]:
    if "@" in text:
        for match in _ADDRESS.finditer(text):
            if match.lastgroup is not None:
                yield match.start(), match.start() + len(match[0].rstrip(".-"))


def _number_spans(text: str) -> Iterator[tuple[int, int]]:
    """`+15550100001 550` is a number and something else; `+1 (555) 010-0001` is one number."""
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
    """An expression for texts, the longest first, in which every character may be percent-encoded once or twice."""
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
    """Frozen: it enters keys."""
    return re.compile(_encodable((written, normalised)), re.IGNORECASE | re.ASCII)


@lru_cache(maxsize=4_096)
def _own_number_expression(written: str, normalised: str) -> re.Pattern[str]:
    """May improve: also the digits alone; a number inside a longer one is another number."""
    digits = normalised.lstrip("+")
    forms = (written, normalised, digits) if digits.isdigit() else (written, normalised)
    return re.compile(rf"(?<!\d)(?:{_encodable(forms)})(?!\d)", re.IGNORECASE | re.ASCII)


@lru_cache(maxsize=4_096)
def _own_word_expression(written: str, normalised: str) -> re.Pattern[str]:
    """May improve. Whole words: `none` is not in `nonetheless`."""
    forms = sorted({written, normalised}, key=lambda form: (-len(form), form))
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, forms))})(?!\w)", re.IGNORECASE)
