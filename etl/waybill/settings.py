"""Settings by environment: the only place that reads it."""

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from waybill.feeds import FEEDS
from waybill.feeds.api import ApiFeed
from waybill.feeds.options import CAMPAIGN_ID, DISPATCH_ID, TEMPLATE_ID, FeedOptions
from waybill.feeds.sendgrid_fields import EVERY_WORD
from waybill.model.errors import ConfigurationError
from waybill.model.identity import Keyring
from waybill.model.vocabulary import ACCOUNT
from waybill.secret_file import made_once

LEAST_KEY_LENGTH = 16
DEFAULT_ACCOUNT = "default"
YES = ("1", "true", "yes", "on")
_ACCOUNT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Access(NamedTuple):
    """How to reach a provider as one organisation.

    :ivar account_id: the provider's own id of the account
    :ivar user: name to sign in with, most often the same
    :ivar secret: never shown
    :ivar base_url: the provider's origin
    """

    account_id: str
    user: str
    secret: str
    base_url: str

    def __repr__(self) -> str:
        return f"Access({self.account_id!r}, {self.base_url!r})"


@dataclass(frozen=True)
class Settings:
    """Everything a command needs to know of its surroundings.

    :ivar warehouse_url: libpq URL, or None for the embedded Postgres under `var`
    :ivar var: folder of the embedded Postgres, the landing zone and the key, where nothing else is said
    :ivar rejected_ceiling: share (0..1) of a load's records that may be rejected
    :ivar unjoined_ceiling: share (0..1) of messages that may be without their other side (hand-over, or gateway) before
        `status` and `doctor` warn
    :ivar report_timezone: IANA name; None: what the warehouse has, UTC for a new one
    :ivar accounts: the organisations whose API feeds are pulled; empty: they are named with each command
    :ivar provider_settings: credentials and base URLs by name, with `__<account>` behind it
    :ivar feed_options: how records are read that one's own systems wrote
    :ivar allows_plain_http: base URLs may be http: for a network that nobody else is in
    """

    warehouse_url: str | None
    postgres_version: int
    var: Path
    landing_url: str
    inbox_url: str
    report_timezone: str | None
    rejected_ceiling: float
    unjoined_ceiling: float
    recipient_hmac_key: str | None = field(repr=False)
    dispatch_log_url: str | None = field(repr=False)
    accounts: tuple[str, ...] = ()
    provider_settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    feed_options: FeedOptions = field(default_factory=FeedOptions)
    allows_plain_http: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read and check all settings. Raises ConfigurationError with the name of the setting that is wrong."""
        given = {name: value.strip() for name, value in environment.items() if value.strip()}
        get = given.get
        var = Path(get("WAYBILL_VAR", "var")).resolve()
        zone = get("REPORT_TIMEZONE")
        _zone("REPORT_TIMEZONE", zone)
        return cls(
            warehouse_url=get("WAREHOUSE_URL"),
            postgres_version=_number("EMBEDDED_POSTGRES_VERSION", get("EMBEDDED_POSTGRES_VERSION", "18"), 16, 18, int),
            var=var,
            landing_url=get("LANDING_URL", str(var / "landing")),
            inbox_url=get("INBOX_URL", str(var / "inbox")),
            report_timezone=zone,
            rejected_ceiling=_number("REJECTED_CEILING", get("REJECTED_CEILING", "0.05"), 0.0, 1.0, float),
            unjoined_ceiling=_number("UNJOINED_CEILING", get("UNJOINED_CEILING", "0.02"), 0.0, 1.0, float),
            recipient_hmac_key=get("RECIPIENT_HMAC_KEY"),
            dispatch_log_url=get("DISPATCH_LOG_URL"),
            accounts=_accounts(get("ACCOUNTS", "")),
            provider_settings={n: v for n, v in given.items() if n.partition("__")[0] in PROVIDER_SETTINGS},
            feed_options=FeedOptions(
                dispatch_id_arguments=_arguments("DISPATCH_ID_ARGUMENT", get("DISPATCH_ID_ARGUMENT", ""), DISPATCH_ID),
                campaign_id_arguments=_arguments("CAMPAIGN_ID_ARGUMENT", get("CAMPAIGN_ID_ARGUMENT", ""), CAMPAIGN_ID),
                template_id_arguments=_arguments("TEMPLATE_ID_ARGUMENT", get("TEMPLATE_ID_ARGUMENT", ""), TEMPLATE_ID),
                dispatch_log_zone=_zone("DISPATCH_LOG_TIMEZONE", get("DISPATCH_LOG_TIMEZONE")),
            ),
            allows_plain_http=get("ALLOW_PLAIN_HTTP", "").lower() in YES,
        )

    def access_of(self, feed: ApiFeed, account: str) -> Access:
        """How to pull a feed of one organisation.

        A credential without account belongs to the only one there is: were it taken for any, a second organisation
        whose own is missing would get the first one's messages. A base URL without account is everyone's.

        :raises ConfigurationError: a credential is missing or cannot be right
        """
        user_name, secret_name = feed.credentials
        key_name = _api_key_name(feed)
        base_url = self._of_account(_base_url_name(feed), account) or self.provider_settings.get(_base_url_name(feed))
        account_id, secret = self._of_account(user_name, account), self._of_account(secret_name, account)
        missing = [name for name, value in ((user_name, account_id), (secret_name, secret)) if value is None]
        if missing:
            raise ConfigurationError(
                f"{feed.slug} of account {account} cannot be pulled: {' and '.join(missing)} "
                f"{'are' if len(missing) > 1 else 'is'} not set. Set {missing[0]}__{account}, or, with one "
                f"organisation only, {missing[0]} and ACCOUNTS={account}."
            )
        if not _ACCOUNT_ID.fullmatch(account_id):
            raise ConfigurationError(f"{user_name} of account {account} is no id of {feed.provider}: look it up there.")
        user = self._of_account(key_name, account) or account_id
        return Access(account_id, user, secret, base_url or feed.base_url)

    def _of_account(self, name: str, account: str) -> str | None:
        plain = re.sub(r"\W", "_", account)  # names in an environment hold nothing else
        for suffix in (account, plain, plain.upper()):
            if (value := self.provider_settings.get(f"{name}__{suffix}")) is not None:
                return value
        is_only = account == DEFAULT_ACCOUNT if not self.accounts else self.accounts == (account,)
        return self.provider_settings.get(name) if is_only else None

    @cached_property
    def keyring(self) -> Keyring:
        """The keys of this warehouse; with the embedded Postgres a secret is made once under `var`."""
        secret = self.recipient_hmac_key
        if secret is None and self.warehouse_url is not None:
            raise ConfigurationError(
                "RECIPIENT_HMAC_KEY is not set. With WAREHOUSE_URL it is required: all keys are made with it, and it "
                "must stay the same for ever. Make one with `openssl rand -hex 32` and keep it in your secrets store."
            )
        if secret is None:
            secret = made_once(self.var / "recipient_hmac_key", lambda: secrets.token_hex(32))
        if len(secret.encode()) < LEAST_KEY_LENGTH:
            raise ConfigurationError(
                f"RECIPIENT_HMAC_KEY is shorter than {LEAST_KEY_LENGTH} bytes; make one with `openssl rand -hex 32`."
            )
        return Keyring(secret.encode())


def _zone(setting: str, name: str | None) -> ZoneInfo | None:
    try:
        return None if name is None else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigurationError(
            f"{setting}={name!r} is no time zone that Python knows; use an IANA name such as Europe/Berlin."
        ) from error


def _base_url_name(feed: ApiFeed) -> str:
    return f"{feed.provider.upper()}_BASE_URL"


def _api_key_name(feed: ApiFeed) -> str:
    """Instead of the account's own secret: a key, whose secret stands where that would."""
    return f"{feed.provider.upper()}_API_KEY"


_API_FEEDS = [feed for feed in FEEDS.values() if isinstance(feed, ApiFeed)]
PROVIDER_SETTINGS = {
    name for feed in _API_FEEDS for name in (*feed.credentials, _base_url_name(feed), _api_key_name(feed))
}
"""Names of all credentials and base URLs."""


def _accounts(text: str) -> tuple[str, ...]:
    found = tuple(name for part in text.split(",") if (name := part.strip()))
    for name in found:
        if not ACCOUNT.fullmatch(name):
            raise ConfigurationError(f"ACCOUNTS: {name!r}: expected 1 to 63 letters, digits, '_', '.' or '-'.")
    if len({re.sub(r"\W", "_", name).upper() for name in found}) < len(found):
        raise ConfigurationError("ACCOUNTS names an account twice, or two that differ in signs and capitals only.")
    return found


def _arguments(setting: str, text: str, canonical: str) -> tuple[str, ...]:
    """Names of custom arguments, in order; the canonical one always works last."""
    found = [name for part in text.split(",") if (name := part.strip()) and name != canonical]
    for name in found:
        if name in EVERY_WORD:
            raise ConfigurationError(f"{setting}: {name} is a field of SendGrid's own and never a custom argument.")
    return (*dict.fromkeys(found), canonical)


def _number(name, text, least, most, kind):  # noqa: ANN001
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not least <= value <= most:
        raise ConfigurationError(f"{name}={text!r}: expected a number from {least} to {most}.")
    return value
