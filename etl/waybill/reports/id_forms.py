"""How ids of two systems that name the same thing differ, found by comparing samples of both."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple

LEAST_SHARED = 3
"""Characters of the shorter id, where the longer one has something before or behind it: one digit proves nothing."""

_WRAPPERS = "<>()[]{}\"'`"
_URN = re.compile(r"(?i)^(?:urn:)?(?:uuid:|id:|mid:)")
_JOINT = re.compile(r"[^0-9A-Za-z]+")


class Difference(NamedTuple):
    """What is different.

    :ivar what: in words, to follow upon "they differ by"
    :ivar pairs: how many ids of one sample have a partner in the other
    :ivar one: an id of the first sample, as it is written
    :ivar other: its partner
    """

    what: str
    pairs: int
    one: str
    other: str


def _unwrapped(text: str) -> str:
    printed = "".join(char for char in text if char.isprintable() and not char.isspace())
    return _URN.sub("", printed.strip(_WRAPPERS))


def _without_zeros(text: str) -> str:
    return text.lstrip("0") or text


def _plain(text: str) -> str:
    return _without_zeros(_unwrapped(text).replace("-", "").casefold())


_FORMS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("capital and small letters", str.casefold),
    ("zeros in front", _without_zeros),
    ("what is around the id (spaces, <…>, quotes, braces, urn:)", _unwrapped),
    ("hyphens", lambda text: text.replace("-", "")),
    ("several of: letters, zeros in front, hyphens, spaces and marks around the id", _plain),
)


def difference(ones: Collection[str], others: Collection[str]) -> Difference | None:
    """How ids of two samples differ; None: no id of one looks like one of the other.

    Of several ways, the one that most ids have; of as many, the plainest.
    """
    found = [*_by_form(ones, others), *_by_affix(ones, others)]
    return max(found, key=lambda one: one.pairs, default=None)


def _by_form(ones: Iterable[str], others: Iterable[str]) -> Iterator[Difference]:
    for what, form in _FORMS:
        written = {form(other): other for other in others}
        pairs = [(one, written[form(one)]) for one in ones if form(one) in written]
        if pairs := [(one, other) for one, other in pairs if one != other]:
            yield Difference(what, len(pairs), *pairs[0])


def _by_affix(ones: Collection[str], others: Collection[str]) -> Iterator[Difference]:
    """Ids with something before or behind them, on either side: `.filter0001`, `@host`, `+0`, `.0`, `prod-`."""
    for longer, shorter, is_first in ((ones, others, True), (others, ones, False)):
        written = {_plain(text): text for text in shorter if len(text) >= LEAST_SHARED}
        for what, parts in (("behind", _fronts), ("before", _backs)):
            pairs = []
            for text in longer:
                if partner := next((written[_plain(p)] for p in parts(_unwrapped(text)) if _plain(p) in written), None):
                    pairs.append((text, partner))
            if pairs:
                text, partner = pairs[0]
                shown = (text, partner) if is_first else (partner, text)
                yield Difference(f"what stands {what} the id", len(pairs), *shown)


def _fronts(text: str) -> Iterator[str]:
    for joint in _JOINT.finditer(text):
        if joint.start() >= LEAST_SHARED:
            yield text[: joint.start()]


def _backs(text: str) -> Iterator[str]:
    for joint in _JOINT.finditer(text):
        if len(text) - joint.end() >= LEAST_SHARED:
            yield text[joint.end() :]
