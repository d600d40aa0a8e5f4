"""What LANDING_URL, INBOX_URL and paths name: a place on this machine, or one in an object store."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec
from upath import UPath

from waybill.model.errors import ConfigurationError, WaybillError
from waybill.warehouse.connection import without_password

EXTRAS = {
    **dict.fromkeys(("s3", "s3a"), "s3"),
    **dict.fromkeys(("gs", "gcs"), "gcs"),
    **dict.fromkeys(("abfs", "abfss", "az"), "azure"),
}
"""Schemes of object stores, and the extra of Waybill that brings the package for each."""

_LONGEST_REASON = 200


def place(url: str) -> UPath:
    """The place that a path or URL names. One on this machine is a `pathlib.Path`, also where it is written `file://`.

    :raises ConfigurationError: there is no such kind of place, or the package for it is missing
    """
    try:
        found = UPath(url)
        if found.protocol in ("file", "local"):
            return Path(found.path)
        if not isinstance(found, Path):
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
        raise ConfigurationError(
            f"{without_password(url)}: the package for {scheme}:// is not installed. {remedy}"
        ) from None
    except (ValueError, AttributeError) as error:
        raise ConfigurationError(f"{without_password(url)} names no place that can be used: {error}.") from None


def is_object_store(found: UPath) -> bool:
    """Whether names with slashes are all the folders that there are: none is made, and none can be renamed."""
    return not isinstance(found, Path) and found.protocol in EXTRAS


@contextmanager
def failures_as(error_of: Callable[[str], WaybillError], found: UPath) -> Iterator[None]:
    """Raise what fails at a place as an error that says so. Clients of object stores have no common kind of error.

    :param error_of: makes the error from the reason
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
    """Why something failed, on one line."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text.strip().split("\n", 1)[0][:_LONGEST_REASON]
