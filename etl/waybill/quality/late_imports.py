"""Modules that Great Expectations imports and that a validation does not use: their code runs at their first use.

Great Expectations imports everything it can do. Half of that time goes to scipy and altair (statistics of columns and
their charts) and to the clients of cloud stores, where they are installed. `importlib.util.LazyLoader` of the standard
library makes such a module at once and runs its code when somebody looks at one of its attributes, so nothing is
missing: whatever uses the module finds the real one.
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
"""Great Expectations imports each of these as a whole module: a `from … import` of a class would load it at once."""


class _LateFinder(MetaPathFinder):
    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target) if fullname in self._names else None
        if spec is None or spec.loader is None:
            return None  # the other finders answer
        spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


@contextmanager
def imported_late(names: Sequence[str] = NOT_USED_TO_VALIDATE) -> Iterator[None]:
    """Within the block, an import of one of these modules runs its code at the first use only, here or afterwards.

    A module that was imported before stays as it is.
    """
    finder = _LateFinder(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
