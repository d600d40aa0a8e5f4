"""Providers and feeds are found by their place; what a folder lacks is named with its file."""

from importlib import import_module
from itertools import count
from pathlib import Path
from types import ModuleType

import pytest

from waybill.feeds import FEEDS, feeds_of
from waybill.feeds.providers import MESSAGE_IDS, PROVIDERS, providers_of

NUMBERS = count()
SHEET = "from waybill.model.provider import Provider\nPROVIDER = Provider(message_ids=None)\n"
FEED = """
from waybill.feeds.sendgrid.events import SendgridEvents

class Letters(SendgridEvents):
    slug = "pigeons_letters"
    provider = "pigeons"
"""


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Make a package of providers from the texts of its files."""
    monkeypatch.syspath_prepend(tmp_path)

    def package(**files: str) -> ModuleType:
        name = f"made_up_feeds_{next(NUMBERS)}"
        for place in ("__init__.py", "pigeons/__init__.py"):
            (tmp_path / name / place).parent.mkdir(exist_ok=True)
            (tmp_path / name / place).touch()
        for file, text in files.items():
            (tmp_path / name / "pigeons" / f"{file}.py").write_text(text)
        return import_module(name)

    return package


def test_feeds_and_providers_are_in_the_order_of_their_folders_and_files() -> None:
    assert list(FEEDS) == sorted(FEEDS) and list(PROVIDERS) == sorted(PROVIDERS)
    assert {feed.provider for feed in FEEDS.values()} <= PROVIDERS.keys()
    assert MESSAGE_IDS.keys() <= {feed.provider for feed in FEEDS.values()}


def test_a_folder_with_its_sheet_and_a_feed_is_found(make) -> None:
    package = make(provider=SHEET, letters=FEED)
    assert list(providers_of(package)) == ["pigeons"]
    assert list(feeds_of(package)) == ["pigeons_letters"]


@pytest.mark.parametrize(
    ("sheet", "message"),
    [
        (None, r"pigeons/provider\.py is missing"),
        ("", r"pigeons/provider\.py must set PROVIDER"),
        (SHEET.replace("message_ids=None", ""), r"pigeons/provider\.py: .*message_ids"),
        (SHEET.replace("message_ids", "ids"), r"pigeons/provider\.py: .*ids"),
    ],
)
def test_a_wrong_sheet_is_refused_with_its_file_and_what_it_lacks(make, sheet: str | None, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        providers_of(make() if sheet is None else make(provider=sheet))


@pytest.mark.parametrize(
    ("feed", "message"),
    [
        (FEED.replace("pigeons_letters", "letters"), r"pigeons/letters\.py: .*'pigeons' and 'pigeons_letters'"),
        (FEED.replace('"pigeons"', '"sendgrid"'), r"pigeons/letters\.py: .*'pigeons' and 'pigeons_letters'"),
        (
            "from waybill.feeds.base import Feed\nclass Letters(Feed):\n    slug = 'pigeons_letters'\n",
            r"pigeons.letters.Letters must set .*rules_version",
        ),
    ],
)
def test_a_wrong_feed_is_refused_with_its_file_and_what_it_lacks(make, feed: str, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        feeds_of(make(provider=SHEET, letters=feed))
