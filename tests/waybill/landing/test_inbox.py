"""The inbox: a bad entry blocks no other, and an entry that no feed reads is named with what is expected there."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.waybill.load.loading import Loads, as_file, sendgrid
from waybill.feeds import FEEDS
from waybill.landing import inbox
from waybill.landing.sources import landed_inbox
from waybill.model.errors import ConfigurationError, SourceError, UsageError

MAIL = FEEDS["sendgrid_events"]


@pytest.fixture
def folder(loads: Loads) -> Path:
    return Path(loads.settings.inbox_url)


def put(path: Path, number: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(as_file("sendgrid_events", (sendgrid("open", f"2026-03-01 10:{number:02}"),)))


def test_the_default_inbox_is_created(loads: Loads, folder: Path) -> None:
    assert inbox.is_yet_to_be_made(loads.settings) and not folder.exists()
    assert inbox.accounts(loads.settings, MAIL) == []
    assert folder.is_dir() and not inbox.is_yet_to_be_made(loads.settings)


@pytest.mark.parametrize("url", ["{}/away", "file://{}/away"])
def test_a_missing_inbox_of_a_setting_is_an_error(loads: Loads, tmp_path: Path, url: str) -> None:
    loads.use(inbox_url=url.format(tmp_path))
    for look in (inbox.misplaced, inbox.account_folders, lambda settings: inbox.accounts(settings, MAIL)):
        expected = r"There is no inbox at .*/away, which INBOX_URL names\. Mount or create it"
        with pytest.raises(ConfigurationError, match=expected):
            look(loads.settings)
    assert not (tmp_path / "away").exists()


def test_an_inbox_that_is_a_file_is_an_error(loads: Loads, tmp_path: Path) -> None:
    put(tmp_path / "file")
    loads.use(inbox_url=str(tmp_path / "file"))
    with pytest.raises(ConfigurationError, match="There is no inbox at"):
        list(landed_inbox(loads.settings, MAIL, None))


def test_the_error_of_an_account_without_a_folder_lists_the_others(loads: Loads, folder: Path) -> None:
    for account in ("north", "south"):
        put(folder / account / MAIL.slug / "a.json")
    with pytest.raises(
        UsageError, match=r"no folder nort/sendgrid_events in the inbox .*; accounts there: north, south"
    ):
        inbox.accounts(loads.settings, MAIL, "nort")


MISPLACED = {
    "sendgrid_events/a.json": "sendgrid_events/ has no account above it: its files belong in <account>/",
    "acme/sendgrid/a.json": f"acme/sendgrid/ is the folder of no feed; feeds are: {', '.join(FEEDS)}",
    "acme/SendGrid_Events/a.json": "acme/SendGrid_Events/ is the folder of no feed",
    "acme/a.json": "a.json: 1 file is in acme/, where nothing is read: files belong in <account>/<feed>/",
    "a.json": "a.json: 1 file is in the inbox itself, where nothing is read",
    "bad account!/sendgrid_events/a.json": "bad account!/ is no name of an account (1 to 63 letters",
    "bad\x1baccount/sendgrid_events/a.json": "bad\\x1baccount/ is no name of an account",
    os.fsdecode(b"bad\xff/sendgrid_events/a.json"): "bad\\xff/ is no name of an account",
}


@pytest.mark.parametrize("path", MISPLACED, ids=[repr(path) for path in MISPLACED])
def test_misplaced_entries_are_named_and_the_others_are_loaded(loads: Loads, folder: Path, path: str) -> None:
    put(folder / path)
    put(folder / "north" / MAIL.slug / "a.json", 1)
    (message,) = inbox.misplaced(loads.settings)
    assert message.startswith(MISPLACED[path]) and message.endswith(f" (inbox {folder}).")
    assert [item.account for item in landed_inbox(loads.settings, MAIL, None)] == ["north"]


def test_many_files_in_a_wrong_folder_are_one_warning(loads: Loads, folder: Path) -> None:
    for number in range(12):
        put(folder / f"{number:02}.json")
    (message,) = inbox.misplaced(loads.settings)
    assert message.startswith("00.json, 01.json, 02.json, …: 12 files are in the inbox itself")


def test_links_to_folders_are_named_and_not_followed(loads: Loads, folder: Path, tmp_path: Path) -> None:
    put(tmp_path / "elsewhere" / MAIL.slug / "a.json")
    put(folder / "north" / MAIL.slug / "a.json", 1)
    (folder / "south").symlink_to(tmp_path / "elsewhere")
    (folder / "north" / "dispatch_log").symlink_to(tmp_path / "elsewhere")
    first, second = inbox.misplaced(loads.settings)
    assert first.startswith("north/dispatch_log is a link, and links are not followed")
    assert second.startswith("south is a link, and links are not followed")
    assert [item.account for item in landed_inbox(loads.settings, MAIL, None)] == ["north"]


def test_a_correct_inbox_has_no_warning(loads: Loads, folder: Path) -> None:
    for path in ("acme/sendgrid_events/2026/a.json", "acme/dispatch_log/b.csv", "acme/twilio_calls/c", "beta/.hidden"):
        put(folder / path)
    (folder / "lost+found").mkdir()
    (folder / "gamma").mkdir()
    put(folder / "sendgrid_events" / "dispatch_log" / "an account may have the name of a feed.csv")
    assert inbox.misplaced(loads.settings) == []
    assert inbox.unread(loads.settings, 100) == []


def test_all_kinds_of_bad_entries_together_block_no_file(
    loads: Loads, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    strange = folder / "north" / MAIL.slug
    for number, account in enumerate(("east", "north", "south")):
        put(folder / account / MAIL.slug / "m.json", number)
    os.mkfifo(strange / "a")
    os.mknod(strange / "b", 0o020666, os.makedev(1, 5))
    (strange / "c").symlink_to("/dev/zero")
    put(strange / os.fsdecode(b"bad\xff"), 10)
    put(strange / "line\nbreak", 11)
    put(folder / "bad account!" / MAIL.slug / "x")
    (strange / "d").mkdir()
    for depth in range(1, 70):
        (strange.joinpath(*"d" * depth)).mkdir(exist_ok=True)
    (strange / "stray.csv").write_text("dispatch_id,status\n1,queued\n")
    landed = list(landed_inbox(loads.settings, MAIL, None))
    warned = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    files = [item for item in landed if not isinstance(item, SourceError)]
    done = loads.load_all("sendgrid_events", files)
    assert {item.row.account: item.row.loaded_count for item in done} == {"east": 1, "north": 3, "south": 1}
    assert [sentence.removeprefix(f"{strange}/") for sentence in warned] == [
        "a is a pipe, not a regular file.",
        "b is a device, not a regular file.",
    ]
    link, deep = (str(item) for item in landed if isinstance(item, SourceError))
    assert link.startswith(f"{strange}/c is a link") and "more than 64 folders deep" in deep
    assert [str(entry) + "." for entry in inbox.unread(loads.settings, 100)] == [
        warned[0],
        warned[1],
        f"{link}.",
        f"{deep}.",
    ]
    sources = {item.source.rpartition("/")[2] for item in files if item.account == "north"}
    assert sources == {"m.json", "bad\\xff", "line\\nbreak", "stray.csv"}


def test_an_inbox_in_another_place_is_read_in_the_same_way(loads: Loads) -> None:
    url = f"memory://{loads.settings.var.name}-inbox"
    loads.settings = replace(loads.settings, inbox_url=url)
    store = inbox.place(url)
    bytes_of = as_file("sendgrid_events", (sendgrid("open", "2026-03-01 10:00"),))
    for name in ("north/sendgrid_events/2026/a.json", "north/sendgrid/b.json", "c.json", "bad account!/x/d"):
        store.fs.pipe_file(f"{store.path}/{name}", bytes_of)
    (item,) = landed_inbox(loads.settings, MAIL, None)
    assert (item.account, item.source) == (
        "north",
        f"{url.replace('memory://', 'memory:///')}/north/sendgrid_events/2026/a.json",
    )
    assert [sentence.split(" ", 2)[:2] for sentence in inbox.misplaced(loads.settings)] == [
        ["bad", "account!/"],
        ["north/sendgrid/", "is"],
        ["c.json:", "1"],
    ]
