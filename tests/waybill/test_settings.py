"""Settings: errors name the setting, the key is created once, and no account gets the credentials of another."""

import stat
from multiprocessing import get_context
from pathlib import Path

import pytest

from waybill.feeds import FEEDS
from waybill.feeds.api import ApiFeed
from waybill.feeds.options import FeedOptions
from waybill.feeds.providers import PROVIDERS
from waybill.model.errors import ConfigurationError
from waybill.model.wire import Auth, Wire
from waybill.settings import PROVIDER_SETTINGS, Access, Settings

FEED = FEEDS["twilio_messages"]
API_FEEDS = [feed for feed in FEEDS.values() if isinstance(feed, ApiFeed)]
BASE_URL = "https://api.twilio.com"
WIRE = Wire(Auth("basic", user_setting="TWILIO_API_KEY"))
ONE = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "one"}
NORTH = {f"{name}__north": value for name, value in ONE.items()}
SOUTH = {"TWILIO_ACCOUNT_SID__south": "AC2", "TWILIO_AUTH_TOKEN__south": "two"}


def access(account: str, **environment: str) -> Access:
    return Settings.from_environment(environment).access_of(FEED, account)


def test_warehouse_url_requires_a_key() -> None:
    settings = Settings.from_environment({"WAREHOUSE_URL": "postgresql://x"})
    with pytest.raises(ConfigurationError, match="RECIPIENT_HMAC_KEY is not set"):
        _ = settings.keyring


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="shorter than 16"):
        _ = Settings.from_environment({"RECIPIENT_HMAC_KEY": "short"}).keyring


@pytest.mark.parametrize("value", ["much", "-1", "1.5", "nan"])
def test_a_ceiling_must_be_a_share(value: str) -> None:
    with pytest.raises(ConfigurationError, match="REJECTED_CEILING"):
        Settings.from_environment({"REJECTED_CEILING": value})


@pytest.mark.parametrize("value", ["Mars/Olympus", "../etc/passwd", "Europe"])
@pytest.mark.parametrize("setting", ["REPORT_TIMEZONE", "DISPATCH_LOG_TIMEZONE"])
def test_an_unknown_time_zone_is_an_error_that_names_the_setting(setting: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=setting):
        Settings.from_environment({setting: value})


def test_the_dispatch_log_zone_is_an_option_of_feeds() -> None:
    given = Settings.from_environment({"DISPATCH_LOG_TIMEZONE": "Europe/Berlin"})
    assert given.feed_options.dispatch_log_zone.key == "Europe/Berlin"
    assert Settings.from_environment({}).feed_options.dispatch_log_zone is None


def test_the_embedded_key_is_created_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    environment = {"WAYBILL_VAR": str(tmp_path)}
    with get_context("spawn").Pool(4) as pool:
        prints = set(pool.map(fingerprint, [environment] * 8))
    assert prints == {fingerprint(environment)}
    assert stat.S_IMODE((tmp_path / "recipient_hmac_key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["recipient_hmac_key"]


def fingerprint(environment: dict[str, str]) -> str:
    return Settings.from_environment(environment).keyring.fingerprint


# Accounts


def test_accounts_are_separated_by_commas() -> None:
    assert Settings.from_environment({"ACCOUNTS": " north, south ,,"}).accounts == ("north", "south")
    assert Settings.from_environment({}).accounts == ()


@pytest.mark.parametrize("accounts", ["no/rth", "north south", "a" * 64, "é"])
def test_an_invalid_account_name_is_an_error(accounts: str) -> None:
    with pytest.raises(ConfigurationError, match=r"ACCOUNTS: .*: expected 1 to 63 letters"):
        Settings.from_environment({"ACCOUNTS": accounts})


@pytest.mark.parametrize("accounts", ["north,north", "north,North", "a-b,a_b", "a.b,A-B"])
def test_account_names_that_give_the_same_setting_name_are_refused(accounts: str) -> None:
    with pytest.raises(ConfigurationError, match="twice, or two that differ only in punctuation and case"):
        Settings.from_environment({"ACCOUNTS": accounts})


# Credentials


@pytest.mark.parametrize("feed", API_FEEDS, ids=lambda feed: feed.slug)
def test_every_api_feed_names_its_credentials(feed: ApiFeed) -> None:
    assert feed.credentials == PROVIDERS[feed.provider].credentials
    assert 1 <= len(feed.credentials) <= 2
    assert set(feed.credentials) <= PROVIDER_SETTINGS
    assert feed.base_url.startswith("https://")


def test_two_accounts_have_two_sets_of_credentials() -> None:
    both = {"ACCOUNTS": "north,south", **NORTH, **SOUTH}
    assert access("north", **both) == ("AC1", "AC1", "one", BASE_URL, WIRE)
    assert access("south", **both) == ("AC2", "AC2", "two", BASE_URL, WIRE)


@pytest.mark.parametrize("given", [NORTH | ONE, ONE, NORTH | {"TWILIO_AUTH_TOKEN": "one"}])
@pytest.mark.parametrize("accounts", ["north,south", "south,north", "north"])
def test_credentials_without_a_suffix_are_never_used_for_a_second_account(accounts: str, given: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN are not set"):
        access("south", ACCOUNTS=accounts, **given)


def test_a_missing_credential_is_not_taken_from_another_account() -> None:
    half = {"ACCOUNTS": "north,south", "TWILIO_ACCOUNT_SID__south": "AC2", **NORTH, **ONE}
    with pytest.raises(ConfigurationError, match=r"south cannot be pulled: TWILIO_AUTH_TOKEN is not set. Set TWILIO_"):
        access("south", **half)


def test_with_one_account_the_suffix_is_optional() -> None:
    assert access("north", ACCOUNTS="north", **ONE).secret == "one"
    assert access("default", **ONE).secret == "one"
    with pytest.raises(ConfigurationError, match="Set TWILIO_ACCOUNT_SID__acme, or, with one organisation only"):
        access("acme", **ONE)


def test_a_setting_with_the_suffix_has_priority() -> None:
    assert access("north", ACCOUNTS="north", **NORTH, TWILIO_ACCOUNT_SID="AC9", TWILIO_AUTH_TOKEN="x").secret == "one"


@pytest.mark.parametrize("suffix", ["north-1.a", "north_1_a", "NORTH_1_A"])
def test_the_suffix_may_replace_punctuation_by_underscores_and_be_upper_case(suffix: str) -> None:
    found = access("north-1.a", **{f"{name}__{suffix}": value for name, value in ONE.items()})
    assert (found.account_id, found.secret) == ("AC1", "one")


def test_an_api_key_signs_in_for_its_account_only() -> None:
    found = access("north", **NORTH, TWILIO_API_KEY__north="SK1")
    assert found == ("AC1", "SK1", "one", BASE_URL, WIRE)
    others = {"ACCOUNTS": "north,south", **NORTH, **SOUTH, "TWILIO_API_KEY__north": "SK1", "TWILIO_API_KEY": "SK9"}
    assert access("south", **others).user == "AC2"


def test_a_base_url_without_a_suffix_is_used_for_every_account_without_its_own() -> None:
    """It is no credential, and an operator who sets it does not want requests to go to the provider itself."""
    both = {"ACCOUNTS": "north,south", **NORTH, **SOUTH, "TWILIO_BASE_URL": "https://proxy.example"}
    assert [access(name, **both).base_url for name in ("north", "south")] == ["https://proxy.example"] * 2
    own = {**both, "TWILIO_BASE_URL__south": "https://other.example"}
    assert [access(name, **own).base_url for name in ("north", "south")] == [
        "https://proxy.example",
        "https://other.example",
    ]


@pytest.mark.parametrize("account_id", ["AC1/../AC2", "AC1?x", "AC 1", "a" * 65])
def test_an_account_id_that_would_change_the_path_is_refused_and_not_shown(account_id: str) -> None:
    with pytest.raises(ConfigurationError, match="is not an account id of twilio") as caught:
        access("north", TWILIO_ACCOUNT_SID__north=account_id, TWILIO_AUTH_TOKEN__north="one")
    assert account_id not in str(caught.value)


def test_an_empty_setting_counts_as_not_set() -> None:
    with pytest.raises(ConfigurationError, match="TWILIO_AUTH_TOKEN is not set"):
        access("north", **{**NORTH, "TWILIO_AUTH_TOKEN__north": " "})


def test_no_secret_is_shown() -> None:
    environment = {
        **NORTH,
        "TWILIO_AUTH_TOKEN__north": "secret",
        "DISPATCH_LOG_URL": "postgresql://reader:hidden@db",
        "RECIPIENT_HMAC_KEY": "h" * 32,
    }
    settings = Settings.from_environment(environment)
    shown = repr(settings) + repr(settings.access_of(FEED, "north"))
    assert "AC1" in shown
    assert not any(secret in shown for secret in ("secret", "hidden", "h" * 32))


def test_plain_http_must_be_allowed_explicitly() -> None:
    assert Settings.from_environment({"ALLOW_PLAIN_HTTP": "1"}).allows_plain_http
    assert not Settings.from_environment({"ALLOW_PLAIN_HTTP": "0"}).allows_plain_http
    assert not Settings.from_environment({}).allows_plain_http


# Names of custom arguments


def test_custom_argument_names_end_with_the_canonical_name() -> None:
    named = {"DISPATCH_ID_ARGUMENT": " ref, Message Ref,ref,,dispatch_id", "TEMPLATE_ID_ARGUMENT": "tpl"}
    options = Settings.from_environment(named).feed_options
    assert options.dispatch_id_arguments == ("ref", "Message Ref", "dispatch_id")
    assert options.campaign_id_arguments == ("campaign_id",)
    assert options.template_id_arguments == ("tpl", "template_id")
    assert Settings.from_environment({}).feed_options == FeedOptions()


@pytest.mark.parametrize("name", ["email", "category", "sg_message_id"])
def test_a_sendgrid_field_cannot_be_a_custom_argument(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"CAMPAIGN_ID_ARGUMENT: {name} is a field of SendGrid, so"):
        Settings.from_environment({"CAMPAIGN_ID_ARGUMENT": f"mailing,{name}"})


def test_the_table_of_the_dispatch_log_is_a_name() -> None:
    with pytest.raises(
        ConfigurationError, match=r"DISPATCH_LOG_TABLE='log; drop table x': expected NAME or SCHEMA\.NAME"
    ):
        Settings.from_environment({"DISPATCH_LOG_TABLE": "log; drop table x"})
