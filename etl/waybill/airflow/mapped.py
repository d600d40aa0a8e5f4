"""Mapped tasks: their labels, and what passes between them."""

from typing import TypeVar

import msgspec
from airflow.sdk import get_current_context

from waybill.model.errors import UsageError

Kind = TypeVar("Kind", bound=msgspec.Struct)


def label(text: str) -> None:
    """Name the mapped task that runs now, for the UI."""
    get_current_context()["label"] = text


def to_xcom(value: msgspec.Struct) -> dict:
    """A struct as plain JSON."""
    return msgspec.to_builtins(value)


def from_xcom(value: dict, kind: type[Kind]) -> Kind:
    """The struct again."""
    return msgspec.convert(value, kind)


def needed(value: dict | None, step: str) -> dict:
    """What a step before this one returned. Raises UsageError where it did not come to its end."""
    if value is None:
        raise UsageError(f"{step} did not come to its end: there is nothing to publish. See its log.")
    return value
