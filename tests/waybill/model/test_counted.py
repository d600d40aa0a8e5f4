"""Counts in messages."""

import pytest

from waybill.model.counted import counted


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 days were"), (1, "1 day was"), (2, "2 days were"), (1_000, "1,000 days were")]
)
def test_a_count_has_the_noun_and_the_verb_that_fit(count: int, words: str) -> None:
    assert counted(count, "day was", "days were") == words
