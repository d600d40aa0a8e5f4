"""Settings by environment: the only place that reads it. DESIGN section 12."""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from etl.model.errors import ConfigurationError
from etl.model.identity import Keyring

LEAST_KEY_LENGTH = 16


@dataclass(frozen=True)
class Settings:
    """Everything a command needs to know of its surroundings.

    :ivar warehouse_url: libpq URL, or None for the embedded Postgres under `var`
    :ivar var: folder of the embedded Postgres, the landing zone and the key, where nothing else is said
    :ivar rejected_ceiling: share (0..1) of a load's records that may be rejected
    :ivar report_timezone: IANA name; None: what the warehouse has, UTC for a new one
    """

    warehouse_url: str | None
    postgres_version: int
    var: Path
    landing_url: str
    inbox_url: str
    report_timezone: str | None
    rejected_ceiling: float
    recipient_hmac_key: str | None
    dispatch_log_url: str | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read and check all settings. Raises ConfigurationError with the name of the setting that is wrong."""
        get = {name: value.strip() for name, value in environment.items() if value.strip()}.get
        var = Path(get("WAYBILL_VAR", "var")).resolve()
        zone = get("REPORT_TIMEZONE")
        if zone is not None:
            try:
                ZoneInfo(zone)
            except (ZoneInfoNotFoundError, ValueError, OSError) as error:
                raise ConfigurationError(
                    f"REPORT_TIMEZONE={zone!r} is no time zone that Python knows; use an IANA name such as "
                    "Europe/Berlin."
                ) from error
        return cls(
            warehouse_url=get("WAREHOUSE_URL"),
            postgres_version=_number("EMBEDDED_POSTGRES_VERSION", get("EMBEDDED_POSTGRES_VERSION", "18"), 16, 18, int),
            var=var,
            landing_url=get("LANDING_URL", str(var / "landing")),
            inbox_url=get("INBOX_URL", str(var / "inbox")),
            report_timezone=zone,
            rejected_ceiling=_number("REJECTED_CEILING", get("REJECTED_CEILING", "0.05"), 0.0, 1.0, float),
            recipient_hmac_key=get("RECIPIENT_HMAC_KEY"),
            dispatch_log_url=get("DISPATCH_LOG_URL"),
        )

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
            secret = _own_secret(self.var / "recipient_hmac_key")
        if len(secret.encode()) < LEAST_KEY_LENGTH:
            raise ConfigurationError(
                f"RECIPIENT_HMAC_KEY is shorter than {LEAST_KEY_LENGTH} bytes; make one with `openssl rand -hex 32`."
            )
        return Keyring(secret.encode())


def _number(name, text, least, most, kind):  # noqa: ANN001
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not least <= value <= most:
        raise ConfigurationError(f"{name}={text!r}: expected a number from {least} to {most}.")
    return value


def _own_secret(path: Path) -> str:
    """Read the secret under var/, or make it once (mode 0600; two processes at once agree on one)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)  # fails if another process was first
        draft.unlink()
    return path.read_text().strip()
