"""doctor: a wrong state is BAD, and its message says how to fix it."""

from collections import namedtuple
from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import KEY, Warehouse
from tests.waybill.cli.commands import environment_of
from waybill import doctor
from waybill.feeds import FEEDS
from waybill.model.days import offset_changes
from waybill.warehouse import clock


@pytest.fixture(autouse=True)
def settings(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment_of(warehouse).items():
        monkeypatch.setenv(name, value)
    for name in ("LANDING_URL", "REPORT_TIMEZONE"):
        monkeypatch.delenv(name, raising=False)


def findings() -> dict[str, tuple[bool, str]]:
    return {finding.subject: (finding.is_ok, finding.message) for finding in doctor.examine()}


def bad() -> dict[str, str]:
    found = findings()
    assert found
    return {subject: message for subject, (is_ok, message) in found.items() if not is_ok}


def run(warehouse: Warehouse, statement: str) -> None:
    connection = warehouse.connect()
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


def test_a_healthy_warehouse_has_no_bad_findings(warehouse: Warehouse) -> None:
    assert bad() == {}
    assert findings().keys() == {
        "python",
        "installation",
        "settings",
        "landing",
        "inbox",
        "disk",
        "warehouse",
        "migrations",
        "waybill_loader",
        "waybill_reporter",
        "key",
        "report zone",
        "zone rules",
        "reports",
        "identity",
        "rejected records",
        "joins",
    }
    assert warehouse.rows("select count(*) from ops.setting where name = 'key_fingerprint'") == [(0,)], (
        "doctor writes nothing"
    )


def test_the_credentials_of_each_account_are_named_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCOUNTS", "north,south,west")
    for name in (
        "MAILGUN_DOMAIN__north",
        "MAILGUN_API_KEY__north",
        "SPARKPOST_API_KEY__north",
        "MAILGUN_DOMAIN__south",
    ):
        monkeypatch.setenv(name, "s3cret.example")
    found = [(one.is_ok, one.message) for one in doctor.examine() if one.subject == "credentials"]
    assert [(is_ok, message.partition(".")[0]) for is_ok, message in found] == [
        (True, "north: mailgun by MAILGUN_DOMAIN and MAILGUN_API_KEY"),
        (True, "north: sparkpost by SPARKPOST_API_KEY"),
        (False, "mailgun_events of account south cannot be pulled: MAILGUN_API_KEY is not set"),
        (True, "west: none in the environment (" + found[-1][1].partition(" (")[2]),
    ]
    assert "TWILIO_AUTH_TOKEN" in found[-1][1] and "s3cret" not in str(found)


def test_different_versions_of_time_zone_data_are_bad(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """The data of Python and Postgres differ as after a change of law: one summer is longer."""

    def newer(zone: str, first: datetime, until: datetime) -> list[tuple[datetime, int]]:
        changes = offset_changes("Europe/Berlin", first, until)
        moved = datetime(2031, 3, 30, 1, tzinfo=UTC)
        assert moved in [at for at, _ in changes]
        return [(at - timedelta(days=7) if at == moved else at, seconds) for at, seconds in changes]

    run(warehouse, "update ops.setting set value = 'Europe/Berlin' where name = 'report_timezone'")
    assert bad() == {}
    monkeypatch.setattr(doctor, "offset_changes", newer)
    found = bad()
    assert found.keys() == {"zone rules"}
    assert "differ on Europe/Berlin from 2031-03-23 01:00 UTC on (2 changes)" in found["zone rules"]
    assert "update both to the same version of the time zone data" in found["zone rules"]


def test_missing_or_wrong_settings_are_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECIPIENT_HMAC_KEY")
    assert bad().keys() == {"settings"} and "openssl rand -hex 32" in bad()["settings"]
    monkeypatch.setenv("RECIPIENT_HMAC_KEY", KEY)
    monkeypatch.setenv("REPORT_TIMEZONE", "Asia/Tokyo")
    assert "`waybill report rebuild --full`" in bad()["report zone"]
    monkeypatch.delenv("REPORT_TIMEZONE")
    monkeypatch.delenv("WAREHOUSE_URL")
    monkeypatch.delenv("RECIPIENT_HMAC_KEY")
    monkeypatch.setenv("WAYBILL_VAR", "/dev/null/x")
    assert "set WAYBILL_VAR to your own folder" in bad()["settings"]


def test_another_key_than_that_of_the_warehouse_is_bad(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    run(warehouse, "insert into ops.setting (name, value) values ('key_fingerprint', 'another')")
    assert bad().keys() == {"key"} and "Set the old one" in bad()["key"]


def test_a_landing_zone_that_cannot_be_written_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDING_URL", "/dev/null/landing")
    assert bad().keys() == {"landing"} and "Set LANDING_URL to a place that can be written" in bad()["landing"]
    monkeypatch.setenv("LANDING_URL", "nonsense://bucket")
    assert bad().keys() == {"landing"}


def test_a_full_disk_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: usage(1 << 40, 1 << 40, 1 << 20))
    assert bad().keys() == {"disk"} and "free some space" in bad()["disk"]


def test_a_wrong_clock_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    class Late(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return datetime.now(tz) - timedelta(minutes=5)

    monkeypatch.setattr(clock, "datetime", Late)
    assert bad().keys() == {"clock"} and "NTP" in bad()["clock"]


def test_an_unreachable_warehouse_is_bad_and_its_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", "postgresql://u:pa55word@127.0.0.1:1/x")
    assert bad().keys() == {"warehouse"} and "Check WAREHOUSE_URL" in bad()["warehouse"]
    monkeypatch.setenv("WAREHOUSE_URL", "host=x password=pa55word")
    assert bad().keys() == {"warehouse"} and "pa55word" not in str(findings())


def test_missing_tables_are_bad(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    run(warehouse, "delete from ops.migration where name like '0004%'")
    assert "lacks 0004_fact.sql of this release: run `waybill warehouse migrate`" in bad()["migrations"]
    monkeypatch.setenv("WAREHOUSE_URL", warehouse.server.url_of("postgres"))
    assert "has no tables yet: run `waybill warehouse up`" in bad()["migrations"]


def test_a_login_without_the_roles_is_bad(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    run(warehouse, "drop role if exists waybill_test_stranger")
    run(warehouse, "create role waybill_test_stranger login")
    try:
        monkeypatch.setenv("WAREHOUSE_URL", warehouse.url.replace("postgres:@", "waybill_test_stranger:@"))
        found = bad()
        assert found.keys() == {"waybill_loader"} and "grant waybill_loader to <login>" in found["waybill_loader"]
        run(warehouse, "grant waybill_loader, waybill_reporter to waybill_test_stranger")
        assert bad() == {}, "a login needs no more than membership in the roles"
    finally:
        run(warehouse, "drop role waybill_test_stranger")


def test_an_old_server_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "OLDEST_SERVER", 990_000)
    assert "upgrade it to 99 or later" in bad()["warehouse"]


def test_stopped_loads_and_stale_reports_are_bad(warehouse: Warehouse) -> None:
    run(
        warehouse,
        "insert into ops.load (account, feed, kind, digest, rules_version, code_version, status, stop_reason)"
        " values ('acme', 'sendgrid_events', 'load', 'd', 1, '1', 'stopped', 'too much noise.')",
    )
    run(warehouse, "update ops.report_state set stale_reason = 'build 7: a sum is off.', stale_since = now()")
    found = bad()
    assert found.keys() == {"loads", "reports"}
    assert "load 1 of sendgrid_events, account acme, was stopped" in found["loads"]
    assert "too much noise. Fix that and load the same files again" in found["loads"]
    assert "a sum is off. Fix that and run `waybill report rebuild`" in found["reports"]
    run(
        warehouse,
        "insert into ops.load (account, feed, kind, digest, rules_version, code_version, status, read_count,"
        " loaded_count, duplicate_count, rejected_count, ignored_count, mapped_count, inserted_count, revised_count,"
        " unchanged_count) values ('acme', 'sendgrid_events', 'load', 'd', 1, '1', 'published', 0,0,0,0,0,0,0,0,0)",
    )
    assert bad().keys() == {"reports"}


def test_the_default_inbox_is_not_created(warehouse: Warehouse) -> None:
    assert findings()["inbox"] == (
        True,
        f"{warehouse.settings.var}/inbox will be created by the first command that looks for files",
    )
    assert not (warehouse.settings.var / "inbox").exists()


def test_an_inbox_that_a_setting_names_must_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INBOX_URL", "/nowhere/inbox")
    assert bad().keys() == {"inbox"}
    assert bad()["inbox"].startswith("There is no inbox at /nowhere/inbox, which INBOX_URL names. Mount or create it")


def test_files_and_folders_of_the_inbox_that_no_feed_reads_are_listed(warehouse: Warehouse) -> None:
    inbox = warehouse.settings.var / "inbox"
    (inbox / "acme" / "sendgrid_events").mkdir(parents=True)
    assert findings()["inbox"] == (True, str(inbox))
    (inbox / "acme" / "sendgrid").mkdir()
    (inbox / "acme" / "sendgrid_events" / "link").symlink_to("/dev/zero")
    messages = [finding.message for finding in doctor.examine() if finding.subject == "inbox"]
    assert len(messages) == 2
    assert f"acme/sendgrid/ is the folder of no feed; feeds are: {', '.join(FEEDS)}" in messages[0]
    assert "link is a link, and links are not followed" in messages[1]
    for number in range(20):
        (inbox / f"wrong feed {number}").mkdir()
    messages = [finding.message for finding in doctor.examine() if finding.subject == "inbox"]
    assert len(messages) == 11 and messages[-1] == "12 more problems: fix these first"


@pytest.mark.parametrize(("name", "mode", "can"), [("landing", 0o755, "read"), ("inbox", 0o777, "put their own files")])
def test_folders_that_other_users_may_enter_are_bad(warehouse: Warehouse, name: str, mode: int, can: str) -> None:
    folder = warehouse.settings.var / name
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)
    assert name not in bad()
    folder.chmod(mode)
    assert f"mode 0{mode:o}: other users of this machine can {can}" in bad()[name]
    assert f"chmod -R go-rwx {folder}" in bad()[name]
