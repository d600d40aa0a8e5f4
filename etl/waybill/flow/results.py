"""What an ingest comes to: what was loaded, and why the rest was not. The command line and Airflow report the same."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from psycopg2.extensions import connection as Connection  # noqa: N812

from waybill.ledger.loads import LedgerRow
from waybill.ledger.summary import Summary, summary
from waybill.model.errors import CeilingError, SourceError, WaybillError

WHAT_TO_DO = (
    "See `waybill rejected list`. Is it a file of this feed? If the records are right to be rejected, run again with a "
    "higher REJECTED_CEILING (1: take everything); if not, take the file away."
)


class Published(NamedTuple):
    """What the publish of one load came to.

    :ivar row: of the ledger
    :ivar incomplete: in words, which of the sources were incomplete; what they held is loaded
    :ivar held_back: in words, which objects were held back, because too many of their records were rejected
    :ivar empty: files without a record, by name; no error
    """

    row: LedgerRow
    incomplete: tuple[str, ...] = ()
    held_back: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()


class Loaded(NamedTuple):
    """What a load came to: its ledger row, the same in words, and whether there was anything to do."""

    row: LedgerRow
    summary: Summary
    is_new: bool = True


class HeldBackError(CeilingError):
    """Objects were held back, because too many of their records were rejected.

    :ivar complaints: which and why, in words
    :ivar done: what else was loaded
    """

    def __init__(self, complaints: Sequence[str], done: Sequence[Loaded] = (), broken: Sequence[str] = ()) -> None:
        unread = f" Not everything could be read, either: {'; '.join(broken)}." if broken else ""
        super().__init__(
            f"Too much was rejected: {'; '.join(complaints)}. No fact of that was written, everything else is "
            f"loaded.{unread} {WHAT_TO_DO}"
        )
        self.complaints = tuple(complaints)
        self.done = list(done)


class IncompleteError(SourceError):
    """Something could not be read; `done` is what was loaded all the same."""

    def __init__(self, broken: Sequence[str], done: list[Loaded]) -> None:
        super().__init__(
            f"Not everything could be read: {'; '.join(broken)}. Everything else was loaded. Land it again whole, and "
            "run the same command again; see also `waybill rejected list`."
        )
        self.done = done


@dataclass
class Outcome:
    """What an ingest came to.

    :ivar done: the loads that were published, or were published before
    :ivar failed: why the others were not
    :ivar fresh_count: objects that were not loaded before
    :ivar unread_count: files that could not be landed
    """

    done: list[Loaded] = field(default_factory=list)
    failed: list[WaybillError] = field(default_factory=list)
    fresh_count: int = 0
    unread_count: int = 0

    def checked(self) -> list[Loaded]:
        """What was loaded; raises the first failure, with the others as its notes."""
        if self.failed:
            first, *others = self.failed
            for other in others:
                first.add_note(str(other))
            raise first
        return self.done


def loaded(connection: Connection, load_id: int, published: Published) -> Loaded:
    """What a load came to that published its objects, or found that another had."""
    with connection, connection.cursor() as cursor:
        in_words = summary(cursor, published.row, published.empty)
    return Loaded(published.row, in_words, published.row.load_id == load_id)
