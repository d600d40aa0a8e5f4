"""Opens the files of a folder or an object store one after the other, and names the entries that it skips.

Other programs write there. A bad entry must not block other files, or cause a file elsewhere to be read. So only
regular files are opened, no link below the named place is followed, and skipped entries are named.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from upath import UPath

from waybill.landing.places import Place, failures_as, place, reason_of
from waybill.model.errors import SourceError, UsageError
from waybill.warehouse.connection import without_password

DEEPEST = 64
"""Levels of folders below the named one that are searched."""
MOST_BYTES = 16 << 30
"""Bytes of one file. Files of providers have megabytes, the export of a day has some gigabytes."""
UNFINISHED = (".tmp", ".part", ".partial", ".crdownload")
FILE_SYSTEM_FOLDER = "lost+found"

_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY
_FOLDER = os.O_RDONLY | os.O_DIRECTORY
_LONGEST_SHOWN = 400
_LINK = "is a link, and links are not followed: put the file or folder itself there"
_NOT_FILES = {
    stat.S_IFIFO: "is a pipe, not a regular file",
    stat.S_IFSOCK: "is a socket, not a regular file",
    stat.S_IFCHR: "is a device, not a regular file",
    stat.S_IFBLK: "is a device, not a regular file",
}
_TOO_LARGE = f"is larger than {MOST_BYTES >> 30} GiB: split it at the end of a record"


class OpenFile(NamedTuple):
    """A file, open until the next entry is requested.

    :ivar shown: path or URL for people
    :ivar stream: its bytes; reading raises UnreadableError
    """

    shown: str
    stream: "BoundedFile"


class Skipped(NamedTuple):
    """A skipped entry.

    :ivar shown: path or URL for people
    :ivar reason: why it was skipped; the end of a sentence that begins with its name
    :ivar may_hold_records: whether records may now be missing from the facts
    """

    shown: str
    reason: str
    may_hold_records: bool = True

    def __str__(self) -> str:
        return f"{self.shown} {self.reason}"


Entry = OpenFile | Skipped


class UnreadableError(SourceError):
    """A file was opened, but cannot be read to its end."""


class Readable(Protocol):
    """A source of bytes."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; empty at the end."""


class BoundedFile:
    """The bytes of a file up to MOST_BYTES, even while it grows. Errors name the file, to distinguish them from errors
    of the landing zone."""

    def __init__(self, stream: Readable, found: Place, shown: str) -> None:
        self._stream = stream
        self._found = found
        self._shown = shown
        self._byte_count = 0

    def read(self, size: int) -> bytes:
        """Return the next bytes; empty at the end."""
        with failures_as(lambda reason: UnreadableError(f"{self._shown} cannot be read: {reason}"), self._found):
            block = self._stream.read(size)
        self._byte_count += len(block)
        if self._byte_count > MOST_BYTES:
            raise UnreadableError(f"{self._shown} {_TOO_LARGE}")
        return block


def shown(name: str) -> str:
    """Return a name for people: characters that do not print or are not UTF-8 become `\\x1b`; a long name is cut."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    if len(text) > _LONGEST_SHOWN:
        text = f"{text[: _LONGEST_SHOWN // 2]}…{text[-_LONGEST_SHOWN // 2 :]}"
    return text


def is_finished(name: str) -> bool:
    """Whether an entry of this name is read. Hidden and unfinished files and folders are not."""
    return not name.startswith((".", "_")) and not name.endswith(UNFINISHED) and name != FILE_SYSTEM_FOLDER


def exists(path: str) -> bool:
    """Whether a path or URL exists. Raises SourceError if that cannot be checked."""
    found = place(path)
    with failures_as(lambda reason: SourceError(f"Cannot look at {shown(without_password(path))}: {reason}."), found):
        return found.exists()


def entries_of(path: str) -> Iterator[Entry]:
    """Yield the entries of a named path or URL, in order of name: a file itself, or everything below a folder.

    Only if the named path itself is a link, it is followed.

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


def entries_below(folder: Place, *names: str) -> Iterator[Entry]:
    """Yield all entries of a folder in order of name.

    :param names: path from `folder` to the searched folder; links in it are not followed
    """
    if not isinstance(folder, Path):
        yield from _stored(folder.joinpath(*names))
        return
    path = shown(str(folder.joinpath(*names)))
    try:
        with _folder(str(folder)) as top:
            yield from _searched(top, names, path)
    except OSError as error:
        yield _unread(path, error)


def _searched(folder: int, names: tuple[str, ...], path: str) -> Iterator[Entry]:
    if not names:
        yield from _below(folder, path, 0)
        return
    with _folder(names[0], folder) as inner:
        yield from _searched(inner, names[1:], path)


def _below(folder: int, path: str, depth: int) -> Iterator[Entry]:
    """Yield the entries of an open folder. They are opened relative to it: a folder that becomes a link is not
    followed."""
    for name in sorted(filter(is_finished, os.listdir(folder))):
        inner_path = shown(f"{path}/{name}")
        try:
            if not stat.S_ISDIR(os.lstat(name, dir_fd=folder).st_mode):
                yield from _opened(name, inner_path, os.lstat, folder)
            elif depth == DEEPEST:
                yield Skipped(inner_path, f"is more than {DEEPEST} folders deep, where nothing is searched")
            else:
                with _folder(name, folder) as inner:
                    yield from _below(inner, inner_path, depth + 1)
        except OSError as error:
            yield _unread(inner_path, error)


def _opened(name: str, path: str, status_of: "_StatusOf", folder: int | None = None) -> Iterator[Entry]:
    """Yield an open file, or why it is skipped. Its kind is checked before opening, which may change a pipe or a
    device, and again after opening, because it may have been replaced."""
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
        yield Skipped(path, _NOT_FILES.get(stat.S_IFMT(mode), "is not a regular file"), may_hold_records=False)


class _StatusOf(Protocol):
    """os.stat or os.lstat."""

    def __call__(self, path: str, *, dir_fd: int | None) -> os.stat_result: ...


@contextmanager
def _folder(name: str, above: int | None = None) -> Iterator[int]:
    descriptor = os.open(name, _FOLDER | (0 if above is None else os.O_NOFOLLOW), dir_fd=above)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _unread(path: str, error: OSError) -> Skipped:
    if isinstance(error, FileNotFoundError):
        return Skipped(path, "was removed meanwhile", may_hold_records=False)
    return Skipped(path, f"cannot be read: {reason_of(error)}")


def _stored(folder: UPath) -> Iterator[Entry]:
    """Yield the entries of an object store. Its names are only text: they cannot be links."""
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
        yield Skipped(path, "was removed meanwhile" if is_gone else f"cannot be read: {error}", not is_gone)
        return
    with closing(stream):
        yield OpenFile(path, BoundedFile(stream, folder, path))
