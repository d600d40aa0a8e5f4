"""Different forms of the same ids are recognised, and ids of different things are not."""

import pytest

from waybill.reports.id_forms import difference

IDS = ("0a1f-7c22-9e", "0b2e-8d33-1f", "0c3d-9e44-2a")


@pytest.mark.parametrize(
    ("theirs", "what"),
    [
        (str.upper, "upper and lower case"),
        (lambda text: text.lstrip("0"), "leading zeros"),
        (lambda text: f"<{text}>", "characters around the id"),
        (lambda text: f'"{text}" ', "characters around the id"),
        (lambda text: "{" + text + "}", "characters around the id"),
        (lambda text: f"urn:uuid:{text}", "characters around the id"),
        (lambda text: text.replace("-", ""), "hyphens"),
        (lambda text: "{" + text.upper() + "}", "several of"),
        (lambda text: f"{text}.filter0307p1las1-5812-1", "a suffix of the id"),
        (lambda text: f"<{text.upper()}@mail.example.com>", "a suffix of the id"),
        (lambda text: f"{text}+0", "a suffix of the id"),
        (lambda text: f"{text}.0", "a suffix of the id"),
        (lambda text: f"prod:{text}", "a prefix of the id"),
    ],
)
def test_the_difference_is_found_in_both_directions(theirs, what: str) -> None:
    others = [theirs(text) for text in IDS]
    found = difference(IDS, others)
    assert found.what.startswith(what)
    assert (found.pairs, found.one, found.other) == (3, IDS[0], others[0])
    turned = difference(others, IDS)
    assert turned.what.startswith(what)
    assert (turned.pairs, turned.one, turned.other) == (3, others[0], IDS[0])


def test_the_simplest_difference_with_the_most_pairs_is_chosen() -> None:
    assert difference(["ab1", "cd2", "007"], ["AB1", "CD2", "7"]).what.startswith("several of")
    assert difference(["ab1", "cd2", "007"], ["AB1", "CD2", "8"]).what == "upper and lower case"


def test_ids_of_other_things_have_no_partner() -> None:
    assert difference(["d-100", "d-101", "1"], ["d-200", "1.5", "10"]) is None
    assert difference([], ["d1"]) is None
    assert difference(["d1"], []) is None


def test_the_same_id_on_both_sides_is_no_difference() -> None:
    assert difference(["d1"], ["d1"]) is None
