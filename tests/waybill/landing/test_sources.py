"""The sources of bytes: files, folders, the inbox with all accounts, a SQL table."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.waybill.load.loading import Loads, as_file, counts, sendgrid
from waybill.feeds import FEEDS
from waybill.flow.ingest import load_pull, pull
from waybill.flow.slices import slices
from waybill.landing.sources import landed_inbox, landed_paths
from waybill.ledger.objects import first_day_to_read
from waybill.model.errors import ConfigurationError, SourceError, UsageError

MAIL = FEEDS["sendgrid_events"]
LOG = FEEDS["dispatch_log"]


def put(path: Path, number: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(as_file("sendgrid_events", (sendgrid("open", f"2026-03-01 10:{number:02}"),)))


def test_the_inbox_is_searched_for_all_accounts(loads: Loads) -> None:
    inbox = Path(loads.settings.inbox_url)
    put(inbox / "beta" / "sendgrid_events" / "2026" / "03" / "a.json", 1)
    put(inbox / "acme" / "sendgrid_events" / "b.json", 2)
    put(inbox / "acme" / "sendgrid_events" / "a.json", 3)
    put(inbox / "acme" / "sendgrid_events" / "c.json.tmp", 4)
    put(inbox / "acme" / "sendgrid_events" / ".d.json", 5)
    put(inbox / "acme" / "twilio_messages" / "e.json", 6)
    (inbox / "gamma").mkdir()
    landed = list(landed_inbox(loads.settings, MAIL, None))
    assert [item.account for item in landed] == ["acme", "acme", "beta"]
    done = loads.load_all("sendgrid_events", landed)
    assert [(item.row.account, item.row.loaded_count) for item in done] == [("acme", 2), ("beta", 1)]
    assert [item.account for item in landed_inbox(loads.settings, MAIL, "beta")] == ["beta"]
    assert list(landed_inbox(loads.settings, MAIL, "gamma")) == []
    again = loads.load_all("sendgrid_events", list(landed_inbox(loads.settings, MAIL, None)))
    assert [item.is_new for item in again] == [False, False]


def test_a_missing_inbox_is_named_with_its_setting(loads: Loads) -> None:
    loads.use(inbox_url=str(loads.settings.var / "away"))
    with pytest.raises(ConfigurationError, match="INBOX_URL"):
        list(landed_inbox(loads.settings, MAIL, None))


def test_folders_and_files_are_landed_in_order_of_name(loads: Loads, tmp_path: Path) -> None:
    for number, name in enumerate(("spool/b", "spool/a", "single")):
        put(tmp_path / name, number)
    landed = list(landed_paths(loads.settings, MAIL, "acme", [str(tmp_path / "spool"), str(tmp_path / "single")]))
    assert [item.byte_count for item in landed] == [
        (tmp_path / name).stat().st_size for name in ("spool/a", "spool/b", "single")
    ]
    assert len({item.sha256 for item in landed}) == 3


def test_an_unreadable_file_is_a_source_error_with_its_name(loads: Loads) -> None:
    unreadable = "/proc/self/mem"  # opens, but nobody can read its first byte, not even root
    (caught,) = landed_paths(loads.settings, MAIL, "acme", [unreadable])
    assert isinstance(caught, SourceError)
    assert unreadable in str(caught)
    assert "landing zone" not in str(caught)


@pytest.fixture
def log(loads: Loads) -> Loads:
    """A warehouse, and a campaign system's database with a dispatch log (in the same Postgres)."""
    loads.rows(
        "create schema campaigns; create table campaigns.log (dispatch_id bigint, occurred_at timestamptz,"
        " channel text, status text, recipient text, campaign_id text, provider text, provider_message_id text,"
        " secret text);"
        " insert into campaigns.log values"
        " (1, '2026-03-01 10:00+01', 'email', 'queued', 'ann@example.com', 'spring', null, null, 'x'),"
        " (1, '2026-03-01 10:05+01', 'email', 'handed_over', 'ann@example.com', 'spring', 'sendgrid', 'm1', 'x'),"
        " (2, '2026-03-01 10:00+01', 'sms', 'not_sent', '+15005550006', null, null, null, 'x') returning 1"
    )
    loads.use(dispatch_log_url=loads.url.replace("postgresql://", "postgresql+psycopg2://"))
    return loads


def load_table(loads: Loads, table: str = "table:campaigns.log") -> list:
    return loads.load_all("dispatch_log", list(landed_paths(loads.settings, LOG, "acme", [table])))


def test_a_sql_table_is_loaded(log: Loads) -> None:
    (done,) = load_table(log)
    assert counts(done.row) == {"read": 3, "loaded": 3, "mapped": 3, "inserted": 3}
    found = log.rows(
        "select dispatch_id, event_type, campaign_id, gateway, provider_message_id, extra from fact.event order by 1, 2"
    )
    assert found == [
        ("1", "handed_over", "spring", "sendgrid", "m1", None),
        ("1", "queued", "spring", None, None, None),
        ("2", "suppressed", None, None, None, None),
    ]


def test_an_unchanged_sql_table_loads_nothing_new(log: Loads) -> None:
    load_table(log)
    before = log.stamps()
    (again,) = load_table(log)
    assert not again.is_new
    assert log.stamps() == before
    log.rows("insert into campaigns.log select 3, '2026-03-01 11:00Z', 'email', 'queued' returning 1")
    (done,) = load_table(log)
    assert counts(done.row) == {"read": 4, "loaded": 1, "duplicate": 3, "mapped": 4, "inserted": 1, "unchanged": 3}


def test_a_sql_table_gives_the_same_bytes_in_any_order_of_rows(log: Loads) -> None:
    twins = (
        "insert into campaigns.log select 9, '2026-03-01 11:00Z', 'email', 'handed_over', null, null, 'sendgrid', id"
    )
    log.rows(twins + " from unnest(array['m7', 'm8']) as id returning 1")
    load_table(log)
    log.rows("update campaigns.log set secret = 'y' where provider_message_id = 'm7' returning 1")
    (again,) = load_table(log)
    assert not again.is_new


def test_a_value_that_sqlite_does_not_read_as_a_time_is_an_error(loads: Loads, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "log.sqlite")) as campaigns, campaigns:
        campaigns.execute("create table log (dispatch_id text, occurred_at timestamp, channel text, status text)")
        campaigns.execute("insert into log values ('1', 'ann@example.com', 'email', 'queued')")
    loads.use(dispatch_log_url=f"sqlite:///{tmp_path}/log.sqlite")
    with pytest.raises(SourceError, match=r"table:main\.log of DISPATCH_LOG_URL: a value does not have the type"):
        load_table(loads, "table:main.log")


def test_a_sql_table_without_a_required_column_is_an_error(log: Loads) -> None:
    log.rows("alter table campaigns.log drop column status, drop column channel; select 1")
    with pytest.raises(SourceError, match=r"table:campaigns\.log lacks the columns channel, status"):
        load_table(log)
    assert log.rows("select * from ops.load") == []


def test_naive_times_of_a_sql_table_are_rejected_as_records(log: Loads) -> None:
    log.rows("alter table campaigns.log alter column occurred_at type timestamp; select 1")
    (done,) = load_table(log)
    assert counts(done.row) == {"read": 3, "rejected": 3}
    reasons = log.rows("select distinct reason from private.rejected_record")
    assert reasons == [("occurred_at: time without zone",)]


@pytest.mark.parametrize(
    ("table", "error"),
    [
        ("table:campaigns.nothing", SourceError),
        ("table:nowhere.log", SourceError),
        ("table:a.b.c", UsageError),
        ("table:campaigns.log; drop table x", UsageError),
    ],
)
def test_a_missing_sql_table_is_an_error(log: Loads, table: str, error: type) -> None:
    with pytest.raises(error, match=table.replace(".", r"\.")):
        load_table(log, table)


def test_no_error_contains_the_password_of_the_dispatch_log(log: Loads) -> None:
    log.use(dispatch_log_url="postgresql+psycopg2://reader:hunter2@127.0.0.1:1/campaigns")
    with pytest.raises(SourceError, match="DISPATCH_LOG_URL") as caught:
        load_table(log)
    assert "hunter2" not in str(caught.value)
    log.settings = replace(log.settings, dispatch_log_url=None)
    with pytest.raises(ConfigurationError, match="DISPATCH_LOG_URL is not set"):
        load_table(log)
    log.settings = replace(log.settings, dispatch_log_url="no-such-driver://reader:hunter2@nowhere/x")
    with pytest.raises((SourceError, ConfigurationError), match="DISPATCH_LOG_URL") as caught:
        load_table(log)
    assert "hunter2" not in str(caught.value)


def test_only_the_dispatch_log_is_read_from_a_sql_table(log: Loads) -> None:
    with pytest.raises(UsageError, match="only the dispatch_log"):
        list(landed_paths(log.settings, MAIL, "acme", ["table:campaigns.log"]))


def pull_table(log: Loads, **settings: str) -> list[tuple[str, int, int]]:
    """Pull and load; return the loaded objects, each with its rows and new events."""
    log.use(dispatch_log_table="campaigns.log", accounts=("acme",), **settings)
    seen = {row[0] for row in log.rows("select load_id from ops.load")}
    (slice_,) = slices(log.target, LOG, datetime.now(UTC))
    load_pull(log.target, LOG, pull(log.target, LOG, slice_).pull_id).checked()
    return log.rows(
        "select source, record_count, inserted_count from ops.load join ops.load_object using (load_id)"
        " join ops.object using (object_id) where not load_id = any(%s) order by 1",
        (list(seen),),
    )


def insert(log: Loads, *days: str, dispatch_id: int = 7) -> None:
    for day in days:
        log.rows(
            "insert into campaigns.log (dispatch_id, occurred_at, channel, status)"
            f" values ({dispatch_id}, '2026-{day} 11:00Z', 'email', 'queued') returning 1"
        )


def test_a_pull_reads_the_last_days_of_the_table(log: Loads) -> None:
    insert(log, "02-20", "03-05")
    assert pull_table(log) == [
        ("table:campaigns.log 2026-02-20", 1, 5),
        ("table:campaigns.log 2026-03-01", 3, 5),
        ("table:campaigns.log 2026-03-05", 1, 5),
    ]
    assert pull_table(log) == []
    insert(log, "03-01", "03-02", "03-09", dispatch_id=8)
    assert pull_table(log) == [("table:campaigns.log 2026-03-02", 1, 2), ("table:campaigns.log 2026-03-09", 1, 2)]
    # a row that is written more than three days late needs a load of the whole table
    late = load_table(log)
    assert sum(done.row.inserted_count for done in late if done.is_new) == 1


def test_a_day_that_could_not_be_loaded_is_read_again(log: Loads) -> None:
    insert(log, "02-20", "03-05")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("waybill.flow.ingest.stage_load", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            pull_table(log)
    assert len(pull_table(log)) == 3


@pytest.mark.parametrize(("left_out", "first"), [(None, date(2026, 2, 20)), ("given_up", date(2026, 3, 2))])
def test_a_pull_reads_from_the_first_day_that_is_neither_loaded_nor_left_out(
    log: Loads, left_out: str | None, first: date
) -> None:
    insert(log, "02-20", "03-05")
    pull_table(log)
    days = "source = 'table:campaigns.log 2026-02-20'"
    unloaded = f"delete from ops.load_object where object_id = (select object_id from ops.object where {days})"
    log.rows(f"{unloaded} returning 1")
    log.rows(f"update ops.object set left_out = %s where {days} returning 1", (left_out,))
    with log.warehouse.connect() as connection, connection.cursor() as cursor:
        assert first_day_to_read(cursor, LOG, "acme", "table:campaigns.log") == first


def test_another_column_may_say_when_a_row_was_written(log: Loads) -> None:
    log.rows("alter table campaigns.log add written_at date default '2026-04-01'; select 1")
    assert pull_table(log, dispatch_log_watermark="written_at") == [("table:campaigns.log 2026-04-01", 3, 3)]
    insert(log, "01-01")
    log.rows("update campaigns.log set written_at = null where dispatch_id = 7 returning 1")
    assert pull_table(log) == [("table:campaigns.log without a day", 1, 1)]
    log.rows("alter table campaigns.log add number int; select 1")
    with pytest.raises(ConfigurationError, match=r"DISPATCH_LOG_WATERMARK: number .* is INTEGER\(\), not a time"):
        pull_table(log, dispatch_log_watermark="number")
    with pytest.raises(ConfigurationError, match=r"DISPATCH_LOG_WATERMARK: table:campaigns.log has no column later"):
        pull_table(log, dispatch_log_watermark="later")


def test_the_watermark_of_the_first_pull_is_a_time_too(log: Loads) -> None:
    with pytest.raises(ConfigurationError, match=r"DISPATCH_LOG_WATERMARK: status of table:campaigns.log is TEXT"):
        pull_table(log, dispatch_log_watermark="status")


def test_the_account_of_a_table_is_named_if_there_are_several(log: Loads) -> None:
    log.use(dispatch_log_table="campaigns.log", accounts=("acme", "north"))
    with pytest.raises(ConfigurationError, match="DISPATCH_LOG_ACCOUNT"):
        slices(log.target, LOG, datetime.now(UTC))
    log.use(dispatch_log_account="north")
    assert [one.account for one in slices(log.target, LOG, datetime.now(UTC))] == ["north"]
