"""The result of an ingest: what was loaded, and why the rest was not. The command line and Airflow both report it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from psycopg2.extensions import connection as Connection  # noqa: N812

from waybill.ledger.loads import LedgerRow
from waybill.ledger.summary import Summary, summary
from waybill.model.errors import CeilingError, SourceError, WaybillError

WHAT_TO_DO = (
    "See `waybill rejected list`. If it is not a file of this feed, remove it. If the records are rightly rejected, "
    "run again with a higher REJECTED_CEILING (1: load every file)."
)


def _listed(complaints: Sequence[str]) -> str:
    """Return complaints in one sentence, without the full stops that they end with."""
    return "; ".join(complaint.removesuffix(".") for complaint in complaints)


class Published(NamedTuple):
    """The result of publishing one load.

    :ivar row: its row of the ledger
    :ivar incomplete: messages about incomplete sources; their readable records are loaded
    :ivar held_back: messages about objects that were held back, because too many of their records were rejected
    :ivar empty: names of files without a record, which is no error
    """

    row: LedgerRow
    incomplete: tuple[str, ...] = ()
    held_back: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()


class Loaded(NamedTuple):
    """The result of a load: its ledger row, the same in words, and whether there was anything to load."""

    row: LedgerRow
    summary: Summary
    is_new: bool = True


class HeldBackError(CeilingError):
    """Objects were held back, because too many of their records were rejected.

    :ivar complaints: which objects and why, in words
    :ivar done: the loads of the other objects
    """

    def __init__(self, complaints: Sequence[str], done: Sequence[Loaded] = (), broken: Sequence[str] = ()) -> None:
        unread = f"Some files could not be read: {_listed(broken)}.\n" if broken else ""
        super().__init__(
            f"Too many records were rejected: {_listed(complaints)}.\n{unread}"
            f"Nothing of these files was loaded, everything else was. {WHAT_TO_DO}"
        )
        self.complaints = tuple(complaints)
        self.done = list(done)


class IncompleteError(SourceError):
    """Some files could not be read.

    :ivar done: the loads of the other files
    """

    def __init__(self, broken: Sequence[str], done: list[Loaded]) -> None:
        super().__init__(
            f"Not everything could be read: {_listed(broken)}.\n"
            "Everything else was loaded. Provide complete files and run the same command again; see also `waybill "
            "rejected list`."
        )
        self.done = done


@dataclass
class Outcome:
    """The result of an ingest.

    :ivar done: the loads that were published, now or before
    :ivar failed: the errors of the others
    :ivar fresh_count: number of objects that were not loaded before
    :ivar unread_count: number of files that could not be landed
    :ivar unloaded_count: number of objects that stay out, because they were unloaded
    """

    done: list[Loaded] = field(default_factory=list)
    failed: list[WaybillError] = field(default_factory=list)
    fresh_count: int = 0
    unread_count: int = 0
    unloaded_count: int = 0

    def checked(self) -> list[Loaded]:
        """Return the published loads. Raises the first error, with the others as its notes."""
        if self.failed:
            first, *others = self.failed
            for other in others:
                first.add_note(str(other))
            raise first
        return self.done


def loaded(connection: Connection, load_id: int, published: Published) -> Loaded:
    """Return the result of a load that published its objects, or found that another load had."""
    with connection, connection.cursor() as cursor:
        in_words = summary(cursor, published.row, published.empty)
    return Loaded(published.row, in_words, published.row.load_id == load_id)
