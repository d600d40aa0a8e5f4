"""All providers by slug: the data sheets `provider.py` in the folders of this package."""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from waybill.model.provider import MessageIds, Provider


def folders_of(package: ModuleType) -> list[str]:
    """Return the names of the packages in a package, sorted."""
    return sorted(found.name for found in iter_modules(package.__path__) if found.ispkg)


def providers_of(package: ModuleType) -> dict[str, Provider]:
    """Return the sheet of each folder. Raises TypeError with the file of a wrong sheet and what it lacks."""
    return {slug: _sheet(f"{package.__name__}.{slug}") for slug in folders_of(package)}


def _sheet(folder: str) -> Provider:
    name = f"{folder}.provider"
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise TypeError(f"{_file(name)} is missing: the provider's data sheet") from None
    except TypeError as error:
        raise TypeError(f"{_file(name)}: {error}") from error
    found = getattr(module, "PROVIDER", None)
    if not isinstance(found, Provider):
        raise TypeError(f"{_file(name)} must set PROVIDER, a Provider")
    return found


def _file(module: str) -> str:
    return f"{module.replace('.', '/')}.py"


PROVIDERS = providers_of(import_module("waybill.feeds"))
MESSAGE_IDS: dict[str, MessageIds] = {
    slug: provider.message_ids for slug, provider in PROVIDERS.items() if provider.message_ids is not None
}
"""The providers whose messages a row of the dispatch log can name."""
