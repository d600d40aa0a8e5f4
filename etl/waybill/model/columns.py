"""The roles of the columns of the event: how two sightings of one event merge, and what a column may hold.

A column names its roles beside its type. Merging, redaction, the bounds of keys and the stored columns follow from
them.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import get_type_hints

import msgspec


class Merge(Enum):
    """Which value the merged event has. Every operation commutes, so that the order of sightings cannot matter."""

    SAME = auto()
    """Every sighting of the event has the same value: it belongs to the identity."""
    EARLIEST = auto()
    LEAST = auto()
    """The least text in bytes of UTF-8."""
    MOST = auto()
    """The greatest number; of two flags, True."""
    GREATEST = auto()
    """The greatest value in bytes: UTF-8 of a text, sorted JSON of anything else."""
    EACH_NAME = auto()
    """All names of both objects; of a name in both, the greatest value in bytes."""
    BEST_SOURCE = auto()
    """`<x>_id` and `<x>_source` together, from the best source."""
    WITH_RECIPIENT = auto()
    """All such columns together, from the sighting with the greatest recipient_key."""
    DERIVED = auto()
    """Empty: `Feed.derive` fills it from the merged columns."""


class Holds(Enum):
    """What a column may hold, and with that, how it is redacted."""

    OWN = auto()
    """Our own words, hashes, numbers and times: nothing that a provider or a person wrote."""
    IDENTIFIER = auto()
    """An id that enters keys: hashed whole where it holds a person."""
    LABEL = auto()
    """An id that joins nothing: hashed whole, also where it holds the recipient's number without its plus."""
    CODE = auto()
    """A word of the provider: an address or a number in it becomes `<recipient>`."""
    TEXT = auto()
    """A text of a person or a machine: so does a recipient that is neither an address nor a number."""
    TREE = auto()
    """Lists and objects with such texts inside, names included."""
    ADDRESS = auto()
    """The clear address: it is not stored with facts."""


@dataclass(frozen=True)
class Key:
    """A text that enters a key or an index of facts or reports.

    :ivar longest_bytes: in UTF-8; a longer one rejects its record
    """

    longest_bytes: int


@dataclass(frozen=True)
class Column:
    """The roles of one column."""

    merge: Merge
    holds: Holds
    key: Key | None


def columns_of(struct: type[msgspec.Struct]) -> dict[str, Column]:
    """The roles of all columns of a struct, by name, in order.

    :raises TypeError: a column names no or two ways to merge, does not say what it holds, or is an id without a bound
    """
    hints = get_type_hints(struct, include_extras=True)
    return {name: _column(f"{struct.__name__}.{name}", hints[name]) for name in struct.__struct_fields__}


def _column(name: str, hint: object) -> Column:
    roles = getattr(hint, "__metadata__", ())
    merges, holds, keys = ([role for role in roles if isinstance(role, kind)] for kind in (Merge, Holds, Key))
    if len(merges) != 1 or len(holds) != 1 or len(keys) > 1:
        raise TypeError(
            f"{name} must name one Merge and one Holds beside its type, such as "
            "Annotated[str | None, Merge.GREATEST, Holds.TEXT]"
        )
    if holds[0] in (Holds.IDENTIFIER, Holds.LABEL) and not keys:
        raise TypeError(f"{name} holds an id, so it must name its bound, such as Key(longest_bytes=1_000)")
    return Column(merges[0], holds[0], keys[0] if keys else None)
