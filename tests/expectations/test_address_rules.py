"""The gate searches for addresses in every column that may contain a text of a provider."""

import re
import typing

import pytest

from tests.expectations.test_event_staging import BAD
from waybill.model.columns import Holds
from waybill.model.event import COLUMNS, EventDraft
from waybill.quality.suites import NO_SHAPE, expectations

OWN_WORDS = {
    *("channel", "event_type", "provider", "feed", "account", "campaign_source", "template_source"),
    *("mailbox_provider", "country", "failure_class", "failure_reason", "not_sent_category", "machine_rule"),
}
"""Texts in words of Waybill, which other rules and the checks of settings limit."""


def columns_searched(rule: str) -> list[set[str]]:
    """Return the columns of each list that a rule of the staging table searches."""
    (found,) = [one for one in expectations("event_staging", NO_SHAPE) if one["meta"]["rule"] == rule]
    lists = re.findall(r"concat_ws\(' ', ([^()]*)\)", str(found["kwargs"]["condition"]))
    assert len(lists) > 1
    return [set(re.findall(r"(\w+)::text", listed)) for listed in lists]


@pytest.mark.parametrize(
    ("rule", "kinds"),
    [
        ("no_address_in_texts", {Holds.CODE, Holds.TEXT}),
        ("no_address_in_ids", {Holds.IDENTIFIER, Holds.LABEL}),
        ("no_address_in_tags", {Holds.TREE}),
    ],
)
def test_the_gate_searches_every_column_of_this_kind(rule: str, kinds: set[Holds]) -> None:
    expected = {name for name, column in COLUMNS.items() if column.holds in kinds}
    assert all(searched == expected for searched in columns_searched(rule))
    assert {name for row in BAD[rule] for name in row} == expected, "each column needs a bad row"


def test_every_text_is_searched_but_the_words_of_waybill_and_the_address_that_is_not_stored() -> None:
    hints = typing.get_type_hints(EventDraft)
    texts = {
        name
        for name in COLUMNS
        if any(kind in (str, list[str], dict[str, object]) for kind in (hints[name], *typing.get_args(hints[name])))
    }
    rules = ("no_address_in_texts", "no_address_in_ids", "no_address_in_tags")
    assert texts - {"recipient"} - set().union(*(columns_searched(rule)[0] for rule in rules)) == OWN_WORDS
