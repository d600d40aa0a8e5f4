"""Mapped tasks: their labels, and the values that they pass to each other."""

from typing import Any, TypeVar

import msgspec
from airflow.sdk import get_current_context

from waybill.model.errors import UsageError

Kind = TypeVar("Kind", bound=msgspec.Struct)
Value = TypeVar("Value")


def label(text: str) -> None:
    """Name the mapped task that runs now, for the UI."""
    # its map_index_template reads this key
    get_current_context()["label"] = text  # type: ignore[typeddict-unknown-key]


def to_xcom(value: msgspec.Struct) -> dict[str, Any]:
    """Returns a struct as plain JSON."""
    found: dict[str, Any] = msgspec.to_builtins(value)
    return found


def from_xcom(value: dict[str, Any], kind: type[Kind]) -> Kind:
    """Returns the struct that `to_xcom` made plain."""
    return msgspec.convert(value, kind)


def needed(value: Value | None, step: str) -> Value:
    """Returns what an earlier step returned. Raises UsageError if that step did not finish."""
    if value is None:
        raise UsageError(f"{step} did not finish: there is nothing to publish. See its log.")
    return value
