"""The checks of `waybill doctor`. Every finding says what is wrong and how to fix it."""

import shlex
import shutil
import stat
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psycopg2
from psycopg2.extensions import cursor as Cursor  # noqa: N812
from psycopg2.extensions import parse_dsn

from waybill import __version__, installed_files
from waybill.feeds import FEEDS
from waybill.feeds.api import ApiFeed
from waybill.landing import inbox
from waybill.landing.objects import check_writable
from waybill.ledger.loads import check_key
from waybill.ledger.replay_due import in_words, replays_due
from waybill.model.days import offset_changes
from waybill.model.errors import ConfigurationError, WaybillError
from waybill.reports import joins
from waybill.settings import Settings
from waybill.warehouse.clock import clock_problem
from waybill.warehouse.connection import LOADER, REPORTER, connected, warehouse_url, without_password
from waybill.warehouse.migrations import OLDEST_SERVER, is_migrated, migration_files
from waybill.warehouse.queries import only_row, only_value, sql_of

FIRST = datetime(2005, 1, 1, tzinfo=UTC)
UNTIL = datetime(2101, 1, 1, tzinfo=UTC)
TESTED_PYTHONS = ((3, 11), (3, 12), (3, 13))
"""The versions that `requires-python` in pyproject.toml allows."""
LEAST_FREE_BYTES = 1 << 30
MOST_ENTRIES = 10_000
"""How many entries of the inbox are checked."""
MOST_NAMED = 10
"""How many problems of the inbox are listed."""


class Finding(msgspec.Struct):
    """The result of one check."""

    subject: str
    is_ok: bool
    message: str


def examine() -> Iterator[Finding]:
    """Check settings, folders and the warehouse. Checks that depend on a broken part are skipped."""
    yield _python()
    problem = installed_files.problem()
    yield Finding("installation", problem is None, problem or f"Waybill {__version__}, complete")
    if problem is not None:
        return
    try:
        settings = Settings.from_environment()
        settings.keyring  # noqa: B018 - makes or checks the key
    except WaybillError as error:
        yield Finding("settings", False, str(error))
        return
    except OSError as error:
        yield Finding("settings", False, f"{error.strerror}: {error.filename}; set WAYBILL_VAR to your own folder")
        return
    yield Finding("settings", True, f"key fingerprint {settings.keyring.fingerprint}")
    yield from _credentials(settings)
    problem = landing_problem(settings)
    problem = problem or _open_to_others(settings.landing_url, 0o077, "read the events and their addresses")
    yield Finding("landing", problem is None, problem or settings.landing_url)
    yield from _inbox(settings)
    yield from _disk(settings)
    problem = None if settings.warehouse_url is None else url_problem(settings.warehouse_url)
    if problem is not None:
        yield Finding("warehouse", False, problem)
        return
    try:
        url = warehouse_url(settings)
        with connected(url) as connection, connection.cursor() as cursor:
            yield from _server(url, cursor)
        if settings.warehouse_url is not None:
            problem = migrations_problem(url)
            found = "up to date" if problem is None else f"the warehouse {problem}"
        else:
            found = "up to date" if is_migrated(url) else "to be applied by the next command that needs them"
        yield Finding("migrations", problem is None, found)
        if found == "up to date":
            yield from _warehouse(settings, url)
    except (WaybillError, psycopg2.Error) as error:
        reason = str(error) if isinstance(error, WaybillError) else f"{type(error).__name__}; see the server's log"
        yield Finding("warehouse", False, reason)


def _python() -> Finding:
    version = sys.version.split()[0]
    if sys.version_info[:2] in TESTED_PYTHONS:
        return Finding("python", True, version)
    tested = ", ".join(f"{major}.{minor}" for major, minor in TESTED_PYTHONS)
    return Finding("python", False, f"{version}: Waybill is tested with {tested}; use one of these")


def url_problem(url: str) -> str | None:
    """Return what is wrong with the form of WAREHOUSE_URL, without the URL itself, which may contain a password. None
    if its form is right."""
    expected = "expected a libpq URL, such as postgresql://waybill@db.example.org/warehouse"
    if not url.startswith(("postgresql://", "postgres://")):
        return f"WAREHOUSE_URL does not begin with postgresql:// ; {expected}."
    try:
        port = parse_dsn(url).get("port", "")
    except psycopg2.ProgrammingError:
        port = "none"
    if not all(part.isdigit() or not part for part in port.split(",")):  # a password with a slash looks like a port
        return f"WAREHOUSE_URL is malformed (is every special character in its password percent-encoded?); {expected}."
    return None


def landing_problem(settings: Settings) -> str | None:
    """Return why LANDING_URL cannot be written and what to do; None if it can be written."""
    try:
        check_writable(settings.landing_url)
    except ConfigurationError as error:
        return str(error).removesuffix(".")
    return None


def _open_to_others(url: str, bits: int, what: str) -> str | None:
    """Return how to close a folder to other users of this machine; None if it is closed, or is not a local folder."""
    folder = Path(url)
    if not folder.is_dir() or not (mode := stat.S_IMODE(folder.stat().st_mode)) & bits:
        return None
    return f"{url} has mode {mode:04o}: other users of this machine can {what}; `chmod -R go-rwx {shlex.quote(url)}`"


def _credentials(settings: Settings) -> Iterator[Finding]:
    """Yield for each account the settings with the credentials of each provider that it uses, never their values."""
    of_provider = {feed.provider: feed for feed in FEEDS.values() if isinstance(feed, ApiFeed)}
    for account in settings.accounts:
        used = [feed for feed in of_provider.values() if settings.uses(feed, account)]
        for feed in used:
            try:
                settings.access_of(feed, account)
                yield Finding("credentials", True, f"{account}: {feed.provider} by {' and '.join(feed.credentials)}")
            except ConfigurationError as error:
                yield Finding("credentials", False, str(error))
        if not used:
            names = sorted(name for feed in of_provider.values() for name in feed.credentials)
            yield Finding("credentials", True, f"{account}: none in the environment ({', '.join(names)})")


def _inbox(settings: Settings) -> Iterator[Finding]:
    where = without_password(settings.inbox_url)
    if inbox.is_yet_to_be_made(settings):
        yield Finding("inbox", True, f"{where} will be created by the first command that looks for files")
        return
    try:
        problems = [*inbox.misplaced(settings), *(f"{entry}." for entry in inbox.unread(settings, MOST_ENTRIES))]
    except WaybillError as error:
        problems = [str(error)]
    for problem in problems[:MOST_NAMED]:
        yield Finding("inbox", False, problem)
    if len(problems) > MOST_NAMED:
        yield Finding("inbox", False, f"{len(problems) - MOST_NAMED} more problems: fix these first")
    is_open = _open_to_others(settings.inbox_url, 0o002, "put their own files into it")
    if is_open is not None:
        yield Finding("inbox", False, is_open)
    elif not problems:
        yield Finding("inbox", True, where)


def migrations_problem(url: str) -> str | None:
    """Return which migrations the warehouse lacks and what to do, as a sentence without its subject "the warehouse".
    None if none is missing, or if this login may not see them. Writes nothing."""
    with connected(url) as connection, connection.cursor() as cursor:
        cursor.execute(sql_of("cli/doctor", "migration_table"))
        found = cursor.fetchone()
        if found is None:
            return "has no tables yet: run `waybill warehouse up`, as a login that may create schemas and roles"
        if not found[1]:
            return None
        cursor.execute("select name from ops.migration")
        applied = {name for (name,) in cursor.fetchall()}
    missing = sorted({file.name for file in migration_files()} - applied)
    if missing:
        return f"lacks {', '.join(missing)} of this release: run `waybill warehouse migrate`"
    return None


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.var
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    yield Finding(
        "disk",
        free >= LEAST_FREE_BYTES,
        f"{free / (1 << 30):.1f} GB free under {settings.var}"
        + ("" if free >= LEAST_FREE_BYTES else ": free some space, or set WAYBILL_VAR and LANDING_URL to another disk"),
    )


def _server(url: str, cursor: Cursor) -> Iterator[Finding]:
    version = cursor.connection.server_version
    name = f"{without_password(url)}, Postgres {version // 10000}"
    is_new = version >= OLDEST_SERVER
    yield Finding("warehouse", is_new, name if is_new else f"{name}: upgrade it to {OLDEST_SERVER // 10000} or later")
    cursor.execute("select current_setting('server_encoding')")
    encoding = only_value(cursor, str)
    if encoding != "UTF8":
        yield Finding("encoding", False, f"the database is in {encoding}: create it with encoding 'UTF8'")
    problem = clock_problem(cursor)
    if problem is not None:
        yield Finding("clock", False, problem)


def _warehouse(settings: Settings, url: str) -> Iterator[Finding]:
    for role in (LOADER, REPORTER):
        try:
            with connected(url, role):
                yield Finding(role, True, "this login may act as it")
        except WaybillError as error:
            yield Finding(role, False, str(error))
            return
    with connected(url, LOADER) as connection, connection.cursor() as cursor:
        try:
            check_key(cursor, settings.keyring)
            yield Finding("key", True, "matches the warehouse")
        except WaybillError as error:
            yield Finding("key", False, str(error))
        connection.rollback()
        cursor.execute("select value from ops.setting where name = 'report_timezone'")
        zone = only_value(cursor, str)
        same = settings.report_timezone in (None, zone)
        yield Finding(
            "report zone",
            same,
            zone
            if same
            else f"REPORT_TIMEZONE is {settings.report_timezone}, the reports are in {zone}: set it to that, or run "
            "`waybill report rebuild --full`",
        )
        yield _zone_rules(cursor, zone)
        yield from _states(cursor)
    with connected(url, REPORTER) as connection, connection.cursor() as cursor:
        yield _joins(cursor, settings.unjoined_ceiling)


def zone_rules_differ(cursor: Cursor, zone: str) -> list[datetime]:
    """Return the times from 2005 to 2100 at which Postgres and Python disagree on a zone's offset; empty is right."""
    cursor.execute(sql_of("cli/doctor", "offset_changes"), {"zone": zone, "first": FIRST, "until": UNTIL})
    in_postgres = set(cursor.fetchall())
    in_python = set(offset_changes(zone, FIRST, UNTIL))
    return sorted({at for at, _ in in_postgres ^ in_python})


def _zone_rules(cursor: Cursor, zone: str) -> Finding:
    differing = zone_rules_differ(cursor, zone)
    if not differing:
        return Finding("zone rules", True, f"Postgres and Python agree on {zone}, 2005 to 2100")
    return Finding(
        "zone rules",
        False,
        f"Postgres and Python differ on {zone} from {differing[0]:%Y-%m-%d %H:%M} UTC on ({len(differing)} changes): "
        "update both to the same version of the time zone data (Python: the package tzdata; Postgres: its packages)",
    )


def _sentence(text: str | None) -> str:
    """Return the text with a full stop at its end, so that another sentence can follow."""
    return text if text and text.endswith((".", "!", "?")) else f"{text or 'for an unknown reason'}."


def _states(cursor: Cursor) -> Iterator[Finding]:
    cursor.execute("select stale_reason from ops.report_state")
    stale: str | None = only_row(cursor)[0]
    yield Finding(
        "reports",
        stale is None,
        "not stale" if stale is None else f"stale: {_sentence(stale)} Fix that and run `waybill report rebuild`",
    )
    cursor.execute(sql_of("cli/doctor", "stopped_loads"))
    for load_id, feed, account, reason in cursor.fetchall():
        yield Finding(
            "loads",
            False,
            f"load {load_id} of {feed}, account {account}, was stopped, and no later load was published: "
            f"{_sentence(reason)} Fix that and load the same files again",
        )
    due = replays_due(cursor)
    yield Finding("identity", not due, in_words(due) if due else "all messages have the keys of this release")
    cursor.execute(
        "select count(*) from private.rejected_record where resolved_load_id is null and dismissed_at is null"
    )
    count = only_value(cursor, int)
    yield Finding("rejected records", True, f"{count} wait (`waybill rejected list`)" if count else "none")


def _joins(cursor: Cursor, ceiling: float) -> Finding:
    """Return a finding that is never BAD: other systems make the ids, so nothing is broken here."""
    warned = [share for share in joins.shares(cursor, ceiling) if share.is_warning]
    if not warned:
        return Finding("joins", True, "hand-overs and gateway messages join")
    worst = max(warned, key=lambda share: share.share)
    more = f", and {len(warned) - 1} more" if len(warned) > 1 else ""
    return Finding(
        "joins", True, f"warning: {worst.account}, {worst.feed}: {worst}{more}; see `waybill status --joins`"
    )
