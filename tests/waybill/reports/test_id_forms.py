"""Ids that two systems write differently are recognised, and ids of different things are not."""

import pytest

from waybill.reports.id_forms import difference

IDS = ("0a1f-7c22-9e", "0b2e-8d33-1f", "0c3d-9e44-2a")


@pytest.mark.parametrize(
    ("theirs", "what"),
    [
        (str.upper, "capital and small letters"),
        (lambda text: text.lstrip("0"), "zeros in front"),
        (lambda text: f"<{text}>", "what is around the id"),
        (lambda text: f'"{text}" ', "what is around the id"),
        (lambda text: "{" + text + "}", "what is around the id"),
        (lambda text: f"urn:uuid:{text}", "what is around the id"),
        (lambda text: text.replace("-", ""), "hyphens"),
        (lambda text: "{" + text.upper() + "}", "several of"),
        (lambda text: f"{text}.filter0307p1las1-5812-1", "what stands behind the id"),
        (lambda text: f"<{text.upper()}@mail.example.com>", "what stands behind the id"),
        (lambda text: f"{text}+0", "what stands behind the id"),
        (lambda text: f"{text}.0", "what stands behind the id"),
        (lambda text: f"prod:{text}", "what stands before the id"),
    ],
)
def test_what_is_different_is_named_whichever_side_it_is_on(theirs, what: str) -> None:
    others = [theirs(text) for text in IDS]
    found = difference(IDS, others)
    assert found.what.startswith(what)
    assert (found.pairs, found.one, found.other) == (3, IDS[0], others[0])
    turned = difference(others, IDS)
    assert turned.what.startswith(what)
    assert (turned.pairs, turned.one, turned.other) == (3, others[0], IDS[0])


def test_the_plainest_way_that_fits_most_ids_is_named() -> None:
    assert difference(["ab1", "cd2", "007"], ["AB1", "CD2", "7"]).what.startswith("several of")
    assert difference(["ab1", "cd2", "007"], ["AB1", "CD2", "8"]).what == "capital and small letters"


def test_ids_of_other_things_have_no_partner() -> None:
    assert difference(["d-100", "d-101", "1"], ["d-200", "1.5", "10"]) is None
    assert difference([], ["d1"]) is None
    assert difference(["d1"], []) is None


def test_the_same_id_on_both_sides_is_no_difference() -> None:
    assert difference(["d1"], ["d1"]) is None
