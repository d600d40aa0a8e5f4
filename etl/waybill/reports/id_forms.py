"""Finds how the ids of two systems for the same things differ, by comparing samples of both."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple

LEAST_SHARED = 3
"""The least length of an id that is searched in a longer one, because a match of one digit proves nothing."""

_WRAPPERS = "<>()[]{}\"'`"
_URN = re.compile(r"(?i)^(?:urn:)?(?:uuid:|id:|mid:)")
_JOINT = re.compile(r"[^0-9A-Za-z]+")


class Difference(NamedTuple):
    """A difference between ids.

    :ivar what: the difference in words, to follow "they differ by"
    :ivar pairs: how many ids of one sample have a partner in the other
    :ivar one: an id of the first sample, unchanged
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


def _normal_form(text: str) -> str:
    return _without_zeros(_unwrapped(text).replace("-", "").casefold())


_FORMS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("upper and lower case", str.casefold),
    ("leading zeros", _without_zeros),
    ("characters around the id (spaces, <…>, quotes, braces, urn:)", _unwrapped),
    ("hyphens", lambda text: text.replace("-", "")),
    ("several of: case, leading zeros, hyphens, characters around the id", _normal_form),
)


def difference(ones: Collection[str], others: Collection[str]) -> Difference | None:
    """Return how the ids of two samples differ; None if no id of one sample is similar to an id of the other.

    If there are several differences, the result is the one with the most pairs, and then the simplest.
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
    """Yield differences by a prefix or a suffix in one of the samples: `.filter0001`, `@host`, `+0`, `.0`, `prod-`."""
    for longer, shorter, is_first in ((ones, others, True), (others, ones, False)):
        written = {_normal_form(text): text for text in shorter if len(text) >= LEAST_SHARED}
        for what, parts in (("suffix", _fronts), ("prefix", _backs)):
            pairs = []
            for text in longer:
                forms = map(_normal_form, parts(_unwrapped(text)))
                if partner := next((written[form] for form in forms if form in written), None):
                    pairs.append((text, partner))
            if pairs:
                text, partner = pairs[0]
                shown = (text, partner) if is_first else (partner, text)
                yield Difference(f"a {what} of the id", len(pairs), *shown)


def _fronts(text: str) -> Iterator[str]:
    for joint in _JOINT.finditer(text):
        if joint.start() >= LEAST_SHARED:
            yield text[: joint.start()]


def _backs(text: str) -> Iterator[str]:
    for joint in _JOINT.finditer(text):
        if len(text) - joint.end() >= LEAST_SHARED:
            yield text[joint.end() :]
