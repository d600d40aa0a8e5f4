"""Publish: one transaction writes events, legs, messages, recipients, rejected records, changed days and the ledger.

Nothing of a load is visible before its commit, and everything is after it. All accounts of the load are locked, so
that what is read here stays true until the commit; the primary keys are the guard.
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple
from uuid import UUID

from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.facts import live_counts
from waybill.facts.outcomes import write_legs_and_messages
from waybill.feeds import FEEDS
from waybill.landing.objects import LandedObject
from waybill.ledger import loads as ledger
from waybill.ledger import watermark
from waybill.ledger.counts import Staged
from waybill.ledger.objects import RecordedObject
from waybill.load.copying import CopyInto
from waybill.load.notices import write_notices
from waybill.load.stage import drop_tables, recipient_table, rejected_table, staging_table
from waybill.model.errors import QualityGateError, SourceError, WaybillError
from waybill.model.event import STORED_COLUMNS, Event, merge_all
from waybill.model.identity import Keyring
from waybill.warehouse import locks
from waybill.warehouse.queries import sql_of

BATCH = 5_000
PLANNING = """
    -- A publisher whose process stands still lets go of its accounts before others have lost their patience.
    set local idle_in_transaction_session_timeout = '5min';
    -- A load looks up a few keys in a long history: the cost must follow the load, not the history. By default the
    -- planner takes each look-up for a seek of a disk and reads whole partitions instead.
    set local random_page_cost = 1.1;
    set local work_mem = '128MB';
"""


_UPDATE_EVENTS = sql.SQL(
    "update fact.event as e set {} from revised_event as f"
    " where e.event_key = f.event_key and e.event_key between %(first)s and %(last)s"
).format(
    sql.SQL(", ").join(
        sql.SQL("{name} = f.{name}").format(name=sql.Identifier(name)) for name in STORED_COLUMNS if name != "event_key"
    )
)


class KeyRange(NamedTuple):
    """The events that a replay replaces: first <= event_key < until, of one provider, and of one account or of all
    (None: a dispatch log may hold rows of other accounts than its own)."""

    account: str | None
    provider: str
    first: UUID
    until: UUID


class OvertakenError(SourceError):
    """While a replay was staged, another load published objects of its range: they must be replayed too."""


class AlreadyPublishedError(WaybillError):
    """While a load was staged, another one published all of its objects: there is nothing left to do.

    :ivar load_id: the last of those that did
    """

    def __init__(self, load_id: int) -> None:
        super().__init__(f"Load {load_id} published its objects meanwhile.")
        self.load_id = load_id


def objects_of_range(cursor: Cursor, replaced: KeyRange) -> list[RecordedObject]:
    """Every published object that holds keys of the range, of any feed of the provider; and those with rejected
    records that wait and no known key: every record was rejected, or the object was held back."""
    slugs = [feed.slug for feed in FEEDS.values() if feed.provider == replaced.provider]
    cursor.execute(
        sql_of("load/publish", "objects_of_range"),
        {"slugs": slugs, "account": replaced.account, "first": replaced.first, "until": replaced.until},
    )
    return [RecordedObject(number, LandedObject(*rest)) for number, *rest in cursor.fetchall()]


def publish(
    connection: Connection,
    load_id: int,
    staged: Staged,
    keyring: Keyring,
    replaced: KeyRange | None = None,
) -> None:
    """Commit a staged and validated load.

    :param replaced: for a replay, the range whose events are what the staged sightings say and nothing else
    :raises QualityGateError: the books do not balance, or a staging table lost rows; nothing was written
    :raises ConfigurationError: newer rules have loaded this feed meanwhile; nothing was written
    :raises OvertakenError: objects of a replayed range were published meanwhile; nothing was written
    :raises AlreadyPublishedError: another load published the same objects meanwhile; nothing was written
    :raises UnavailableError: somebody else has an account of it for too long; nothing was written
    """
    with connection, connection.cursor() as cursor:
        cursor.execute(PLANNING)
        zone, accounts = _lock(cursor, load_id, replaced)
        _check_staging(cursor, load_id, staged)
        _view_staged(cursor, load_id)
        ledger.check_rules(cursor, [FEEDS[slug] for slug in sorted(staged.feeds)])
        if replaced is not None:
            _check_not_overtaken(cursor, staged, replaced)
        else:
            _check_not_published(cursor, load_id, staged)
        counts = _Counts(*_write_events(cursor, load_id, staged, keyring, replaced))
        write_legs_and_messages(cursor, load_id, zone)
        cursor.execute(sql_of("load/publish", "write_recipients"))
        write_notices(cursor, staged)
        _write_rejects(cursor, load_id, staged)
        _write_ledger(cursor, load_id, staged, counts)
        watermark.commit_pull_of(cursor, load_id)
        cursor.execute("drop view staged_event, staged, staged_recipient")
        drop_tables(cursor, load_id)
        live_counts.note_as_of(cursor, load_id, accounts)


def _lock(cursor: Cursor, load_id: int, replaced: KeyRange | None) -> tuple[str, set[str]]:
    """Take the locks of every account in the load, in order of name, and of its ledger row; returns the report zone
    and those accounts."""
    who = f"load {load_id}"
    locks.take(
        cursor,
        locks.ZONE,
        "a change of the report zone or a migration",
        who,
        is_shared=True,
    )
    cursor.execute(sql.SQL("select distinct account from {}").format(staging_table(load_id)))
    accounts = {account for (account,) in cursor.fetchall()}
    if replaced is not None:
        cursor.execute(
            "select distinct account from fact.event where provider = %s and event_key >= %s and event_key < %s",
            (replaced.provider, replaced.first, replaced.until),
        )
        there = {account for (account,) in cursor.fetchall()}
        accounts |= there if replaced.account is None else {replaced.account}
    for account in sorted(accounts):
        locks.take(cursor, locks.account_lock(account), f"account {account}", who)
    cursor.execute("select status from ops.load where load_id = %s for update", (load_id,))
    status = cursor.fetchone()[0]
    if status != "validated":
        raise QualityGateError(f"Load {load_id} is {status}; only a validated one can be published.")
    cursor.execute("select value from ops.setting where name = 'report_timezone'")
    return cursor.fetchone()[0], accounts


def _check_staging(cursor: Cursor, load_id: int, staged: Staged) -> None:
    """A crash of the server empties unlogged tables; an emptied one must not pass."""
    expected = (
        (staging_table(load_id), staged.sighting_count),
        (rejected_table(load_id), staged.rejected_count),
        (recipient_table(load_id), staged.recipient_count),
    )
    for table, count in expected:
        cursor.execute(sql.SQL("select count(*) from {}").format(table))
        found = cursor.fetchone()[0]
        if found != count:
            raise QualityGateError(
                f"Staging table {table.strings[-1]} of load {load_id} holds {found} rows, {count} were staged: it was "
                "emptied or changed. Nothing was written; run the same command again."
            )


def _view_staged(cursor: Cursor, load_id: int) -> None:
    """Make the temporary views under which the SQL reads what this load staged: staged (events, and the records that
    report them), staged_event (columns of fact.event only, in its order) and staged_recipient."""
    view = sql.SQL("create temporary view {} as select {} from {}")
    for name, columns, table in (
        ("staged", sql.SQL("*"), staging_table(load_id)),
        ("staged_event", sql.SQL(", ").join(map(sql.Identifier, STORED_COLUMNS)), staging_table(load_id)),
        ("staged_recipient", sql.SQL("*"), recipient_table(load_id)),
    ):
        cursor.execute(view.format(sql.Identifier(name), columns, table))


def _check_not_overtaken(cursor: Cursor, staged: Staged, replaced: KeyRange) -> None:
    taken_up = staged.objects.keys() | staged.held_back
    late = [o for o in objects_of_range(cursor, replaced) if o.object_id not in taken_up]
    if late:
        raise OvertakenError(
            f"{len(late)} objects of the range were published while it was staged; the replay begins again with them."
        )


def _check_not_published(cursor: Cursor, load_id: int, staged: Staged) -> None:
    """Two processes may have staged the same new objects; the accounts are locked, so one of them comes second."""
    published = ledger.published_with(cursor, staged.objects, ledger.row(cursor, load_id).rules_version)
    if published.keys() >= staged.objects.keys():
        raise AlreadyPublishedError(max(published.values()))


class _Counts(NamedTuple):
    mapped: int
    inserted: int
    revised: int
    unchanged: int
    removed: int
    loaded_records: int
    duplicate_records: int


def _write_events(
    cursor: Cursor, load_id: int, staged: Staged, keyring: Keyring, replaced: KeyRange | None
) -> Iterable[int]:
    """Resolve the staged sightings against what is there, and write the difference. Leaves the temporary tables
    inserted_event, revised_event and revised_leg behind."""
    bounds = {
        "first": staged.first_key or UUID(int=0),
        "last": staged.last_key or UUID(int=0),
        "account": replaced.account if replaced else None,
        "provider": replaced.provider if replaced else None,
        "range_first": replaced.first if replaced else None,
        "range_until": replaced.until if replaced else None,
    }
    cursor.execute(sql_of("load/resolve"), bounds)
    _merge_sightings(cursor, bounds, keyring)
    cursor.execute(sql_of("load/write_events"), bounds)
    cursor.execute(_UPDATE_EVENTS, bounds)
    removed = 0
    if replaced is not None:
        cursor.execute(sql_of("load/remove_vanished"), bounds)
        removed = cursor.fetchone()[0]
        cursor.execute(sql_of("load/remove_recipients"))
    cursor.execute(sql_of("load/count_books"))
    mapped, inserted, revised, unchanged, loaded, duplicates = cursor.fetchone()
    return mapped, inserted, revised, unchanged, removed, loaded, duplicates


def _merge_sightings(cursor: Cursor, bounds: dict, keyring: Keyring) -> None:
    """Merge, in Python, every key that was told more than once: in this load, or here and before."""
    cursor.execute(sql_of("load/keys_to_merge"), bounds)
    writer = CopyInto(cursor, "pg_temp", "merged_event", STORED_COLUMNS)
    with cursor.connection.cursor("sightings_to_merge") as sightings:
        sightings.itersize = BATCH
        sightings.execute(sql_of("load/sightings_to_merge"), bounds)
        for _, rows in groupby(sightings, key=itemgetter(0)):
            merged = merge_all(_event(values) for values in rows)
            FEEDS[merged.feed].derive(merged, keyring)
            writer.add([getattr(merged, name) for name in STORED_COLUMNS])
    writer.flush()
    cursor.execute("analyze merged_event")


def _event(values: tuple) -> Event:
    event = Event(*_in_struct_order(values))
    if event.recipient_key is not None:
        event.recipient_key = bytes(event.recipient_key)
    return event


def _in_struct_order(values: tuple) -> Iterator[object]:
    stored = dict(zip(STORED_COLUMNS, values, strict=True))
    return (stored.get(name) for name in Event.__struct_fields__)


def _write_rejects(cursor: Cursor, load_id: int, staged: Staged) -> None:
    keep_rejects(cursor, load_id)
    for record in sorted(staged.resolved):
        account, feed, sha256 = record
        cursor.execute(
            sql_of("load/publish", "resolve_reject"),
            {"load_id": load_id, "account": account, "feed": feed, "sha256": sha256},
        )


def keep_rejects(cursor: Cursor, load_id: int, staged_by: int | None = None, objects: Collection[int] = ()) -> None:
    """Keep the rejected records of a load, each bytes once, with how often the load held them.

    :param staged_by: the load that staged them; None: this one
    :param objects: of these alone; none: of all
    """
    rejected = rejected_table(load_id if staged_by is None else staged_by)
    cursor.execute(sql.SQL("create temporary view staged_rejected as select * from {}").format(rejected))
    cursor.execute(sql_of("load/publish", "keep_rejects"), {"load_id": load_id, "objects": list(objects) or None})
    cursor.execute("drop view staged_rejected")


def _write_ledger(cursor: Cursor, load_id: int, staged: Staged, counts: _Counts) -> None:
    """Write the books; both sides were counted apart, and both must agree."""
    told = counts.loaded_records + counts.duplicate_records + staged.rejected_count + staged.ignored_count
    if staged.read_count != told:
        raise QualityGateError(
            f"The books of load {load_id} do not balance in records: read {staged.read_count}, but loaded "
            f"{counts.loaded_records} + duplicate {counts.duplicate_records} + rejected {staged.rejected_count} + "
            f"ignored {staged.ignored_count} = {told}. Nothing was written."
        )
    if counts.mapped != counts.inserted + counts.revised + counts.unchanged:
        raise QualityGateError(
            f"The books of load {load_id} do not balance in events: mapped {counts.mapped}, but inserted "
            f"{counts.inserted} + revised {counts.revised} + unchanged {counts.unchanged}. Nothing was written."
        )
    for object_id, found in staged.objects.items():
        cursor.execute(
            "insert into ops.load_object (load_id, object_id, first_key, last_key, record_count)"
            " values (%s, %s, %s, %s, %s)",
            (load_id, object_id, found.first_key, found.last_key, found.record_count),
        )
    cursor.execute("select count(distinct event_key) from staged where event_type = 'unknown'")
    ledger.end(
        cursor,
        load_id,
        "published",
        rejected_reasons=staged.reasons,
        read_count=staged.read_count,
        loaded_count=counts.loaded_records,
        duplicate_count=counts.duplicate_records,
        rejected_count=staged.rejected_count,
        ignored_count=staged.ignored_count,
        mapped_count=counts.mapped,
        inserted_count=counts.inserted,
        revised_count=counts.revised,
        unchanged_count=counts.unchanged,
        removed_count=counts.removed,
        unknown_count=cursor.fetchone()[0],
    )
