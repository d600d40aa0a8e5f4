"""Settings: what is wrong is named, and the key is made once."""

import stat
from multiprocessing import get_context
from pathlib import Path

import pytest

from etl.model.errors import ConfigurationError
from etl.settings import Settings


def test_a_warehouse_of_ones_own_needs_a_key() -> None:
    settings = Settings.from_environment({"WAREHOUSE_URL": "postgresql://x"})
    with pytest.raises(ConfigurationError, match="RECIPIENT_HMAC_KEY is not set"):
        _ = settings.keyring


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="shorter than 16"):
        _ = Settings.from_environment({"RECIPIENT_HMAC_KEY": "short"}).keyring


@pytest.mark.parametrize("value", ["much", "-1", "1.5", "nan"])
def test_a_ceiling_is_a_share(value: str) -> None:
    with pytest.raises(ConfigurationError, match="REJECTED_CEILING"):
        Settings.from_environment({"REJECTED_CEILING": value})


@pytest.mark.parametrize("value", ["Mars/Olympus", "../etc/passwd", "Europe"])
def test_a_zone_that_is_none_is_named(value: str) -> None:
    with pytest.raises(ConfigurationError, match="REPORT_TIMEZONE"):
        Settings.from_environment({"REPORT_TIMEZONE": value})


def test_the_embedded_warehouse_makes_its_own_key_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    environment = {"WAYBILL_VAR": str(tmp_path)}
    with get_context("spawn").Pool(4) as pool:
        prints = set(pool.map(fingerprint, [environment] * 8))
    assert prints == {fingerprint(environment)}
    assert stat.S_IMODE((tmp_path / "recipient_hmac_key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["recipient_hmac_key"]


def fingerprint(environment: dict[str, str]) -> str:
    return Settings.from_environment(environment).keyring.fingerprint
