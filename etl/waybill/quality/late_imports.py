"""Delays the parts of Great Expectations that a validation does not use: each is imported at its first use.

Great Expectations imports all that it may ever need: every data source, expectation and metric, and the clients of
cloud stores. All code that runs is its own, so no part is missing. But the library finds a type of rule or a metric by
its name only after the module of that type is imported: `waybill.quality.rows` imports the types of Waybill's suites.
"""

import ast
import gc
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

PACKAGES_WITH_LATE_NAMES = (
    "great_expectations.datasource.fluent",
    "great_expectations.expectations",
    "great_expectations.expectations.core",
    "great_expectations.expectations.metrics",
    "great_expectations.expectations.metrics.query_metrics",
    "great_expectations.expectations.metrics.table_metrics",
    "great_expectations.metrics",
    "great_expectations.render",
)
"""The `__init__` of each of these imports its modules only to offer their names."""

LATE_MODULES = (
    "great_expectations.compatibility.aws",
    "great_expectations.compatibility.azure",
    "great_expectations.compatibility.google",
)
"""Great Expectations imports each of these as a module. To import a name from one would run its code at once."""


class _LateNames(SourceFileLoader):
    """Runs the `__init__` of a package without the imports whose names it does not use itself.

    Each of those names is imported when it is first read from the package.
    """

    def __init__(self, fullname: str, path: str) -> None:
        super().__init__(fullname, path)
        self._tree = ast.parse(self.get_data(path), path)
        used = {node.id for node in ast.walk(self._tree) if isinstance(node, ast.Name)}
        self._late = [
            node
            for node in self._tree.body
            if isinstance(node, ast.ImportFrom) and used.isdisjoint(name.asname or name.name for name in node.names)
        ]

    def get_code(self, fullname: str) -> CodeType:
        """Return the code without the late imports. It is never that of a file of bytecode, or written to one."""
        kept = [statement for statement in self._tree.body if statement not in self._late]
        return compile(ast.Module(kept, []), self.path, "exec")

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__getattr__"] = partial(self._read, module)
        super().exec_module(module)

    def _read(self, module: ModuleType, name: str) -> object:
        """Return a name that the package imports late."""
        for node in self._late:
            for offered in node.names:
                if name == (offered.asname or offered.name) or (offered.name == "*" and not name.startswith("_")):
                    source = import_module("." * node.level + (node.module or ""), module.__name__)
                    wanted = name if offered.name == "*" else offered.name
                    if hasattr(source, wanted):
                        vars(module)[name] = getattr(source, wanted)
                        return vars(module)[name]
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}", name=name, obj=module)


class _LateFinder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in PACKAGES_WITH_LATE_NAMES + LATE_MODULES:
            return None  # the next finder of sys.meta_path continues
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None or spec.origin is None:
            return None
        is_package = fullname in PACKAGES_WITH_LATE_NAMES
        spec.loader = _LateNames(fullname, spec.origin) if is_package else importlib.util.LazyLoader(spec.loader)
        return spec


@contextmanager
def imported_late() -> Iterator[None]:
    """Delay these imports within the block. Modules that are already imported do not change.

    The garbage collector does not run within the block, and afterwards it ignores all objects that exist by then.
    Otherwise it checks the objects of a thousand modules again and again, which takes a third of the time.
    """
    finder = _LateFinder()
    sys.meta_path.insert(0, finder)
    is_collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        gc.freeze()
        if is_collecting:
            gc.enable()
