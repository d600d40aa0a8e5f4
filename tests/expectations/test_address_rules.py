"""The gate searches for addresses in every column that may contain a text of a provider."""

import re

import pytest

from waybill.installed_files import EXPECTATIONS
from waybill.model.columns import Holds
from waybill.model.event import COLUMNS

CURRENCY = {"currency"}
"""A code of three letters: it is redacted like the others, but the gate does not search it."""


def columns_searched() -> list[set[str]]:
    """Return the columns of each list of texts that the suite of the staging table searches."""
    (file,) = EXPECTATIONS.glob("event_staging.*")
    found = re.findall(r"concat_ws\(\s*' ',([^()]*(?:\([^()]*\)[^()]*)*)\)", file.read_text())
    words = [set(re.findall(r"[a-z_]+", re.sub(r"'[^']*'|array_to_string|::text", "", listed))) for listed in found]
    return [listed & COLUMNS.keys() for listed in words]


@pytest.mark.parametrize(
    "kinds", [{Holds.CODE, Holds.TEXT}, {Holds.IDENTIFIER, Holds.LABEL}, {Holds.TREE}], ids=["texts", "ids", "tags"]
)
def test_the_gate_searches_every_column_of_this_kind(kinds: set[Holds]) -> None:
    expected = {name for name, column in COLUMNS.items() if column.holds in kinds} - CURRENCY
    assert len(expected) > 1
    assert columns_searched().count(expected) >= 2
