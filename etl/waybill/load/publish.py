"""Publish: one transaction writes events, legs, messages, recipients, rejected records, changed days and the ledger.

A load becomes visible as a whole at the commit. All its accounts are locked, so rows that are read here do not change
before the commit; primary keys guard against mistakes.
"""

from collections.abc import Collection, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple
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
from waybill.ledger.objects import RecordedObject, count_again, leave_out, unloaded_since
from waybill.load.copying import CopyInto
from waybill.load.notices import write_notices
from waybill.load.stage import drop_tables, recipient_table, rejected_table, staging_table
from waybill.model.counted import counted
from waybill.model.errors import QualityGateError, SourceError, WaybillError
from waybill.model.event import STORED_COLUMNS, EventDraft, merge_all
from waybill.model.identity import Keyring
from waybill.warehouse import locks
from waybill.warehouse.queries import only_row, only_value, sql_of

BATCH = 5_000
PLANNING = """
    -- If the process of this publish is stopped, its locks are released before other loads give up waiting.
    set local idle_in_transaction_session_timeout = '5min';
    -- A load looks up a few keys in a long history, so its cost must depend on the load, not on the history. With the
    -- default, the planner counts each look-up as a disk seek and reads whole partitions instead.
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


class TakenBack(NamedTuple):
    """What an unload takes back, and why.

    :ivar load_ids: the published loads that contained only these objects
    :ivar reason: the reason in the ledger, with the name of who did it
    :ivar is_dry_run: nothing is committed; publish raises DryRunError with the counts
    """

    load_ids: tuple[int, ...]
    object_ids: tuple[int, ...]
    by: str
    because: str
    is_dry_run: bool = False

    @property
    def reason(self) -> str:
        return f"unloaded by {self.by}: {self.because}"


class KeyRange(NamedTuple):
    """The events that a replay replaces: first <= event_key < until, of one provider.

    :ivar account: None for all accounts, because a dispatch log may contain rows of several accounts
    :ivar taken_back: for an unload, the objects that no longer count
    """

    account: str | None
    provider: str
    first: UUID
    until: UUID
    taken_back: TakenBack | None = None

    @property
    def without(self) -> tuple[int, ...]:
        """The object_ids that no longer count."""
        return () if self.taken_back is None else self.taken_back.object_ids


class OvertakenError(SourceError):
    """While a replay was staged, another load published objects of its range; they must be replayed too."""


class DryRunError(WaybillError):
    """The counts of an unload that was rolled back, because it was a dry run."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        super().__init__("dry run: nothing was changed")
        self.counts = counts


class AlreadyPublishedError(WaybillError):
    """While a load was staged, other loads published all of its objects; nothing is left to do.

    :ivar load_id: the last of the other loads
    """

    def __init__(self, load_id: int) -> None:
        super().__init__(f"Load {load_id} has published the same objects.")
        self.load_id = load_id


def objects_of_range(cursor: Cursor, replaced: KeyRange) -> list[RecordedObject]:
    """Return every published object with keys of the range, of any feed of the provider; and objects without a key
    that have unresolved rejected records: every record was rejected, or the object was held back."""
    slugs = [feed.slug for feed in FEEDS.values() if feed.provider == replaced.provider]
    cursor.execute(
        sql_of("load/publish", "objects_of_range"),
        {
            "slugs": slugs,
            "account": replaced.account,
            "first": replaced.first,
            "until": replaced.until,
            "taken_back": list(replaced.without),
        },
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

    If it raises, nothing was written.

    :param replaced: for a replay, the range whose events are replaced by the staged sightings
    :raises QualityGateError: the counts do not add up, or a staging table lost rows
    :raises ConfigurationError: newer rules have loaded this feed meanwhile
    :raises OvertakenError: objects of a replayed range were published meanwhile, or objects of the load were unloaded
    :raises DryRunError: it was a dry run
    :raises AlreadyPublishedError: another load published the same objects meanwhile
    :raises UnavailableError: another session locked one of its accounts for too long
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
        counts = _write_events(cursor, staged, keyring, replaced)
        write_legs_and_messages(cursor, load_id, zone)
        cursor.execute(sql_of("load/publish", "write_recipients"))
        write_notices(cursor, staged)
        if replaced is not None and replaced.taken_back is not None:
            _take_back(cursor, replaced.taken_back)
        _write_rejects(cursor, load_id, staged)
        _write_ledger(cursor, load_id, staged, counts)
        watermark.commit_pull_of(cursor, load_id)
        cursor.execute("drop view staged_event, staged, staged_recipient")
        drop_tables(cursor, load_id)
        live_counts.note_as_of(cursor, load_id, accounts)
        if replaced is not None and replaced.taken_back is not None and replaced.taken_back.is_dry_run:
            raise DryRunError({name: count for name, count in counts._asdict().items() if count})


def _lock(cursor: Cursor, load_id: int, replaced: KeyRange | None) -> tuple[str, set[str]]:
    """Lock the report zone, every account of the load in order of name, and its ledger row; returns the report zone
    and the accounts."""
    who = f"load {load_id}"
    locks.take(cursor, locks.ZONE, "a change of the report zone or a migration", who, is_shared=True)
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
    status = only_value(cursor, str)
    if status != "validated":
        raise QualityGateError(f"Load {load_id} is {status}; only a validated load can be published.")
    cursor.execute("select value from ops.setting where name = 'report_timezone'")
    return only_value(cursor, str), accounts


def _check_staging(cursor: Cursor, load_id: int, staged: Staged) -> None:
    """Compare the row counts of the staging tables: a crash of the server empties unlogged tables."""
    expected = (
        (staging_table(load_id), staged.sighting_count),
        (rejected_table(load_id), staged.rejected_count),
        (recipient_table(load_id), staged.recipient_count),
    )
    for table, count in expected:
        cursor.execute(sql.SQL("select count(*) from {}").format(table))
        found = only_value(cursor, int)
        if found != count:
            raise QualityGateError(
                f"Staging table {table.strings[-1]} of load {load_id} has {found} rows, {count} were staged: it was "
                "emptied or changed. Nothing was written; run the same command again."
            )


def _view_staged(cursor: Cursor, load_id: int) -> None:
    """Create temporary views of the staging tables for the SQL: staged (events with the numbers of their objects and
    records), staged_event (only the columns of fact.event, in its order) and staged_recipient."""
    view = sql.SQL("create temporary view {} as select {} from {}")
    for name, columns, table in (
        ("staged", sql.SQL("*"), staging_table(load_id)),
        ("staged_event", sql.SQL(", ").join(map(sql.Identifier, STORED_COLUMNS)), staging_table(load_id)),
        ("staged_recipient", sql.SQL("*"), recipient_table(load_id)),
    ):
        cursor.execute(view.format(sql.Identifier(name), columns, table))


def _check_not_overtaken(cursor: Cursor, staged: Staged, replaced: KeyRange) -> None:
    known = staged.objects.keys() | staged.held_back
    late = [o for o in objects_of_range(cursor, replaced) if o.object_id not in known]
    if late:
        objects = counted(len(late), "object of the range was", "objects of the range were")
        raise OvertakenError(f"{objects} published while it was staged; the replay starts again with them.")


def _check_not_published(cursor: Cursor, load_id: int, staged: Staged) -> None:
    """Raise AlreadyPublishedError if another process has staged and published the same objects, and OvertakenError if
    one has unloaded some of them."""
    if unloaded_since(cursor, staged.objects, load_id):
        raise OvertakenError("Its files were unloaded while it was staged. Nothing was written; run it again.")
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


def _write_events(cursor: Cursor, staged: Staged, keyring: Keyring, replaced: KeyRange | None) -> _Counts:
    """Compare the staged sightings with the stored events, and write the difference. The temporary tables
    inserted_event, revised_event and revised_leg remain for the next steps."""
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
        removed = only_value(cursor, int)
        cursor.execute(sql_of("load/remove_recipients"))
    cursor.execute(sql_of("load/counts"))
    mapped, inserted, revised, unchanged, loaded, duplicates = only_row(cursor)
    return _Counts(mapped, inserted, revised, unchanged, removed, loaded, duplicates)


def _merge_sightings(cursor: Cursor, bounds: Mapping[str, object], keyring: Keyring) -> None:
    """Merge, in Python, the sightings of every event that has more than one, in this load or before it."""
    cursor.execute(sql_of("load/keys_to_merge"), bounds)
    writer = CopyInto(cursor, "pg_temp", "merged_event", STORED_COLUMNS)
    with cursor.connection.cursor("sightings_to_merge") as sightings:
        sightings.itersize = BATCH
        sightings.execute(sql_of("load/sightings_to_merge"), bounds)
        for _, rows in groupby(sightings, key=itemgetter(0)):
            merged = merge_all(_sighting(values) for values in rows)
            event = FEEDS[merged.feed].derive(merged, keyring)
            writer.add([getattr(event, name) for name in STORED_COLUMNS])
    writer.flush()
    cursor.execute("analyze merged_event")


def _sighting(values: tuple[Any, ...]) -> EventDraft:
    sighting = EventDraft(*_in_struct_order(values))
    if sighting.recipient_key is not None:
        sighting.recipient_key = bytes(sighting.recipient_key)
    return sighting


def _in_struct_order(values: tuple[Any, ...]) -> Iterator[Any]:
    stored = dict(zip(STORED_COLUMNS, values, strict=True))
    return (stored.get(name) for name in EventDraft.__struct_fields__)


def _take_back(cursor: Cursor, taken: TakenBack) -> None:
    """Mark loads and objects as unloaded, and remove their rejected records.

    :raises OvertakenError: another process unloaded one of the loads meanwhile
    """
    loads = {"load_ids": list(taken.load_ids)}
    cursor.execute(sql_of("load/unload", "note_loads"), {**loads, "reason": taken.reason})
    if cursor.rowcount != len(taken.load_ids):
        raise OvertakenError("Another unload took the same load back meanwhile; this one starts again.")
    cursor.execute(sql_of("load/unload", "forget_resolved"), loads)
    cursor.execute(sql_of("load/unload", "remove_rejects"), {"object_ids": list(taken.object_ids)})
    leave_out(cursor, taken.object_ids, "unloaded", taken.by, taken.because)


def _write_rejects(cursor: Cursor, load_id: int, staged: Staged) -> None:
    keep_rejects(cursor, load_id)
    for account, feed, sha256 in sorted(staged.resolved):
        cursor.execute(
            sql_of("load/publish", "resolve_reject"),
            {"load_id": load_id, "account": account, "feed": feed, "sha256": sha256},
        )


def keep_rejects(cursor: Cursor, load_id: int, staged_by: int | None = None, objects: Collection[int] = ()) -> None:
    """Store the rejected records of a load, equal bytes once, with the number of times that the load contains them.

    :param staged_by: the load that staged them; None: this load
    :param objects: only the records of these objects; empty: of all objects
    """
    rejected = rejected_table(load_id if staged_by is None else staged_by)
    cursor.execute(sql.SQL("create temporary view staged_rejected as select * from {}").format(rejected))
    cursor.execute(sql_of("load/publish", "keep_rejects"), {"load_id": load_id, "objects": list(objects) or None})
    cursor.execute("drop view staged_rejected")


def _write_ledger(cursor: Cursor, load_id: int, staged: Staged, counts: _Counts) -> None:
    """Write the counts of the load. Stage and publish counted separately, and their sums must agree."""
    record_count = counts.loaded_records + counts.duplicate_records + staged.rejected_count + staged.ignored_count
    if staged.read_count != record_count:
        raise QualityGateError(
            f"The record counts of load {load_id} do not add up: read {staged.read_count}, but loaded "
            f"{counts.loaded_records} + duplicate {counts.duplicate_records} + rejected {staged.rejected_count} + "
            f"ignored {staged.ignored_count} = {record_count}. Nothing was written."
        )
    if counts.mapped != counts.inserted + counts.revised + counts.unchanged:
        raise QualityGateError(
            f"The event counts of load {load_id} do not add up: mapped {counts.mapped}, but inserted "
            f"{counts.inserted} + revised {counts.revised} + unchanged {counts.unchanged}. Nothing was written."
        )
    count_again(cursor, staged.objects)
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
        unknown_count=only_value(cursor, int),
    )
