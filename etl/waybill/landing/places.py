"""The places of LANDING_URL, INBOX_URL and paths: on this machine, or in an object store."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import fsspec
from upath import UPath

from waybill.model.errors import ConfigurationError, WaybillError
from waybill.warehouse.connection import without_password

EXTRAS = {
    **dict.fromkeys(("s3", "s3a"), "s3"),
    **dict.fromkeys(("gs", "gcs"), "gcs"),
    **dict.fromkeys(("abfs", "abfss", "az"), "azure"),
}
"""Schemes of object stores, and the extra of Waybill with the package for each."""

_STORES = ("s3://…", "gs://…", "abfs://…")
"""One scheme of each object store, for messages."""

Place = Path | UPath
"""A file or folder on this machine (Path), or an object or a prefix in an object store (UPath)."""

_LONGEST_REASON = 200
_BLOCK = 1 << 18


def place(url: str, setting: str = "") -> Place:
    """Return the place of a path or URL. A place on this machine is a Path, also for `file://`.

    :param setting: the name of the setting with the URL; empty for an argument of a command
    :raises ConfigurationError: the kind of place is unknown, or its package is missing
    """
    named = f"{setting}={without_password(url)}" if setting else without_password(url)
    try:
        found = UPath(url)
        if found.protocol in ("", "file", "local"):
            return Path(found.path)
        fsspec.get_filesystem_class(found.protocol)
        return found
    except ImportError:
        scheme = url.partition("://")[0]
        extra = EXTRAS.get(scheme)
        remedy = (
            f"Install Waybill with its extra: pip install 'waybill[{extra}]'. requirements.lock, and so the image, "
            "has it."
            if extra
            else "Install the package of fsspec for it."
        )
        raise ConfigurationError(f"{named}: the package for {scheme}:// is not installed. {remedy}") from None
    except (ValueError, AttributeError) as error:
        raise ConfigurationError(
            f"{named} cannot be used as a place: {error}. Use a folder, or {', '.join(_STORES)}."
        ) from None


def is_object_store(found: Place) -> bool:
    """Whether a place has no real folders: folders are parts of names, and nothing can be renamed."""
    return not isinstance(found, Path) and found.protocol in EXTRAS


def open_bytes(found: Place) -> BinaryIO:
    """Open a file or an object for buffered reading."""
    return found.open("rb") if isinstance(found, Path) else io.BufferedReader(found.fs.open(found.path, "rb"), _BLOCK)


@contextmanager
def failures_as(error_of: Callable[[str], WaybillError], found: Place) -> Iterator[None]:
    """Raise an error at a place as a WaybillError. Clients of object stores have no common base of errors.

    :param error_of: returns the error for a reason
    """
    try:
        yield
    except WaybillError:
        raise
    except OSError as error:
        raise error_of(reason_of(error)) from error
    except Exception as error:
        if isinstance(found, Path):
            raise
        raise error_of(reason_of(error)) from error


def reason_of(error: Exception) -> str:
    """Return the reason of a failure on one line."""
    unsupported = "it does not support this" if isinstance(error, NotImplementedError) else type(error).__name__
    text = getattr(error, "strerror", None) or str(error) or unsupported
    return text.strip().split("\n", 1)[0][:_LONGEST_REASON]
