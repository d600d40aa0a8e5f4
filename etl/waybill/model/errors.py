"""Errors, grouped by what the caller must do. The exit code of the command line follows from the group."""

from datetime import datetime


class WaybillError(Exception):
    """Base of all errors that Waybill raises on purpose. The text says what was expected, what was found (redacted)
    and what to do next."""

    exit_code = 1


class UsageError(WaybillError):
    """The command has wrong words or values: correct them and run it again."""

    exit_code = 2


class ConfigurationError(WaybillError):
    """A setting is missing or wrong: correct it and run the same command again."""

    exit_code = 3


class UnavailableError(ConfigurationError):
    """The warehouse does not answer now, or another session holds a lock: run the same command again later. A scheduler
    retries it."""


class SourceError(WaybillError):
    """A provider or a source file could not be read: retry later, or repair the source."""

    exit_code = 4


class QualityGateError(WaybillError):
    """A critical rule or a balance failed, and nothing was published: look at the named rule."""

    exit_code = 5


class CeilingError(WaybillError):
    """REJECTED_CEILING does not allow so many rejected records, or an object has no readable record: no fact of the
    named objects was written."""

    exit_code = 6


class RejectRecord(Exception):  # noqa: N818 - an instruction about one record, not a fault of the run
    """One record cannot be normalised; the others are not affected. The reason never contains values of people.

    :param reason: short and stable, e.g. `timestamp: outside 2005-2100`
    :param acceptable_at: aware time from which the record is acceptable; None if it never will be
    """

    def __init__(self, reason: str, acceptable_at: datetime | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.acceptable_at = acceptable_at
