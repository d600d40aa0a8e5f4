"""Delays imports of Great Expectations that a validation does not use: the code of such a module runs at its first use.

Great Expectations imports all that it may ever need. Half of that time goes to scipy and altair (statistics of columns
and their charts) and to the clients of cloud stores, if they are installed. `importlib.util.LazyLoader` of the standard
library creates such a module at once and runs its code at the first access to an attribute, so nothing is missing.
"""

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

NOT_USED_TO_VALIDATE = (
    "altair",
    "great_expectations.compatibility.azure",
    "great_expectations.compatibility.google",
    "scipy.stats",
)
"""Great Expectations imports each of these with `import`. A `from … import` of a class would run its code at once."""


class _LateFinder(MetaPathFinder):
    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target) if fullname in self._names else None
        if spec is None or spec.loader is None:
            return None  # the next finder of sys.meta_path continues
        spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


@contextmanager
def imported_late(names: Sequence[str] = NOT_USED_TO_VALIDATE) -> Iterator[None]:
    """Delay imports of these modules within the block: their code runs at their first use, in the block or later.

    Modules that are already imported do not change.
    """
    finder = _LateFinder(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
