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
from waybill.installed_files import SQL
from waybill.landing.objects import LandedObject
from waybill.ledger import loads as ledger
from waybill.ledger import watermark
from waybill.ledger.books import Staged
from waybill.ledger.objects import RecordedObject
from waybill.load.copying import CopyInto
from waybill.load.notices import write_notices
from waybill.load.stage import drop_tables, recipient_table, rejected_table, staging_table
from waybill.model.errors import QualityGateError, SourceError, WaybillError
from waybill.model.event import STORED_COLUMNS, Event, merge_all
from waybill.model.identity import Keyring
from waybill.warehouse import locks

BATCH = 5_000
PLANNING = """
    -- A publisher whose process stands still lets go of its accounts before others have lost their patience.
    set local idle_in_transaction_session_timeout = '5min';
    -- A load looks up a few keys in a long history: the cost must follow the load, not the history. By default the
    -- planner takes each look-up for a seek of a disk and reads whole partitions instead.
    set local random_page_cost = 1.1;
    set local work_mem = '128MB';
"""


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
        "select o.object_id, o.account, o.feed, o.sha256, o.path, o.byte_count, o.landed_at, o.source"
        " from ops.object as o left join lateral ("
        "  select bool_or(i.first_key < %(until)s and i.last_key >= %(first)s) as is_in_range,"
        "   bool_or(i.first_key is not null) as has_keys from ops.load_object as i"
        "  inner join ops.load as l on l.load_id = i.load_id"
        "  where i.object_id = o.object_id and l.status = 'published') as told on true"
        " where o.feed = any(%(slugs)s) and (%(account)s::text is null or o.account = %(account)s)"
        " and (told.is_in_range or told.has_keys is not true and exists ("
        "   select from private.rejected_record as r where r.object_id = o.object_id and r.resolved_load_id is null))"
        " order by o.object_id",
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
        ledger.check_rules(cursor, [FEEDS[slug] for slug in sorted(staged.feeds)])
        if replaced is not None:
            _check_not_overtaken(cursor, staged, replaced)
        else:
            _check_not_published(cursor, load_id, staged)
        counts = _Counts(*_write_events(cursor, load_id, staged, keyring, replaced))
        write_legs_and_messages(cursor, load_id, zone)
        _write_recipients(cursor, load_id)
        write_notices(cursor, staged)
        _write_rejects(cursor, load_id, staged)
        _write_ledger(cursor, load_id, staged, counts)
        watermark.commit_pull_of(cursor, load_id)
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


def _columns(prefix: str = "") -> sql.Composable:
    names = [sql.Identifier(prefix, name) if prefix else sql.Identifier(name) for name in STORED_COLUMNS]
    return sql.SQL(", ").join(names)


def _row(prefix: str) -> sql.Composable:
    return sql.SQL("({})").format(_columns(prefix))


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
    stage_table = staging_table(load_id)
    cursor.execute(sql.SQL((SQL / "load" / "resolve.sql").read_text()).format(staging=stage_table), bounds)
    _merge_sightings(cursor, stage_table, bounds, keyring)
    cursor.execute(
        sql.SQL((SQL / "load" / "write_events.sql").read_text()).format(
            staging=stage_table,
            columns=_columns(),
            s_columns=_columns("s"),
            f_columns=_columns("f"),
            f_row=_row("f"),
            e_row=_row("e"),
            assignments=sql.SQL(", ").join(
                sql.SQL("{name} = f.{name}").format(name=sql.Identifier(name))
                for name in STORED_COLUMNS
                if name != "event_key"
            ),
        ),
        bounds,
    )
    removed = 0
    if replaced is not None:
        removed = _remove_vanished(cursor, bounds)
        cursor.execute((SQL / "load" / "remove_recipients.sql").read_text())
    cursor.execute(
        sql.SQL((SQL / "load" / "count_books.sql").read_text()).format(staging=stage_table),
    )
    mapped, inserted, revised, unchanged, loaded, duplicates = cursor.fetchone()
    return mapped, inserted, revised, unchanged, removed, loaded, duplicates


def _merge_sightings(cursor: Cursor, stage_table: sql.Identifier, bounds: dict, keyring: Keyring) -> None:
    """Merge, in Python, every key that was told more than once: in this load, or here and before."""
    parts = {
        "staging": stage_table,
        "s_columns": _columns("s"),
        "e_columns": _columns("e"),
        "s_row": _row("s"),
        "e_row": _row("e"),
    }
    cursor.execute(sql.SQL((SQL / "load" / "keys_to_merge.sql").read_text()).format(**parts), bounds)
    writer = CopyInto(cursor, "pg_temp", "merged_event", STORED_COLUMNS)
    with cursor.connection.cursor("sightings_to_merge") as sightings:
        sightings.itersize = BATCH
        sightings.execute(sql.SQL((SQL / "load" / "sightings_to_merge.sql").read_text()).format(**parts), bounds)
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


def _remove_vanished(cursor: Cursor, bounds: dict) -> int:
    """Take back the events of a replayed range that no landed record tells any more."""
    cursor.execute((SQL / "load" / "remove_vanished.sql").read_text(), bounds)
    return cursor.fetchone()[0]


def _write_recipients(cursor: Cursor, load_id: int) -> None:
    cursor.execute(
        sql.SQL(
            "insert into private.recipient (recipient_key, account, address)"
            " select recipient_key, min(account), min(address) from {} group by recipient_key order by recipient_key"
            " on conflict do nothing"
        ).format(recipient_table(load_id))
    )


def _write_rejects(cursor: Cursor, load_id: int, staged: Staged) -> None:
    keep_rejects(cursor, load_id)
    for record in sorted(staged.resolved):
        cursor.execute(
            "update private.rejected_record set resolved_load_id = %s"
            " where resolved_load_id is null and account = %s and feed = %s and sha256 = %s",
            (load_id, *record),
        )


def keep_rejects(cursor: Cursor, load_id: int, staged_by: int | None = None, objects: Collection[int] = ()) -> None:
    """Keep the rejected records of a load, each bytes once, with how often the load held them.

    :param staged_by: the load that staged them; None: this one
    :param objects: of these alone; none: of all
    """
    cursor.execute(
        sql.SQL(
            "insert into private.rejected_record as r (account, feed, sha256, reason, raw, object_id, position,"
            " load_id, seen_count, acceptable_at)"
            " select distinct on (account, feed, sha256) account, feed, sha256, reason, raw, object_id, position,"
            " %(load_id)s, count(*) over (partition by account, feed, sha256), acceptable_at from {}"
            " where %(objects)s::bigint[] is null or object_id = any(%(objects)s)"
            " order by account, feed, sha256, record_no on conflict (account, feed, sha256)"
            " do update set acceptable_at = excluded.acceptable_at"
            " where r.acceptable_at is distinct from excluded.acceptable_at and r.resolved_load_id is null"
        ).format(rejected_table(load_id if staged_by is None else staged_by)),
        {"load_id": load_id, "objects": list(objects) or None},
    )


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
    cursor.execute(
        sql.SQL("select count(distinct event_key) from {} where event_type = 'unknown'").format(staging_table(load_id))
    )
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
