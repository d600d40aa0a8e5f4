"""Emails of the other providers in the simulated world."""

import re

import pytest

from tests.waybill.simulator.conftest import text_of
from waybill.simulator.truth.outcome import Happening
from waybill.simulator.world import EMAIL_PROVIDERS, SHEETS, World

ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+", re.ASCII)
INVENTED = re.compile(
    r"sim\.\d{6}@[a-z.]+|news@mail\.\w+\.example|\d{14}\.\d+\.[\da-f]{8}@mg\.\w+\.example"
    r"|\d{12}\.\d{11}@smtp-relay\.mail\.example|0102018f[\da-f-]+@eu-west-1\.amazonses\.com",
    re.IGNORECASE | re.ASCII,
)


@pytest.fixture(scope="module")
def world() -> World:
    return World(1, email_providers=EMAIL_PROVIDERS)


@pytest.fixture(scope="module")
def happenings(world: World) -> list[Happening]:
    return world.happenings()


def test_the_files_of_the_other_feeds_stay_the_same() -> None:
    size = {"seed": 5, "days": 2, "messages_per_day": 100}
    world, alone = World(**size, email_providers=EMAIL_PROVIDERS), World(**size)
    found, before = (
        {(file.account, file.feed, file.name): file.data for file in one.files()} for one in (world, alone)
    )
    assert before.items() <= found.items()
    feeds = {feed for _, feed, _ in found.keys() - before.keys()}
    assert feeds == {"dispatch_log", *(sheet.feed for sheet in SHEETS.values())}


@pytest.mark.parametrize("slug", EMAIL_PROVIDERS)
def test_every_fate_failure_and_word_of_a_provider_occurs(world: World, happenings: list[Happening], slug: str) -> None:
    sheet = SHEETS[slug]
    assert [name for name in sheet.fates if not world.fates()[slug, name]] == []
    seen = [h for h in happenings if h.provider == slug]
    assert {h.event_type for h in seen} == {
        *sheet.words,
        "unknown",
        *(failure.event_type for failure in sheet.failures.values()),
    }
    reasons = {(failure.failure_class, failure.failure_reason, failure.code) for failure in sheet.failures.values()}
    assert {(h.failure_class, h.failure_reason, h.provider_code) for h in seen if h.failure_class} == reasons
    assert len({h.account for h in seen}) == 1


def test_all_addresses_are_invented(world: World) -> None:
    feeds = [sheet.feed for sheet in SHEETS.values()]
    files = [file for file in world.files() if file.feed in feeds or file.name.startswith("dispatch-emails")]
    assert len(files) > 20
    addresses = {address for file in files for address in ADDRESS.findall(text_of(file))}
    assert len(addresses) > 200
    assert [address for address in addresses if not INVENTED.fullmatch(address)] == []
