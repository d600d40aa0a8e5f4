"""The roles of event columns: how a column merges, what it may contain, and whether it is part of a key.

A column names its roles beside its type. Merging, redaction, the bounds of keys and the stored columns follow from
them.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import get_type_hints

import msgspec


class Merge(Enum):
    """Which value the merged event has. All operations commute, so the order of sightings does not matter."""

    SAME = auto()
    """All sightings of the event have the same value: it is part of the identity."""
    EARLIEST = auto()
    LEAST = auto()
    """The least text in bytes of UTF-8."""
    MOST = auto()
    """The greatest number; of two flags, True."""
    GREATEST = auto()
    """The greatest value in bytes: UTF-8 of a text, sorted JSON of any other value."""
    EACH_NAME = auto()
    """All names of both objects; for a name in both, the greatest value in bytes."""
    BEST_SOURCE = auto()
    """`<x>_id` and `<x>_source` together, from the best source."""
    WITH_RECIPIENT = auto()
    """All such columns together, from the sighting with the greatest recipient_key."""
    DERIVED = auto()
    """Empty after a merge: `Feed.derive` fills it."""


class Holds(Enum):
    """What a column may contain. The redaction follows from it."""

    OWN = auto()
    """Words of Waybill, hashes, numbers and times: nothing that a provider or a person wrote."""
    IDENTIFIER = auto()
    """An id that is part of keys: hashed as a whole if it contains a person."""
    LABEL = auto()
    """An id that joins nothing: hashed as a whole if it contains a person, or the own number without its plus."""
    CODE = auto()
    """A word of the provider: an address or a number in it becomes `<recipient>`."""
    TEXT = auto()
    """A text of a person or a machine: as CODE; a recipient that is a word becomes `<recipient>`, too."""
    TREE = auto()
    """Lists and objects with such texts inside, also as names."""
    ADDRESS = auto()
    """The clear address, which is not stored with facts."""


@dataclass(frozen=True)
class Key:
    """A text that is part of a key or an index of facts or reports.

    :ivar longest_bytes: in UTF-8; a record with a longer text is rejected
    """

    longest_bytes: int


@dataclass(frozen=True)
class Column:
    """The roles of one column."""

    merge: Merge
    holds: Holds
    key: Key | None


def columns_of(struct: type[msgspec.Struct]) -> dict[str, Column]:
    """Return the roles of all columns of a struct, by name, in order.

    :raises TypeError: a column does not name exactly one Merge and one Holds, or is an id without a Key
    """
    hints = get_type_hints(struct, include_extras=True)
    return {name: _column(f"{struct.__name__}.{name}", hints[name]) for name in struct.__struct_fields__}


def _column(name: str, hint: object) -> Column:
    roles = getattr(hint, "__metadata__", ())
    merges = [role for role in roles if isinstance(role, Merge)]
    holds = [role for role in roles if isinstance(role, Holds)]
    keys = [role for role in roles if isinstance(role, Key)]
    if len(merges) != 1 or len(holds) != 1 or len(keys) > 1:
        raise TypeError(
            f"{name} must name one Merge and one Holds beside its type, such as "
            "Annotated[str | None, Merge.GREATEST, Holds.TEXT]"
        )
    if holds[0] in (Holds.IDENTIFIER, Holds.LABEL) and not keys:
        raise TypeError(f"{name} holds an id, so it must name its bound, such as Key(longest_bytes=1_000)")
    return Column(merges[0], holds[0], keys[0] if keys else None)
