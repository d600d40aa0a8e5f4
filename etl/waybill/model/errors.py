"""Errors, grouped by what the caller must do. The exit code of the command line follows from the group."""

from datetime import datetime


class WaybillError(Exception):
    """Base of every error that Waybill raises on purpose. The text says what was expected, what came (redacted)
    and what to do next."""

    exit_code = 1


class UsageError(WaybillError):
    """The call's words are off: say it again, corrected."""

    exit_code = 2


class ConfigurationError(WaybillError):
    """A setting is missing or wrong: fix it, then run the same command again."""

    exit_code = 3


class UnavailableError(ConfigurationError):
    """The warehouse does not answer now, or somebody else holds what is needed there: run the same command again
    later. A scheduler tries it again by itself."""


class SourceError(WaybillError):
    """A provider or a source file could not be read: retry later, or mend the source."""

    exit_code = 4


class QualityGateError(WaybillError):
    """A critical expectation or a balance failed: nothing was published. Look at the named rule."""

    exit_code = 5


class CeilingError(WaybillError):
    """More records were rejected than REJECTED_CEILING allows, or nothing of an object could be read: no fact of what
    is named was written."""

    exit_code = 6


class RejectRecord(Exception):  # noqa: N818 - an instruction about one record, not a fault of the run
    """This one record cannot be normalised; its neighbours can. The reason never holds values of people.

    :param reason: short and stable, e.g. `timestamp: outside 2005-2100`
    :param acceptable_at: aware time from which on this reason no longer holds; None: it does not pass with time
    """

    def __init__(self, reason: str, acceptable_at: datetime | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.acceptable_at = acceptable_at
