"""Every foreseen error has an exit code and says what to do; no error shows a traceback or a value of a record."""

from pathlib import Path

import psycopg2
import pytest

from tests.conftest import KEY, Server, Warehouse
from tests.waybill.cli.commands import environment_of, waybill
from waybill.cli import main
from waybill.feeds import FEEDS

USAGE, CONFIGURATION, SOURCE = 2, 3, 4
NOWHERE = {"WAREHOUSE_URL": "postgresql://u:pa55word@127.0.0.1:1/x", "RECIPIENT_HMAC_KEY": KEY}
ONE_EVENT = b'{"email":"a@b.example","event":"open","timestamp":1772442851,"sg_message_id":"m.1"}\n'

CALLS = [
    (["load", "nothing", "x"], USAGE, f"There is no feed 'nothing'. Feeds: {', '.join(FEEDS)}."),
    (["normalise", "nothing"], USAGE, "There is no feed"),
    (["load", "sendgrid_events", "/no/such/folder"], USAGE, "no such file or folder. Nothing was loaded"),
    (["load", "sendgrid_events", "--account", ""], USAGE, "account ''"),
    (["load", "sendgrid_events", "--account", "a@b"], USAGE, "letters, digits"),
    (["load", "sendgrid_events", "table:x.y"], USAGE, "only the dispatch_log"),
    (["unload", "3", "--because", " "], USAGE, "--because is empty"),
    (["load", "dispatch_log", "table:x.y"], CONFIGURATION, "DISPATCH_LOG_URL is not set"),
    (["load", "sendgrid_events"], USAGE, "there is no inbox"),
    (["load"], USAGE, "Missing argument 'FEED'"),
    (["load", "sendgrid_events", "--nonsense"], USAGE, "No such option"),
    (["normalise", "sendgrid_events", "/no/such/file"], USAGE, "no such file"),
    (["normalise", "sendgrid_events", "/"], USAGE, "is a folder"),
    (["replay", "twilio_calls", "--from", "yesterday", "--until", "2026-01-01"], USAGE, "--from 'yesterday'"),
    (["replay", "twilio_calls", "--from", "2026-01-01", "--until", "2026-01-02T00:00:00"], USAGE, "needs a zone"),
    (["replay", "twilio_calls", "--from", "2026-01-02", "--until", "2026-01-01"], USAGE, "must be later than"),
    (["replay", "twilio_calls", "--from", "2026-01-02"], USAGE, "--until"),
    (["report", "show", "nope"], USAGE, "There is no report 'nope'. Reports: email_engagement_daily"),
    (["report", "show", "email_campaign", "--from-day", "2026-13-01"], USAGE, "expected a date, YYYY-MM-DD"),
    (["report", "show", "email_campaign", "--from-day", "1026-01-01"], USAGE, "2005-01-01 to 2100-12-31"),
    (
        ["report", "show", "email_campaign", "--from-day", "2026-03-02", "--until-day", "2026-03-01"],
        USAGE,
        "--until-day 2026-03-01 is before --from-day 2026-03-02",
    ),
    (["report", "show", "freshness", "--from-day", "2026-03-02"], USAGE, "has no days"),
    (["report", "show", "email_campaign", "--format", "xlsx"], USAGE, "'xlsx' is not one of"),
    (["report", "rebuild", "--full", "--from-day", "2026-03-02"], USAGE, "leave out --from-day"),
    (["report", "rebuild", "--from-day", "2026-03-02"], USAGE, "go together"),
    (["rejected", "show", "7"], USAGE, "There is no rejected record 7"),
    (["rejected", "show", "x"], USAGE, "'ID'"),
    (["rejected", "list", "--feed", "nothing"], USAGE, "There is no feed"),
    (["rejected", "list", "--limit", "0"], USAGE, "--limit"),
    (["nonsense"], USAGE, "No such command"),
    (["warehouse", "down"], CONFIGURATION, "Waybill does not stop that server"),
]


@pytest.fixture(scope="module")
def settings(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    url = postgres.database()
    yield {"WAREHOUSE_URL": url, "RECIPIENT_HMAC_KEY": KEY, "WAYBILL_VAR": str(tmp_path_factory.mktemp("var"))}
    postgres.drop(url)


@pytest.mark.parametrize(("arguments", "code", "message"), CALLS, ids=[" ".join(call[0]) for call in CALLS])
def test_a_wrong_call_is_refused_with_its_exit_code(
    settings: dict[str, str], arguments: list[str], code: int, message: str
) -> None:
    answer = waybill(*arguments, settings=settings)
    assert message in answer.err
    assert answer.code == code
    assert answer.out == ""
    assert "Traceback" not in answer.err and "bug" not in answer.err


NEED_A_WAREHOUSE = [
    ["load", "sendgrid_events", __file__],
    ["replay", "sendgrid_events", "--from", "2026-01-01", "--until", "2026-01-02"],
    ["report", "show", "email_campaign"],
    ["report", "rebuild"],
    ["rejected", "list"],
    ["rejected", "show", "1"],
    ["status"],
]


@pytest.mark.parametrize("arguments", NEED_A_WAREHOUSE, ids=lambda arguments: " ".join(arguments[:2]))
def test_a_warehouse_without_tables_is_not_migrated_unasked(
    postgres: Server, tmp_path: Path, arguments: list[str]
) -> None:
    url = postgres.url_of("postgres")
    settings = {"WAREHOUSE_URL": url, "RECIPIENT_HMAC_KEY": KEY, "WAYBILL_VAR": str(tmp_path)}
    answer = waybill(*arguments, settings=settings)
    assert (answer.code, answer.out) == (CONFIGURATION, "")
    assert "has no tables yet: run `waybill warehouse up`" in answer.err
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_namespace where nspname in ('ops', 'fact', 'report')")
        assert cursor.fetchone()[0] == 0
    connection.close()


def test_a_warehouse_of_an_older_release_is_named(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.execute("delete from ops.migration where name like '0005%'")
    answer = waybill("status", settings=environment_of(warehouse))
    assert answer.code == CONFIGURATION
    assert "lacks 0005_report.sql of this release: run `waybill warehouse migrate`" in answer.err


@pytest.mark.parametrize("arguments", [*NEED_A_WAREHOUSE, ["warehouse", "up"]], ids=lambda a: " ".join(a[:2]))
def test_a_warehouse_that_cannot_be_reached_is_named(tmp_path: Path, arguments: list[str]) -> None:
    answer = waybill(*arguments, settings=NOWHERE | {"WAYBILL_VAR": str(tmp_path)})
    assert (answer.code, answer.out) == (CONFIGURATION, "")
    assert "Cannot connect to the warehouse at postgresql://u:***@127.0.0.1:1/x" in answer.err
    assert "Check WAREHOUSE_URL" in answer.err and "pa55word" not in answer.err


@pytest.mark.parametrize(
    "url",
    ["foo", "host=x password=pa55word", "postgresql://u:pa55word%ZZ@h/x", "postgresql://u:pa55word/1@h/x", "sqlite://"],
)
def test_a_malformed_url_is_refused_and_not_shown(tmp_path: Path, url: str) -> None:
    settings = {"WAREHOUSE_URL": url, "RECIPIENT_HMAC_KEY": KEY, "WAYBILL_VAR": str(tmp_path)}
    for arguments in (["status"], ["warehouse", "up"], ["doctor"]):
        answer = waybill(*arguments, settings=settings)
        assert answer.code == CONFIGURATION
        assert "WAREHOUSE_URL" in answer.out + answer.err and "libpq URL" in answer.out + answer.err
        assert "pa55word" not in answer.out + answer.err


def test_a_landing_zone_that_cannot_be_written_is_named(warehouse: Warehouse, tmp_path: Path) -> None:
    (tmp_path / "events").write_bytes(ONE_EVENT)
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    settings = environment_of(warehouse, LANDING_URL=str(blocked / "landing"))
    answer = waybill("load", "sendgrid_events", str(tmp_path / "events"), settings=settings)
    assert answer.code == CONFIGURATION
    assert "cannot write to the landing zone" in answer.err and "Set LANDING_URL" in answer.err
    assert warehouse.rows("select count(*) from ops.load") == [(0,)]


def test_a_wrong_setting_is_named(warehouse: Warehouse) -> None:
    zone = waybill("status", settings=environment_of(warehouse, REPORT_TIMEZONE="Mars/Olympus"))
    assert zone.code == CONFIGURATION and "REPORT_TIMEZONE='Mars/Olympus'" in zone.err
    other = waybill("report", "rebuild", settings=environment_of(warehouse, REPORT_TIMEZONE="Asia/Tokyo"))
    assert other.code == CONFIGURATION and "`waybill report rebuild --full`" in other.err
    keyless = {name: v for name, v in environment_of(warehouse).items() if name != "RECIPIENT_HMAC_KEY"}
    missing = waybill("load", "sendgrid_events", __file__, settings=keyless)
    assert missing.code == CONFIGURATION and "RECIPIENT_HMAC_KEY is not set" in missing.err


def test_a_truncated_file_is_an_error_of_the_source(tmp_path: Path) -> None:
    import gzip

    file = tmp_path / "events.gz"
    file.write_bytes(gzip.compress(ONE_EVENT * 1000)[:-20])
    answer = waybill("normalise", "sendgrid_events", str(file), settings={"WAYBILL_VAR": str(tmp_path)})
    assert answer.code == SOURCE and "truncated" in answer.err


class OddError(Exception):
    pass


def test_an_unforeseen_error_shows_no_values(capsys: pytest.CaptureFixture) -> None:
    def fail(address: str) -> None:
        raise OddError(f"about {address}")

    try:
        fail("someone@private.example")
    except OddError as error:
        assert main._report(error) == 1
    message = capsys.readouterr().err
    assert "bug in Waybill" in message and "OddError at" in message and "in fail" in message
    assert "someone" not in message


def test_a_database_error_shows_no_values(warehouse: Warehouse, capsys: pytest.CaptureFixture) -> None:
    def report_of(statement: str) -> tuple[int, str]:
        connection = warehouse.connect()
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement)
        except psycopg2.Error as error:
            assert "someone" in str(error) or "cannot" in str(error) or "cancel" in str(error) or "lock" in str(error)
            return main._report(error), capsys.readouterr().err
        finally:
            connection.close()
        raise AssertionError(statement)

    code, message = report_of("select 'someone@private.example'::int")
    assert code == 1 and "InvalidTextRepresentation" in message and "someone" not in message
    code, message = report_of("set statement_timeout = 1; select pg_sleep(2)")
    assert code == CONFIGURATION and "cancelled the statement" in message and "bug" not in message
    code, message = report_of("begin read only; create table t (a int)")
    assert code == CONFIGURATION and "is read-only" in message
    assert main._report(psycopg2.OperationalError("server closed the connection unexpectedly")) == CONFIGURATION
    assert "the connection broke" in capsys.readouterr().err
    assert main._report(OSError(28, "No space left on device", "/var/landing/x")) == CONFIGURATION
    assert "No space left on device: /var/landing/x" in capsys.readouterr().err
