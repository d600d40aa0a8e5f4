"""The columns of a table, recognised in any spelling of their names."""

import re
from collections import Counter
from collections.abc import Sequence

from waybill.model.errors import SourceError

_BETWEEN_WORDS = re.compile(r"[\W_]+")
_REMEMBERED = 10_000


class Columns:
    """The required and the known columns of a table.

    :ivar required: columns that the table must have
    :ivar known: all columns with a meaning
    """

    def __init__(self, required: Sequence[str], known: Sequence[str] = ()) -> None:
        self.required = tuple(required)
        self.known = frozenset((*required, *known))
        self._by_letters = {_letters(name): name for name in self.known}
        self._found: dict[str, str | None] = {}

    def name_of(self, written: str) -> str | None:
        """Return the known column of a name: `Dispatch ID`, `DISPATCH_ID` and `dispatchId` are dispatch_id; else
        None."""
        if written not in self._found:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            self._found[written] = self._by_letters.get(_letters(written))
        return self._found[written]

    def missing(self, names: Sequence[str]) -> list[str]:
        """Return the required columns that are not among the names."""
        return [name for name in self.required if name not in names]

    def check(self, names: Sequence[str], expected: str) -> None:
        """Raise SourceError if a column is missing or named more than once."""
        doubled = sorted(name for name, count in Counter(names).items() if name and count > 1)
        if doubled:
            known = [name for name in doubled if name in self.known]
            raise SourceError(
                f"The table names the column {', '.join(known or doubled[:5])} more than once, so it is ambiguous. "
                "Nothing of it was loaded."
            )
        if missing := self.missing(names):
            raise SourceError(
                f"The table has no column {', '.join(missing)}. {expected} ({', '.join(self.required)} and others); "
                "nothing of it was loaded."
            )


def _letters(name: str) -> str:
    return _BETWEEN_WORDS.sub("", name).lower()
