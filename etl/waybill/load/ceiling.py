"""The ceiling of rejected records: which objects of a load are held back, so that the others can be loaded."""

from collections.abc import Iterable, Mapping, Sequence

from waybill.ledger.counts import ObjectCounts
from waybill.ledger.summary import most_frequent

REJECTED_AT_LEAST = 20
"""So many rejected records of a load never stop it, whatever their share."""

MOST_REJECTED = 10_000
MOST_REJECTED_BYTES = 64 << 20
"""An object is read no further once so many of its records, or so many bytes of them, were rejected, and those are
more than half of what was read: it is no file of this feed, and all of it would have to be kept."""

NAMED = 10
"""Objects that a message names."""


def is_hopeless(counts: ObjectCounts, ceiling: float) -> bool:
    """Whether an object need not be read any further."""
    return (
        ceiling < 1
        and counts.rejected_count > REJECTED_AT_LEAST
        and counts.rejected_count * 2 > counts.record_count
        and (counts.rejected_count >= MOST_REJECTED or counts.rejected_bytes >= MOST_REJECTED_BYTES)
    )


def is_unreadable(counts: ObjectCounts, ceiling: float) -> bool:
    """Whether nothing at all of an object could be read. An empty one is fine; so is one without outbound messages."""
    return ceiling < 1 and (counts.is_cut_short or 0 < counts.record_count == counts.rejected_count)


def is_above(counts: Iterable[ObjectCounts], ceiling: float) -> bool:
    """Whether these objects together bring more rejected records than the ceiling allows."""
    found = list(counts)
    rejected = sum(one.rejected_count for one in found)
    return rejected > REJECTED_AT_LEAST and rejected > ceiling * sum(one.record_count for one in found)


def held_back(objects: Mapping[int, ObjectCounts], ceiling: float) -> set[int]:
    """The objects of a load that must not be loaded: those of which nothing could be read; and, where the others
    together are above the ceiling, each of them that is above its share."""
    found = {number for number, counts in objects.items() if is_unreadable(counts, ceiling)}
    others = {number: counts for number, counts in objects.items() if number not in found}
    if is_above(others.values(), ceiling):
        found |= {n for n, counts in others.items() if counts.rejected_count > ceiling * counts.record_count}
    return found


def told_held_back(found: Sequence[ObjectCounts], ceiling: float) -> str:
    """Which objects are held back, and why, in words."""
    told = [_told(counts, ceiling) for counts in found[:NAMED]]
    if len(found) > NAMED:
        told.append(f"and {len(found) - NAMED} more objects")
    return "; ".join(told)


def _told(counts: ObjectCounts, ceiling: float) -> str:
    reasons = most_frequent(counts.reasons)
    if counts.is_cut_short:
        return (
            f"{counts.name}: {counts.rejected_count:,} of its first {counts.record_count:,} records were rejected, and "
            f"it was read no further: {reasons}"
        )
    told = f"{counts.name}: {counts.rejected_count} of {counts.record_count} records were rejected"
    if counts.rejected_count == counts.record_count:
        return f"{told}, so nothing of it could be read: {reasons}"
    return f"{told}, more than REJECTED_CEILING={ceiling:g} allows: {reasons}"
