"""The ceiling of rejected records: which objects of a load are held back, so that the others are loaded."""

from collections.abc import Iterable, Mapping, Sequence

from waybill.ledger.counts import ObjectCounts
from waybill.ledger.summary import most_frequent
from waybill.model.counted import counted

REJECTED_AT_LEAST = 20
"""Up to this number, rejected records never stop a load, whatever their share is."""

MOST_REJECTED = 10_000
MOST_REJECTED_BYTES = 64 << 20
"""Reading an object stops after so many rejected records, or bytes of them, if they are more than half of all its
records: it is not a file of this feed, and every rejected record would be stored."""

MOST_NAMED = 10
"""How many objects a message names."""


def is_hopeless(counts: ObjectCounts, ceiling: float) -> bool:
    """Return whether reading of an object can stop, because nearly all its records are rejected."""
    return (
        ceiling < 1
        and counts.rejected_count > REJECTED_AT_LEAST
        and counts.rejected_count * 2 > counts.record_count
        and (counts.rejected_count >= MOST_REJECTED or counts.rejected_bytes >= MOST_REJECTED_BYTES)
    )


def is_unreadable(counts: ObjectCounts, ceiling: float) -> bool:
    """Return whether every record of an object was rejected. An empty object, or one without outbound messages, is
    readable."""
    return ceiling < 1 and (counts.is_cut_short or 0 < counts.record_count == counts.rejected_count)


def is_above(counts: Iterable[ObjectCounts], ceiling: float) -> bool:
    """Return whether these objects together have more rejected records than the ceiling allows."""
    found = list(counts)
    rejected = sum(one.rejected_count for one in found)
    return rejected > REJECTED_AT_LEAST and rejected > ceiling * sum(one.record_count for one in found)


def held_back(objects: Mapping[int, ObjectCounts], ceiling: float) -> set[int]:
    """Return the objects of a load that must not be loaded.

    An object must not be loaded if all its records were rejected. The other objects are counted together: if they are
    above the ceiling, each of them that is above the ceiling by itself must not be loaded either.
    """
    found = {number for number, counts in objects.items() if is_unreadable(counts, ceiling)}
    others = {number: counts for number, counts in objects.items() if number not in found}
    if is_above(others.values(), ceiling):
        found |= {n for n, counts in others.items() if counts.rejected_count > ceiling * counts.record_count}
    return found


def reasons_held_back(found: Sequence[ObjectCounts], ceiling: float) -> str:
    """Return which objects are held back and why, in words."""
    reasons = [_reason(counts, ceiling) for counts in found[:MOST_NAMED]]
    if len(found) > MOST_NAMED:
        reasons.append(f"and {counted(len(found) - MOST_NAMED, 'more object', 'more objects')}")
    return "; ".join(reasons)


def _reason(counts: ObjectCounts, ceiling: float) -> str:
    reasons = most_frequent(counts.reasons)
    if counts.is_cut_short:
        return (
            f"{counts.name}: {counts.rejected_count:,} of its first {counts.record_count:,} records were rejected, so "
            f"reading stopped: {reasons}"
        )
    of = counted(counts.record_count, "record", "records")
    was = "was" if counts.rejected_count == 1 else "were"
    share = f"{counts.name}: {counts.rejected_count} of {of} {was} rejected"
    if counts.rejected_count == counts.record_count:
        return f"{share}, so nothing was loaded from it: {reasons}"
    return f"{share}, more than REJECTED_CEILING={ceiling:g} allows: {reasons}"
