"""kill -9 during loads and rebuilds, then the same command again: the tables equal those of an undisturbed warehouse.

There is a moment before and after each statement and commit of a command, and each durable step of its landing. A copy
of this process runs the command and kills itself at one of the moments.
"""

import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from pathlib import Path

import psycopg2
import psycopg2.extensions
import pytest

from tests.acceptance.warehouses import (
    LandedFile,
    build,
    check_equal,
    facts,
    forked,
    load_files,
    report_cells,
    until_alone,
)
from tests.conftest import KEY, Server, server_folder
from waybill.flow.erase import erase
from waybill.flow.unload import unload
from waybill.landing.objects import land
from waybill.settings import Settings
from waybill.simulator.world import World
from waybill.warehouse import embedded
from waybill.warehouse.connection import Warehouse as Target
from waybill.warehouse.migrations import migrate

ZONE = "Europe/Berlin"
FEEDS = ("dispatch_log", "sendgrid_events", "twilio_messages")
KILLED = -signal.SIGKILL


@dataclass(frozen=True)
class Stage:
    """A template warehouse, the files of the command that is killed, and the expected result.

    :ivar before: database with half of the files loaded and built
    :ivar before_one_feed: the same with the other half loaded, except for the files of one feed
    :ivar loaded: the same with the other half loaded but not built
    :ivar pending_days: the days that wait for a build in `loaded`
    :ivar tables_of_one_feed_less: facts and rejected records of `before_one_feed`
    :ivar landed: folder with a landing zone that has all files
    :ivar people: some of the recipients
    """

    before: Server
    before_one_feed: Server
    loaded: Server
    files: list[LandedFile]
    tables: dict[str, object]
    pending_days: list[tuple]
    tables_of_one_feed_less: dict[str, object]
    landed: Path
    people: list[str]
    cells_before: dict
    cells: dict
    seconds: float

    @property
    def files_of_one_feed(self) -> list[LandedFile]:
        """The files of one load."""
        return [file for file in self.files if file[1] == "sendgrid_events"]

    def of_one_feed(self) -> "Stage":
        """Return the stage of a command that loads one feed. The expected result is the same: order does not matter."""
        return replace(self, before=self.before_one_feed, files=self.files_of_one_feed)


def settings_of(url: str, folder: Path) -> Settings:
    return Settings.from_environment(
        {"WAREHOUSE_URL": url, "WAYBILL_VAR": str(folder), "RECIPIENT_HMAC_KEY": KEY, "REJECTED_CEILING": "1"}
    )


def everything_loaded(url: str) -> dict[str, object]:
    """Return facts, rejected records, and the counts of all published loads together."""
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("select account, feed, sha256, reason, raw::text from private.rejected_record order by 1, 2, 3")
        rejected = cursor.fetchall()
        cursor.execute(
            "select feed, sum(read_count), sum(loaded_count), sum(duplicate_count), sum(rejected_count),"
            " sum(ignored_count), sum(inserted_count), sum(revised_count) from ops.load where status = 'published'"
            " group by feed order by feed"
        )
        books = cursor.fetchall()
    connection.close()
    return {**facts(url), "rejected": rejected, "books": books}


def pending_days(url: str) -> list[tuple]:
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("select distinct day from ops.changed_day order by day")
        found = cursor.fetchall()
    connection.close()
    return found


def set_the_stage(server: Server, folder: Path) -> Stage:
    """Load and build undisturbed, with a template database after each step."""
    world = World(7, days=2, accounts=("north",), messages_per_day=60)
    files = [(f.account, f.feed, f.data, f.landed_after) for f in world.files() if f.feed in FEEDS]
    assert {feed for _, feed, *_ in files} == set(FEEDS)
    first, second = files[: len(files) // 2], files[len(files) // 2 :]
    url = server.database(ZONE)
    load_files(settings_of(url, folder / "first"), url, first)
    build(url)
    before = as_template(server, url)

    url = before.database(ZONE)
    started = time.monotonic()
    load_files(settings_of(url, folder / "second"), url, second)
    seconds = time.monotonic() - started
    cells_before = report_cells(url)
    tables, pending, people = everything_loaded(url), pending_days(url), every_fourth_recipient(url)
    loaded = as_template(server, url)
    assert len(pending) > 2

    url = before.database(ZONE)
    load_files(settings_of(url, folder / "second"), url, [file for file in second if file[1] != "sendgrid_events"])
    one_feed_less = everything_loaded(url)
    before_one_feed = as_template(server, url)
    landed = settings_of(url, folder / "everything")
    for account, feed, data, landed_at in files:
        land(BytesIO(data), account, feed, landed.landing_url, landed_at)

    url = loaded.database(ZONE)
    build(url)
    cells = report_cells(url)
    assert cells != cells_before
    server.drop(url)
    return Stage(
        before,
        before_one_feed,
        loaded,
        second,
        tables,
        pending,
        one_feed_less,
        folder / "everything",
        people,
        cells_before,
        cells,
        seconds,
    )


def every_fourth_recipient(url: str) -> list[str]:
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("select address from private.recipient order by address")
        found = [address for (address,) in cursor.fetchall()]
    connection.close()
    return found[::4]


def as_template(server: Server, url: str) -> Server:
    return replace(server, template=url.split("?")[0].rsplit("/", 1)[1])


@pytest.fixture(scope="module")
def stage(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = set_the_stage(postgres, tmp_path_factory.mktemp("stage"))
    yield stage
    for server in (stage.before, stage.before_one_feed, stage.loaded):
        postgres.drop(postgres.url_of(server.template))


def watch(deadly: int | None) -> list[str]:
    """Record the moments of this process from now on, and kill it at one of them (the first is number 1)."""
    moments: list[str] = []

    def moment(name: str) -> None:
        moments.append(name)
        if len(moments) == deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(owner: object, name: str) -> Callable:
        function = getattr(owner, name)

        def watched(*arguments: object, **named: object) -> object:
            moment(f"before {name}")
            result = function(*arguments, **named)
            moment(f"after {name}")
            return result

        return watched

    class Cursor(psycopg2.extensions.cursor):
        execute = around(psycopg2.extensions.cursor, "execute")
        executemany = around(psycopg2.extensions.cursor, "executemany")
        copy_expert = around(psycopg2.extensions.cursor, "copy_expert")

    class Connection(psycopg2.extensions.connection):
        commit = around(psycopg2.extensions.connection, "commit")

    connect = psycopg2.connect
    psycopg2.connect = lambda *arguments, **named: connect(
        *arguments, **named, connection_factory=Connection, cursor_factory=Cursor
    )
    for name in ("fsync", "link", "rename"):
        setattr(os, name, around(os, name))
    return moments


def moments_of(work: Callable[[], object], note: Path) -> list[str]:
    """Return the moments of an undisturbed command."""

    def noted() -> None:
        moments = watch(None)
        work()
        note.write_text("\n".join(moments))

    assert forked(noted) == 0
    return note.read_text().split("\n")


def killed_at(moment: int, work: Callable[[], object]) -> int:
    """Run a command in a copy of this process that dies at a moment; return how it ended."""

    def watched() -> None:
        watch(moment)
        work()

    return forked(watched)


def after_commits_and_some(moments: list[str]) -> list[int]:
    """Return the moments after all commits, because only commits change what a killed process leaves; and a few
    others."""
    commits = [number for number, name in enumerate(moments, start=1) if name == "after commit"]
    assert len(commits) > 4
    some = [round(len(moments) * part / 4) for part in range(1, 4)]
    return sorted({*commits, *some})


def every_one(moments: list[str]) -> list[int]:
    return list(range(1, len(moments) + 1))


def check_one_commit_point(url: str) -> None:
    """Check that each load is there as a whole with its ledger row, or not at all."""
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select (select count(*) from fact.event), (select sum(inserted_count) from ops.load),"
            " (select sum(event_count) from fact.leg) + (select count(*) from fact.event where leg_key is null),"
            " (select count(*) from ops.load where status = 'published'),"
            " (select count(distinct load_id) from ops.load_object)"
        )
        events, inserted, of_legs, published, with_objects = cursor.fetchone()
    connection.close()
    assert events == inserted == of_legs > 0
    assert published == with_objects


def check_loaded(url: str, stage: Stage) -> None:
    """Check the tables, and the days that the next build reads. A build depends on nothing else."""
    assert everything_loaded(url) == stage.tables
    assert pending_days(url) == stage.pending_days


def check_loaded_and_built(url: str, stage: Stage) -> None:
    assert everything_loaded(url) == stage.tables
    build(url)
    check_equal(report_cells(url), stage.cells)
    assert pending_days(url) == []


def check_nothing_is_left(url: str, stage: Stage, folder: Path) -> None:
    """Check that, after the sessions of dead loads end, the next load drops their tables and closes their rows."""
    until_alone(url)
    load_files(settings_of(url, folder), url, stage.files)
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("select tablename from pg_tables where schemaname = 'staging'")
        assert cursor.fetchall() == []
        cursor.execute("select build_id from ops.build where status = 'building'")
        assert cursor.fetchall() == []
    connection.close()


def disturbed_load(
    stage: Stage, folder: Path, disturb: Callable[[str, Callable[[], object]], int], is_built: bool = True
) -> int:
    """Load with a disturbance, check, load again, check again, perhaps also after a build."""
    url = stage.before.database(ZONE)
    settings = settings_of(url, folder)
    ended = disturb(url, lambda: load_files(settings, url, stage.files))
    check_one_commit_point(url)
    load_files(settings, url, stage.files)
    check_loaded(url, stage)
    if is_built:
        check_loaded_and_built(url, stage)
    check_nothing_is_left(url, stage, folder)
    stage.before.drop(url)
    return ended


def disturbed_rebuild(stage: Stage, folder: Path, disturb: Callable[[str, Callable[[], object]], int]) -> int:
    url = stage.loaded.database(ZONE)
    ended = disturb(url, lambda: build(url))
    cells = report_cells(url)
    assert cells in (stage.cells_before, stage.cells), "readers saw half a build"
    assert (pending_days(url) == []) == (cells == stage.cells)
    check_loaded_and_built(url, stage)
    check_nothing_is_left(url, stage, folder)
    stage.loaded.drop(url)
    return ended


def take_back(stage: Stage, url: str) -> None:
    """Unload the second half of the files of one feed."""
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("select max(load_id) from ops.load where feed = 'sendgrid_events' and kind = 'load'")
        (load_id,) = cursor.fetchone()
    connection.close()
    unload(Target(settings_of(url, stage.landed), url), load_id, "ann", "a test")


def kill_unloads(stage: Stage, folder: Path, points: Callable[[list[str]], list[int]]) -> None:
    url = stage.loaded.database(ZONE)
    moments = moments_of(lambda: take_back(stage, url), folder / "moments")
    stage.loaded.drop(url)
    taken, there = without_books(stage.tables_of_one_feed_less), without_books(stage.tables)
    for moment in points(moments):
        url = stage.loaded.database(ZONE)
        assert killed_at(moment, partial(take_back, stage, url)) == KILLED, f"moment {moment} of {len(moments)}"
        assert without_books(everything_loaded(url)) in (taken, there), "half of the load was taken back"
        take_back(stage, url)
        assert without_books(everything_loaded(url)) == taken
        stage.loaded.drop(url)


def erase_some(stage: Stage, url: str, folder: Path) -> None:
    """Erase every fourth recipient."""
    erase(Target(settings_of(url, folder), url), stage.people)


def landed_bytes(folder: Path) -> dict[str, bytes]:
    """Return the landed files by their path, without drafts of killed processes."""
    landing = Path(settings_of("", folder).landing_url)
    return {
        str(path.relative_to(landing)): path.read_bytes()
        for path in landing.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def kill_erases(
    stage: Stage, folder: Path, points: Callable[[list[str]], list[int]], left_out: Sequence[str] = ()
) -> None:
    """Kill erases of a landing zone.

    :param left_out: feeds whose objects are not in it
    """
    url = stage.loaded.database(ZONE)
    copy = partial(shutil.copytree, stage.landed, ignore=shutil.ignore_patterns(*left_out))
    copy(folder / "undisturbed")
    moments = moments_of(lambda: erase_some(stage, url, folder / "undisturbed"), folder / "moments")
    expected, expected_bytes = without_books(everything_loaded(url)), landed_bytes(folder / "undisturbed")
    copy(folder / "before")
    there, there_bytes = without_books(stage.tables), landed_bytes(folder / "before")
    assert len(there["private.recipient"]) - len(expected["private.recipient"]) == len(stage.people) > 5
    assert all(there[name] == expected[name] for name in there if name.startswith("fact."))
    assert sum(there_bytes[path] != expected_bytes[path] for path in there_bytes) > 3
    stage.loaded.drop(url)
    for moment in points(moments):
        url = stage.loaded.database(ZONE)
        mine = folder / str(moment)
        copy(mine)
        assert killed_at(moment, partial(erase_some, stage, url, mine)) == KILLED, f"moment {moment} of {len(moments)}"
        for path, found in landed_bytes(mine).items():
            assert found in (there_bytes[path], expected_bytes[path]), f"half of {path} was rewritten"
        erase_some(stage, url, mine)
        assert without_books(everything_loaded(url)) == expected
        assert landed_bytes(mine) == expected_bytes
        stage.loaded.drop(url)


def after_commits_and_renames(moments: list[str]) -> list[int]:
    """Return the moments after all commits, and those around the first renames."""
    commits = [number for number, name in enumerate(moments, start=1) if name == "after commit"]
    renames = [number for number, name in enumerate(moments, start=1) if name.endswith("rename")]
    assert len(commits) > 2 and len(renames) > 3
    return sorted({*commits, *renames[:3]})


def without_books(tables: dict[str, object]) -> dict[str, object]:
    return {name: rows for name, rows in tables.items() if name != "books"}


def kill_loads(stage: Stage, folder: Path, points: Callable[[list[str]], list[int]]) -> None:
    url = stage.before.database(ZONE)
    moments = moments_of(lambda: load_files(settings_of(url, folder), url, stage.files), folder / "moments")
    stage.before.drop(url)
    assert len(moments) > 100
    assert "after link" in moments
    for number, moment in enumerate(points(moments)):
        disturb = lambda _, work, at=moment: killed_at(at, work)  # noqa: E731
        ended = disturbed_load(stage, folder / str(moment), disturb, is_built=number % 5 == 0)
        assert ended == KILLED, f"moment {moment} of {len(moments)}"


def kill_rebuilds(stage: Stage, folder: Path, points: Callable[[list[str]], list[int]]) -> None:
    url = stage.loaded.database(ZONE)
    moments = moments_of(lambda: build(url), folder / "moments")
    stage.loaded.drop(url)
    assert len(moments) > 100
    for moment in points(moments):
        ended = disturbed_rebuild(stage, folder / str(moment), lambda _, work, at=moment: killed_at(at, work))
        assert ended == KILLED, f"moment {moment} of {len(moments)}"


def test_a_load_killed_after_any_commit_and_run_again_gives_the_same_tables(stage: Stage, tmp_path: Path) -> None:
    kill_loads(stage.of_one_feed(), tmp_path, after_commits_and_some)


def test_a_rebuild_killed_after_any_commit_and_run_again_gives_the_same_tables(stage: Stage, tmp_path: Path) -> None:
    kill_rebuilds(stage.of_one_feed(), tmp_path, after_commits_and_some)


def test_an_unload_killed_after_any_commit_and_run_again_gives_the_same_tables(stage: Stage, tmp_path: Path) -> None:
    kill_unloads(stage, tmp_path, after_commits_and_some)


def test_an_erase_killed_after_any_commit_and_run_again_is_finished(stage: Stage, tmp_path: Path) -> None:
    kill_erases(stage, tmp_path, after_commits_and_renames, ("dispatch_log", "twilio_messages"))


@pytest.mark.long
def test_an_erase_killed_at_every_moment_is_finished(stage: Stage, tmp_path: Path) -> None:
    kill_erases(stage, tmp_path, every_one)


@pytest.mark.long
def test_an_unload_killed_at_every_moment_gives_the_same_tables(stage: Stage, tmp_path: Path) -> None:
    kill_unloads(stage, tmp_path, every_one)


@pytest.mark.long
def test_loads_killed_at_every_moment_give_the_same_tables(stage: Stage, tmp_path: Path) -> None:
    kill_loads(stage, tmp_path, every_one)


@pytest.mark.long
def test_a_rebuild_killed_at_every_moment_gives_the_same_tables(stage: Stage, tmp_path: Path) -> None:
    kill_rebuilds(stage, tmp_path, every_one)


def interrupted(work: Callable[[], object], after: float, interrupt: Callable[[int], None]) -> int:
    """Run a command in a copy of this process, and interrupt it from outside `after` seconds."""
    return forked(work, lambda pid: (time.sleep(after), interrupt(pid)))


def killed_after(seconds: float, _url: str, work: Callable[[], object]) -> int:
    """Return the exit code of work that is killed after this time."""
    return interrupted(work, seconds, lambda pid: os.kill(pid, signal.SIGKILL))


@pytest.mark.long
@pytest.mark.parametrize("disturbed", [disturbed_load, disturbed_rebuild])
def test_commands_killed_at_random_times_give_the_same_tables(
    stage: Stage, tmp_path: Path, disturbed: Callable
) -> None:
    chooser = random.Random()
    ends = []
    for turn in range(40):
        after = chooser.uniform(0, stage.seconds if disturbed is disturbed_load else 0.4)
        ends.append(disturbed(stage, tmp_path / str(turn), partial(killed_after, after)))
    assert set(ends) <= {0, KILLED}
    assert ends.count(KILLED) > 10


@pytest.mark.long
@pytest.mark.parametrize("disturbed", [disturbed_load, disturbed_rebuild])
def test_commands_whose_session_is_terminated_give_the_same_tables(
    stage: Stage, tmp_path: Path, disturbed: Callable
) -> None:
    chooser = random.Random()
    ends = []

    def terminate(url: str) -> None:
        connection = psycopg2.connect(url)
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        connection.close()

    for turn in range(40):
        after = chooser.uniform(0, stage.seconds if disturbed is disturbed_load else 0.4)
        cut = lambda url, work, after=after: interrupted(work, after, lambda pid: terminate(url))  # noqa: E731
        ends.append(disturbed(stage, tmp_path / str(turn), cut))
    assert set(ends) <= {0, 1}
    assert ends.count(1) > 10


def durable_server(folder: Path) -> Server:
    """Return a server with the durability of production."""
    url = embedded.start(folder, 18)
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("create database migrated")
        cursor.execute("show fsync")
        assert cursor.fetchone() == ("on",)
    connection.close()
    server = Server(url, "migrated")
    migrate(server.url_of("migrated"))
    return server


def checkpoint(url: str) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("checkpoint")
    connection.close()


@pytest.fixture
def disk() -> Iterator[Path]:
    with server_folder(in_memory=False) as folder:
        yield folder


@pytest.mark.long
@pytest.mark.parametrize("disturbed", [disturbed_load, disturbed_rebuild])
def test_commands_whose_server_crashes_give_the_same_tables(disk: Path, disturbed: Callable) -> None:
    data = disk / "pg"
    server = durable_server(data)
    chooser = random.Random()
    ends = []

    def crash(pid: int) -> None:
        postmaster = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(postmaster, signal.SIGKILL)

    def crash_and_recover(url: str, work: Callable[[], object], after: float) -> int:
        # otherwise recovery resets the sequences of a database that was copied since the last checkpoint
        checkpoint(server.url)
        ended = interrupted(work, after, crash)
        for _ in range(100):
            try:
                embedded.start(data, 18)
                break
            except Exception:  # sessions end a little later, and recovery takes time
                time.sleep(0.2)
        return ended

    try:
        stage = set_the_stage(server, disk)
        for turn in range(12):
            after = chooser.uniform(0, stage.seconds if disturbed is disturbed_load else 0.4)
            ends.append(
                disturbed(stage, disk / str(turn), lambda url, work, after=after: crash_and_recover(url, work, after))
            )
    finally:
        embedded.stop(data, 18)
    assert set(ends) <= {0, 1}
    assert ends.count(1) > 3
