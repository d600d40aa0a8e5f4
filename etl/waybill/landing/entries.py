"""What lies in a folder or an object store: its files, opened one after the other, and what was passed over.

Others write there. Nothing that they leave may keep the files of others out, or have a file read that lies elsewhere:
only regular files are opened, no link below the named place is followed, and what is passed over is named.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from upath import UPath

from waybill.landing.places import failures_as, place, reason_of
from waybill.model.errors import SourceError, UsageError
from waybill.warehouse.connection import without_password

DEEPEST = 64
"""Folders below the named one that are searched."""
MOST_BYTES = 16 << 30
"""Of one file. Providers' files have megabytes, an export of a day some gigabytes."""
UNFINISHED = (".tmp", ".part", ".partial", ".crdownload")
BELONGS_TO_THE_DISK = "lost+found"

_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY
_FOLDER = os.O_RDONLY | os.O_DIRECTORY
_LONGEST_SHOWN = 400
_LINK = "is a link, and links are not followed: put the file or folder itself there"
_NO_FILES = {
    stat.S_IFIFO: "is a pipe, not a regular file",
    stat.S_IFSOCK: "is a socket, not a regular file",
    stat.S_IFCHR: "is a device, not a regular file",
    stat.S_IFBLK: "is a device, not a regular file",
}
_TOO_LARGE = f"is larger than {MOST_BYTES >> 30} GiB: split it at the end of a record"


class OpenFile(NamedTuple):
    """A file, open until the next entry is asked for.

    :ivar shown: path or URL, as people may see it
    :ivar stream: its bytes; reading raises UnreadableError
    """

    shown: str
    stream: "BoundedFile"


class Skipped(NamedTuple):
    """What was passed over.

    :ivar shown: path or URL, as people may see it
    :ivar reason: what is wrong with it, behind its name
    :ivar may_hold_records: whether something may be missing from the facts now
    """

    shown: str
    reason: str
    may_hold_records: bool = True

    def __str__(self) -> str:
        return f"{self.shown} {self.reason}"


Entry = OpenFile | Skipped


class UnreadableError(SourceError):
    """A file that opens and cannot be read to its end."""


class BoundedFile:
    """The bytes of a file up to MOST_BYTES, however fast it grows. Errors name the file, so that they are not taken for
    errors of the landing zone."""

    def __init__(self, stream: BinaryIO, found: UPath, shown: str) -> None:
        self._stream = stream
        self._found = found
        self._shown = shown
        self._byte_count = 0

    def read(self, size: int) -> bytes:
        """The next bytes; empty at the end."""
        with failures_as(lambda reason: UnreadableError(f"{self._shown} cannot be read: {reason}"), self._found):
            block = self._stream.read(size)
        self._byte_count += len(block)
        if self._byte_count > MOST_BYTES:
            raise UnreadableError(f"{self._shown} {_TOO_LARGE}")
        return block


def shown(name: str) -> str:
    """A name as people may see it: what does not print, or is no UTF-8, is spelt out as `\\x1b`; a long one is cut."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    if len(text) > _LONGEST_SHOWN:
        text = f"{text[: _LONGEST_SHOWN // 2]}…{text[-_LONGEST_SHOWN // 2 :]}"
    return text


def is_finished(name: str) -> bool:
    """Whether a name is that of something to read: hidden and unfinished files and folders are not."""
    return not name.startswith((".", "_")) and not name.endswith(UNFINISHED) and name != BELONGS_TO_THE_DISK


def exists(path: str) -> bool:
    """Whether there is something of that path or URL. Raises SourceError where that cannot be known."""
    found = place(path)
    with failures_as(lambda reason: SourceError(f"Cannot look at {shown(without_password(path))}: {reason}."), found):
        return found.exists()


def entries_of(path: str) -> Iterator[Entry]:
    """All entries of a path or URL that somebody named, in order of name: of a file itself, of a folder all below it.

    A link that is named itself is followed, and no other one.

    :raises UsageError: there is no such file or folder
    """
    if not exists(path):
        raise UsageError(f"{shown(without_password(path))}: no such file or folder.")
    found = place(path)
    if not isinstance(found, Path):
        yield from _stored(found)
    elif found.is_dir():
        yield from entries_below(found)
    else:
        yield from _opened(str(found), shown(str(found)), os.stat)


def entries_below(folder: UPath, *names: str) -> Iterator[Entry]:
    """All entries of a folder, in order of name.

    :param names: of the folders that lead from there to the one that is meant; links among them are not followed
    """
    if not isinstance(folder, Path):
        yield from _stored(folder.joinpath(*names))
        return
    path = shown(str(folder.joinpath(*names)))
    try:
        with _folder(str(folder)) as top:
            yield from _led(top, names, path)
    except OSError as error:
        yield _unread(path, error)


def _led(folder: int, names: tuple[str, ...], path: str) -> Iterator[Entry]:
    if not names:
        yield from _below(folder, path, 0)
        return
    with _folder(names[0], folder) as inner:
        yield from _led(inner, names[1:], path)


def _below(folder: int, path: str, depth: int) -> Iterator[Entry]:
    """Entries of an open folder. Each is opened from there: a folder that becomes a link meanwhile leads nowhere."""
    for name in sorted(filter(is_finished, os.listdir(folder))):
        inner_path = shown(f"{path}/{name}")
        try:
            if not stat.S_ISDIR(os.lstat(name, dir_fd=folder).st_mode):
                yield from _opened(name, inner_path, os.lstat, folder)
            elif depth == DEEPEST:
                yield Skipped(inner_path, f"lies more than {DEEPEST} folders deep, where nothing is searched")
            else:
                with _folder(name, folder) as inner:
                    yield from _below(inner, inner_path, depth + 1)
        except OSError as error:
            yield _unread(inner_path, error)


def _opened(name: str, path: str, status_of: Callable, folder: int | None = None) -> Iterator[Entry]:
    """A file, open, or why it is none. Its kind is looked at before: to open a pipe or a device may change it; and
    behind: it may be another one by then."""
    try:
        mode = status_of(name, dir_fd=folder).st_mode
        if stat.S_ISREG(mode):
            follows = 0 if status_of is os.stat else os.O_NOFOLLOW
            with os.fdopen(os.open(name, _FILE | follows, dir_fd=folder), "rb", buffering=0) as stream:
                status = os.fstat(stream.fileno())
                mode = status.st_mode
                if stat.S_ISREG(mode) and status.st_size > MOST_BYTES:
                    yield Skipped(path, _TOO_LARGE)
                elif stat.S_ISREG(mode):
                    yield OpenFile(path, BoundedFile(stream, Path(name), path))
    except OSError as error:
        yield _unread(path, error)
        return
    if stat.S_ISLNK(mode):
        yield Skipped(path, _LINK)
    elif not stat.S_ISREG(mode):
        yield Skipped(path, _NO_FILES.get(stat.S_IFMT(mode), "is not a regular file"), may_hold_records=False)


@contextmanager
def _folder(name: str, above: int | None = None) -> Iterator[int]:
    descriptor = os.open(name, _FOLDER | (0 if above is None else os.O_NOFOLLOW), dir_fd=above)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _unread(path: str, error: OSError) -> Skipped:
    if isinstance(error, FileNotFoundError):
        return Skipped(path, "was there and is gone", may_hold_records=False)
    return Skipped(path, f"cannot be read: {reason_of(error)}")


def _stored(folder: UPath) -> Iterator[Entry]:
    """Entries of an object store. Its names are mere text: nothing in them leads anywhere."""
    path = shown(without_password(str(folder)))
    try:
        with failures_as(SourceError, folder):
            folder.fs.invalidate_cache()
            found = folder.fs.find(folder.path, detail=True)
    except SourceError as error:
        yield Skipped(path, f"cannot be read: {error}")
        return
    scheme = f"{folder.protocol}://"
    for name in sorted(found):
        parts = name.removeprefix(folder.path).split("/")
        is_file = found[name]["type"] == "file" and not name.endswith("/")
        if is_file and all(is_finished(part) for part in parts if part):
            url = shown(scheme + name.removeprefix(scheme))
            yield from _object(folder, name, url, found[name].get("size") or 0)


def _object(folder: UPath, name: str, path: str, size: int) -> Iterator[Entry]:
    if size > MOST_BYTES:
        yield Skipped(path, _TOO_LARGE)
        return
    try:
        with failures_as(SourceError, folder):
            stream = folder.fs.open(name, "rb")
    except SourceError as error:
        is_gone = isinstance(error.__cause__, FileNotFoundError)
        yield Skipped(path, "was there and is gone" if is_gone else f"cannot be read: {error}", not is_gone)
        return
    with closing(stream):
        yield OpenFile(path, BoundedFile(stream, folder, path))
