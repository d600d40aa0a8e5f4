"""The entries of a folder: files are opened, other entries are named, and no entry blocks another."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from upath import UPath

from tests.acceptance.warehouses import forked
from waybill.landing import entries
from waybill.landing.entries import OpenFile, Skipped, UnreadableError, entries_below, entries_of, shown
from waybill.model.errors import SourceError, UsageError

NOBODY = 65534


def name_of(entry: OpenFile) -> str:
    return entry.shown.rpartition("/")[2]


def seen(folder: Path) -> list[tuple[str, bytes | str]]:
    """Names below the folder, each with its bytes or the reason why it was skipped."""
    found = []
    for entry in entries_below(folder):
        name = entry.shown.removeprefix(f"{shown(str(folder))}/")
        found.append((name, entry.reason if isinstance(entry, Skipped) else entry.stream.read(1 << 20)))
    return found


def test_unfinished_and_hidden_files_are_ignored(tmp_path: Path) -> None:
    names = ["b.json", "a.json.gz", "folder/c.ndjson", "folder/deeper/d", "folder.tmp2/e"]
    left_out = [
        ".hidden",
        "f.tmp",
        "g.part",
        "h.partial",
        "i.crdownload",
        "_SUCCESS",
        "_folder/j",
        "folder/.k",
        "x.tmp/l",
        "lost+found/m",
    ]
    for name in names + left_out:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    found = [str(Path(entry.shown).relative_to(tmp_path)) for entry in entries_of(str(tmp_path))]
    assert sorted(found) == sorted(names)
    assert found == ["a.json.gz", "b.json", "folder/c.ndjson", "folder/deeper/d", "folder.tmp2/e"]
    assert [name_of(entry) for entry in entries_of(str(tmp_path / "b.json"))] == ["b.json"]
    with pytest.raises(UsageError, match="no such file or folder"):
        list(entries_of(str(tmp_path / "nowhere")))


def test_a_file_is_open_until_the_next_entry_is_requested(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"2")
    below = entries_below(tmp_path)
    first = next(below)
    assert isinstance(first, OpenFile) and first.stream.read(9) == b"1"
    next(below)
    with pytest.raises(ValueError, match="closed"):
        first.stream.read(9)


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(path))


def a_hole(path: Path) -> None:
    """Create a sparse file: many bytes without disk space."""
    path.touch()
    os.truncate(path, 17 << 30)


def folders(path: Path, count: int) -> None:
    """Create `count` nested folders with a file in the last one: deeper than the longest possible path."""
    above = os.open(path.parent, os.O_RDONLY)
    for name in [path.name, *["d" * 200] * (count - 1)]:
        os.mkdir(name, dir_fd=above)
        inner = os.open(name, os.O_RDONLY, dir_fd=above)
        os.close(above)
        above = inner
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=above))
    os.close(above)


STRANGE: dict[str, tuple[Callable[[Path], object], str, bool]] = {
    "a pipe": (os.mkfifo, "is a pipe, not a regular file", False),
    "a socket": (a_socket, "is a socket, not a regular file", False),
    "a device": (lambda path: os.mknod(path, 0o020666, os.makedev(1, 5)), "is a device, not a regular file", False),
    "a disk": (lambda path: os.mknod(path, 0o060666, os.makedev(7, 99)), "is a device, not a regular file", False),
    "a link to a device": (lambda path: path.symlink_to("/dev/zero"), "is a link, and links are not followed", True),
    "a link to a file": (lambda path: path.symlink_to("b"), "is a link, and links are not followed", True),
    "a link to nothing": (lambda path: path.symlink_to("nothing"), "is a link, and links are not followed", True),
    "a link to its folder": (lambda path: path.symlink_to("."), "is a link, and links are not followed", True),
    "a link to the root": (lambda path: path.symlink_to("/"), "is a link, and links are not followed", True),
    "a hole": (a_hole, "is larger than 16 GiB", True),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_an_entry_that_is_no_file_is_named_and_the_files_beside_it_are_read(tmp_path: Path, kind: str) -> None:
    make, reason, may_hold_records = STRANGE[kind]
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"2")
    make(tmp_path / "aa")
    assert [name for name, _ in seen(tmp_path)] == ["a", "aa", "b"]
    assert [found for _, found in seen(tmp_path) if isinstance(found, bytes)] == [b"1", b"2"]
    (skipped,) = (entry for entry in entries_below(tmp_path) if isinstance(entry, Skipped))
    assert reason in skipped.reason and skipped.may_hold_records is may_hold_records
    assert str(skipped).startswith(str(tmp_path / "aa"))


@pytest.mark.parametrize("count", [1_200, 66])
def test_folders_that_are_too_deep_are_named_and_the_files_beside_them_are_read(tmp_path: Path, count: int) -> None:
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "z").write_bytes(b"2")
    folders(tmp_path / "deep", count)
    try:
        first, deep, last = seen(tmp_path)
    finally:  # pytest removes folders recursively and fails at this depth
        subprocess.run(["rm", "-r", str(tmp_path / "deep")], check=True)
    assert (first, last) == (("a", b"1"), ("z", b"2"))
    assert deep[1] == "is more than 64 folders deep, where nothing is searched"
    assert len(deep[0]) < 500, "nobody can read a path of thousands of characters"


def test_folders_of_the_greatest_depth_are_searched(tmp_path: Path) -> None:
    folders(tmp_path / "deep", entries.DEEPEST)
    ((_, content),) = seen(tmp_path)
    assert content == b""


NAMES = {
    b"bad\xff.json": "bad\\xff.json",
    b"line\nbreak": "line\\nbreak",
    b"\x1b[2Jclear": "\\x1b[2Jclear",
    "‮gnp.exe".encode(): "\\u202egnp.exe",
    "größe.json".encode(): "größe.json",
}


@pytest.mark.parametrize("raw", NAMES, ids=NAMES.values())
def test_unprintable_names_are_escaped_and_their_files_are_read(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "a").write_bytes(b"1")
    Path(os.fsdecode(bytes(tmp_path) + b"/" + raw)).write_bytes(b"2")
    assert dict(seen(tmp_path)) == {"a": b"1", NAMES[raw]: b"2"}
    (named,) = (entry for entry in entries_below(tmp_path) if name_of(entry) != "a")
    assert name_of(named) == NAMES[raw] and name_of(named).encode()


def test_an_unreadable_entry_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    for path in [tmp_path, *tmp_path.parents][:-2]:  # below the folder for temporary files
        path.chmod(0o755)
    for name in ("a", "closed.json", "closed/b", "z"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"1")
    (tmp_path / "closed.json").chmod(0)
    (tmp_path / "closed").chmod(0)

    def as_another_user() -> None:
        os.setuid(NOBODY)
        assert seen(tmp_path) == [
            ("a", b"1"),
            ("closed", "cannot be read: Permission denied"),
            ("closed.json", "cannot be read: Permission denied"),
            ("z", b"1"),
        ]
        with pytest.raises(SourceError, match="Permission denied"):
            list(entries_of(str(tmp_path / "closed" / "b")))

    assert os.geteuid() or forked(as_another_user) == 0


def test_a_file_that_vanishes_meanwhile_holds_no_missing_records(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(name.encode())
    below = entries_below(tmp_path)
    next(below)
    (tmp_path / "b").unlink()
    removed, last = below
    assert removed == Skipped(str(tmp_path / "b"), "was removed meanwhile", may_hold_records=False)
    assert name_of(last) == "c"


def test_a_folder_that_becomes_a_link_meanwhile_is_not_followed(tmp_path: Path) -> None:
    inbox, outside = tmp_path / "inbox", tmp_path / "outside"
    for name in ("a", "folder/b"):
        (inbox / name).parent.mkdir(parents=True, exist_ok=True)
        (inbox / name).write_bytes(b"1")
    outside.mkdir()
    (outside / "b").write_bytes(b"secret")
    below = entries_below(inbox)
    next(below)
    (inbox / "folder").rename(inbox / "before")
    (inbox / "folder").symlink_to(outside)
    (found,) = below
    assert isinstance(found, Skipped) and found.shown == str(inbox / "folder")


def test_links_on_the_way_to_the_folder_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a").write_bytes(b"secret")
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "acme").symlink_to(tmp_path / "outside")
    (found,) = entries_below(tmp_path / "inbox", "acme")
    assert isinstance(found, Skipped) and found.may_hold_records


def test_a_named_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_bytes(b"1")
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    (tmp_path / "file").symlink_to(tmp_path / "folder" / "a")
    assert [entry.stream.read(9) for name in ("link", "file") for entry in entries_of(str(tmp_path / name))] == [
        b"1"
    ] * 2


@pytest.mark.timeout(20)
def test_a_named_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (found,) = entries_of(str(tmp_path / "pipe"))
    assert found == Skipped(str(tmp_path / "pipe"), "is a pipe, not a regular file", may_hold_records=False)


def test_an_endless_file_is_read_up_to_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "MOST_BYTES", 1000)
    (tmp_path / "log").write_bytes(b"x" * 10)
    below = entries_below(tmp_path)
    entry = next(below)
    with (tmp_path / "log").open("ab", buffering=0) as file, pytest.raises(UnreadableError, match="is larger than"):
        while entry.stream.read(100):
            file.write(b"x" * 200)


def test_the_error_of_a_partly_unreadable_file_names_it() -> None:
    named = entries_of("/proc/self/mem")
    entry = next(named)
    with pytest.raises(UnreadableError, match=r"^/proc/self/mem cannot be read: Input/output error"):
        entry.stream.read(100)


@pytest.mark.skipif(sys.platform != "linux", reason="counts open files by /proc")
def test_no_file_stays_open(tmp_path: Path) -> None:
    folders(tmp_path / "deep", 70)
    for number in range(50):
        (tmp_path / str(number)).write_bytes(b"1")
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    assert len(seen(tmp_path)) == 51
    next(entries_below(tmp_path))
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_names_of_an_object_store_are_only_text() -> None:
    root = UPath("memory://entries")
    for name in ("a.json", "folder/b/..", "folder//c", ".hidden", "_SUCCESS", "x.tmp", "folder/.d"):
        root.fs.pipe_file(f"{root.path}/{name}", name.encode())
    found = [(entry.shown, entry.stream.read(99)) for entry in entries_of(str(root))]
    assert found == [
        ("memory:///entries/a.json", b"a.json"),
        ("memory:///entries/folder//c", b"folder//c"),
    ]


def test_a_large_object_is_named_and_the_others_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    root = UPath("memory://large")
    for name, size in {"a": 10, "b": 11, "c": 9}.items():
        (root / name).write_bytes(b"x" * size)
    monkeypatch.setattr(entries, "MOST_BYTES", 10)
    first, large, last = entries_below(root)
    assert (name_of(first), name_of(last)) == ("a", "c")
    assert isinstance(large, Skipped) and large.may_hold_records
