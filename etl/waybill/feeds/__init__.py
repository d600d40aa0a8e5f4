"""All feeds, by slug: found in the folders of this package (docs/decisions/0022-a-provider-is-a-folder.md)."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from waybill.feeds.base import Feed
from waybill.feeds.providers import folders_of


def feeds_of(package: ModuleType) -> dict[str, Feed]:
    """Return the feeds in the folders of a package, sorted by folder and file. Raises TypeError for a wrong feed."""
    return {feed.slug: feed for folder in folders_of(package) for feed in _feeds_in(f"{package.__name__}.{folder}")}


def _feeds_in(folder: str) -> Iterator[Feed]:
    provider = folder.rpartition(".")[2]
    for name in sorted(found.name for found in iter_modules(import_module(folder).__path__)):
        module = import_module(f"{folder}.{name}")
        for found in vars(module).values():
            if isinstance(found, type) and issubclass(found, Feed) and found.__module__ == module.__name__:
                expected = (provider, f"{provider}_{name}")
                if (found.provider, found.slug) != expected:
                    raise TypeError(
                        f"{module.__file__}: {found.__name__} must set provider and slug to the names of its folder "
                        f"and file: {' and '.join(map(repr, expected))}"
                    )
                yield found()


FEEDS = feeds_of(sys.modules[__name__])
