"""The ceiling of rejected records: which objects of a load are held back, so that the others can be loaded."""

from collections.abc import Iterable, Mapping, Sequence

from waybill.ledger.books import ObjectBooks
from waybill.ledger.summary import told_reasons

REJECTED_AT_LEAST = 20
"""So many rejected records of a load never stop it, whatever their share."""

MOST_REJECTED = 10_000
MOST_REJECTED_BYTES = 64 << 20
"""An object is read no further once so many of its records, or so many bytes of them, were rejected, and those are
more than half of what was read: it is no file of this feed, and all of it would have to be kept."""

NAMED = 10
"""Objects that a message names."""


def is_hopeless(books: ObjectBooks, ceiling: float) -> bool:
    """Whether an object need not be read any further."""
    return (
        ceiling < 1
        and books.rejected_count > REJECTED_AT_LEAST
        and books.rejected_count * 2 > books.record_count
        and (books.rejected_count >= MOST_REJECTED or books.rejected_bytes >= MOST_REJECTED_BYTES)
    )


def is_unreadable(books: ObjectBooks, ceiling: float) -> bool:
    """Whether nothing at all of an object could be read. An empty one is fine; so is one without outbound messages."""
    return ceiling < 1 and (books.is_cut_short or 0 < books.record_count == books.rejected_count)


def is_above(books: Iterable[ObjectBooks], ceiling: float) -> bool:
    """Whether these objects together bring more rejected records than the ceiling allows."""
    found = list(books)
    rejected = sum(one.rejected_count for one in found)
    return rejected > REJECTED_AT_LEAST and rejected > ceiling * sum(one.record_count for one in found)


def held_back(objects: Mapping[int, ObjectBooks], ceiling: float) -> set[int]:
    """The objects of a load that must not be loaded: those of which nothing could be read; and, where the others
    together are above the ceiling, each of them that is above its share."""
    found = {number for number, books in objects.items() if is_unreadable(books, ceiling)}
    others = {number: books for number, books in objects.items() if number not in found}
    if is_above(others.values(), ceiling):
        found |= {n for n, books in others.items() if books.rejected_count > ceiling * books.record_count}
    return found


def told_held_back(found: Sequence[ObjectBooks], ceiling: float) -> str:
    """Which objects are held back, and why, in words."""
    told = [_told(books, ceiling) for books in found[:NAMED]]
    if len(found) > NAMED:
        told.append(f"and {len(found) - NAMED} more objects")
    return "; ".join(told)


def _told(books: ObjectBooks, ceiling: float) -> str:
    reasons = told_reasons(books.reasons)
    if books.is_cut_short:
        return (
            f"{books.name}: {books.rejected_count:,} of its first {books.record_count:,} records were rejected, and it "
            f"was read no further: {reasons}"
        )
    told = f"{books.name}: {books.rejected_count} of {books.record_count} records were rejected"
    if books.rejected_count == books.record_count:
        return f"{told}, so nothing of it could be read: {reasons}"
    return f"{told}, more than REJECTED_CEILING={ceiling:g} allows: {reasons}"
