"""Settings from environment variables. No other module reads them."""

import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from waybill.feeds import FEEDS
from waybill.feeds.api import ApiFeed
from waybill.feeds.base import Feed
from waybill.feeds.options import CAMPAIGN_ID, DISPATCH_ID, TEMPLATE_ID, FeedOptions
from waybill.feeds.providers import PROVIDERS
from waybill.feeds.sendgrid.record import EVERY_WORD
from waybill.model.errors import ConfigurationError, UsageError
from waybill.model.identity import Keyring
from waybill.model.vocabulary import ACCOUNT
from waybill.model.wire import PLAIN, Wire
from waybill.secret_file import read_or_create

LEAST_KEY_LENGTH = 16
DEFAULT_ACCOUNT = "default"
YES = ("1", "true", "yes", "on")
_TABLE = re.compile(r"table:(?:(?P<schema>\w+)\.)?(?P<name>\w+)")
_ACCOUNT_ID = re.compile(r"[A-Za-z0-9_-](?:\.?[A-Za-z0-9_-]){0,63}")  # a name at the provider, or a domain
_Number = TypeVar("_Number", int, float)


class Access(NamedTuple):
    """The credentials and the address of one account at a provider.

    :ivar account_id: the id that the provider gave the account; empty if requests need none
    :ivar user: the name to sign in with, most often the account id
    :ivar secret: never shown
    :ivar base_url: the provider's origin
    :ivar wire: where requests carry the secret
    """

    account_id: str
    user: str
    secret: str
    base_url: str
    wire: Wire = PLAIN

    def __repr__(self) -> str:
        return f"Access({self.account_id!r}, {self.base_url!r})"


class DispatchTable(NamedTuple):
    """A table or view of DISPATCH_LOG_URL.

    :ivar schema: None: the default schema of the login
    :ivar watermark: the column that says when a row was written
    """

    schema: str | None
    name: str
    watermark: str

    @classmethod
    def of(cls, path: str, watermark: str) -> "DispatchTable":
        """Return the table of a path. Raises UsageError."""
        if (match := _TABLE.fullmatch(path)) is None:
            raise UsageError(f"{path}: expected table:NAME or table:SCHEMA.NAME.")
        return cls(match["schema"], match["name"], watermark)

    @property
    def path(self) -> str:
        """The table as it is written on the command line."""
        return "table:" + ".".join(filter(None, (self.schema, self.name)))


@dataclass(frozen=True)
class Settings:
    """All settings of a process.

    :ivar warehouse_url: libpq URL, or None for the embedded Postgres under `var`
    :ivar var: folder of the embedded Postgres and the key, and by default of the landing zone and the inbox
    :ivar rejected_ceiling: share (0..1) of a load's records that may be rejected
    :ivar unjoined_ceiling: share (0..1) of messages that may lack their other leg (hand-over, or gateway) before
        `status` and `doctor` warn
    :ivar report_timezone: IANA name; None: that of the warehouse, UTC for a new one
    :ivar dispatch_log_table: SCHEMA.NAME of the table or view that a pull of the dispatch log reads
    :ivar dispatch_log_watermark: the column of it that says when a row was written
    :ivar dispatch_log_account: the account of rows that name none; None: the only account
    :ivar accounts: the accounts whose API feeds are pulled; empty: each command names them
    :ivar provider_settings: credentials and base URLs by name, with or without the suffix `__<account>`
    :ivar feed_options: how to read records that the operator's own systems wrote
    :ivar allows_plain_http: whether base URLs may be http:, for a private network
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
    dispatch_log_table: str | None = None
    dispatch_log_watermark: str = "occurred_at"
    dispatch_log_account: str | None = None
    accounts: tuple[str, ...] = ()
    provider_settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    feed_options: FeedOptions = field(default_factory=FeedOptions)
    allows_plain_http: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Return the checked settings. Raises ConfigurationError with the name of a wrong setting."""
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
            dispatch_log_table=_table("DISPATCH_LOG_TABLE", get("DISPATCH_LOG_TABLE")),
            dispatch_log_watermark=get("DISPATCH_LOG_WATERMARK", "occurred_at"),
            dispatch_log_account=get("DISPATCH_LOG_ACCOUNT"),
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

    def dispatch_table(self, feed: Feed, account: str | None = None) -> DispatchTable | None:
        """Return the table that a pull of this feed reads, if it has one and it is that of the account."""
        if self.dispatch_log_table is None or feed.slug != "dispatch_log":
            return None
        if account is not None and account != self.dispatch_table_account:
            return None
        return DispatchTable.of(f"table:{self.dispatch_log_table}", self.dispatch_log_watermark)

    @property
    def dispatch_table_account(self) -> str:
        """The account of rows of the table that name none.

        :raises ConfigurationError: there are several accounts, and none is named
        """
        if self.dispatch_log_account is not None:
            return self.dispatch_log_account
        if len(self.accounts) > 1:
            raise ConfigurationError(
                "DISPATCH_LOG_TABLE is set, and ACCOUNTS has several accounts. Name the one whose rows it has in "
                "DISPATCH_LOG_ACCOUNT; a row may still name another in its column account."
            )
        return self.accounts[0] if self.accounts else DEFAULT_ACCOUNT

    def access_of(self, feed: ApiFeed, account: str) -> Access:
        """Return the credentials and the address with which a feed of one account is pulled.

        A credential without a suffix belongs to the only account. If it were used for every account, a second account
        without credentials would get the messages of the first. A base URL without a suffix is used for all accounts.

        :raises ConfigurationError: a credential is missing, or the account id is malformed
        """
        base_url = self._of_account(_base_url_name(feed), account) or self.provider_settings.get(_base_url_name(feed))
        found = {name: self._of_account(name, account) for name in feed.credentials}
        missing = [name for name, value in found.items() if value is None]
        *account_ids, secret = (value or "" for value in found.values())
        if missing:
            raise ConfigurationError(
                f"{feed.slug} of account {account} cannot be pulled: {' and '.join(missing)} "
                f"{'are' if len(missing) > 1 else 'is'} not set. Set {missing[0]}__{account}, or, with one "
                f"organisation only, {missing[0]} and ACCOUNTS={account}."
            )
        account_id = account_ids[0] if account_ids else ""
        if account_ids and not _ACCOUNT_ID.fullmatch(account_id):
            raise ConfigurationError(
                f"{feed.credentials[0]} of account {account} is not an account id of {feed.provider}."
            )
        wire = PROVIDERS[feed.provider].wire
        key = self._of_account(wire.auth.user_setting, account)
        user = (wire.auth.name if wire.auth.place == "basic" else "") or key or account_id
        return Access(account_id, user, secret, base_url or feed.base_url, wire)

    def uses(self, feed: ApiFeed, account: str) -> bool:
        """Whether an account has any credential of a feed: most accounts use few of the providers."""
        return any(self._of_account(name, account) is not None for name in feed.credentials)

    def _of_account(self, name: str, account: str) -> str | None:
        plain = re.sub(r"\W", "_", account)  # names of environment variables have only letters, digits and _
        for suffix in (account, plain, plain.upper()):
            if (value := self.provider_settings.get(f"{name}__{suffix}")) is not None:
                return value
        is_only = account == DEFAULT_ACCOUNT if not self.accounts else self.accounts == (account,)
        return self.provider_settings.get(name) if is_only else None

    @cached_property
    def keyring(self) -> Keyring:
        """The keys of this warehouse. With the embedded Postgres, the secret is created once under `var`."""
        secret = self.recipient_hmac_key
        if secret is None and self.warehouse_url is not None:
            raise ConfigurationError(
                "RECIPIENT_HMAC_KEY is not set. With WAREHOUSE_URL it is required: all keys are made with it, and it "
                "must stay the same for ever. Make one with `openssl rand -hex 32` and keep it in your secrets store."
            )
        if secret is None:
            secret = read_or_create(self.var / "recipient_hmac_key", lambda: secrets.token_hex(32))
        if len(secret.encode()) < LEAST_KEY_LENGTH:
            raise ConfigurationError(
                f"RECIPIENT_HMAC_KEY is shorter than {LEAST_KEY_LENGTH} bytes; make one with `openssl rand -hex 32`."
            )
        return Keyring(secret.encode())


def _table(setting: str, name: str | None) -> str | None:
    if name is not None and not _TABLE.fullmatch(f"table:{name}"):
        raise ConfigurationError(f"{setting}={name!r}: expected NAME or SCHEMA.NAME of a table or view.")
    return name


def _zone(setting: str, name: str | None) -> ZoneInfo | None:
    try:
        return None if name is None else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigurationError(
            f"{setting}={name!r} is not a known time zone; use an IANA name such as Europe/Berlin."
        ) from error


def _base_url_name(feed: ApiFeed) -> str:
    return f"{feed.provider.upper()}_BASE_URL"


_API_FEEDS = [feed for feed in FEEDS.values() if isinstance(feed, ApiFeed)]
PROVIDER_SETTINGS = {
    name
    for feed in _API_FEEDS
    for name in (*feed.credentials, _base_url_name(feed), PROVIDERS[feed.provider].wire.auth.user_setting)
    if name
}
"""Names of all credentials and base URLs."""


def _accounts(text: str) -> tuple[str, ...]:
    found = tuple(name for part in text.split(",") if (name := part.strip()))
    for name in found:
        if not ACCOUNT.fullmatch(name):
            raise ConfigurationError(f"ACCOUNTS: {name!r}: expected 1 to 63 letters, digits, '_', '.' or '-'.")
    if len({re.sub(r"\W", "_", name).upper() for name in found}) < len(found):
        raise ConfigurationError("ACCOUNTS names an account twice, or two that differ only in punctuation and case.")
    return found


def _arguments(setting: str, text: str, canonical: str) -> tuple[str, ...]:
    """Return the names of custom arguments in order; the canonical name is always the last."""
    found = [name for part in text.split(",") if (name := part.strip()) and name != canonical]
    for name in found:
        if name in EVERY_WORD:
            raise ConfigurationError(f"{setting}: {name} is a field of SendGrid, so it cannot be a custom argument.")
    return (*dict.fromkeys(found), canonical)


def _number(name: str, text: str, least: _Number, most: _Number, kind: type[_Number]) -> _Number:
    with suppress(ValueError):
        value = kind(text)
        if least <= value <= most:
            return value
    raise ConfigurationError(f"{name}={text!r}: expected a number from {least} to {most}.")
