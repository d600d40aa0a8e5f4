"""Landing: immutable objects, bytes exactly as received, named by their content. Everything can be replayed from it.

`LANDING_URL/<account>/<feed>/<first two digits>/<sha256>` with a manifest beside it (`.json`), which is written last:
an object without a manifest was never landed.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec
from psycopg2.extensions import cursor as Cursor  # noqa: N812
from upath import UPath

from etl.model.errors import SourceError, UsageError
from etl.model.redaction import Redactor
from etl.model.vocabulary import ACCOUNT

BLOCK = 1 << 20
UNFINISHED = (".tmp", ".part", ".partial", ".crdownload")
_REDACTOR = Redactor(None, None, None, None, None)


class LandedObject(msgspec.Struct, frozen=True):
    """One landed object, as its manifest says. `path` is relative to LANDING_URL; `landed_at` is when its bytes were
    landed first (UTC), `source` the path or URL of the file they were read from. Of a page of an API: the `request`
    without credentials, the window that was pulled, and how many records it shows."""

    account: str
    feed: str
    sha256: str
    path: str
    byte_count: int
    landed_at: datetime
    source: str | None = None
    request: str | None = None
    window: tuple[datetime, datetime] | None = None
    record_count: int | None = None


def name_of(landed: LandedObject) -> str:
    """An object as messages name it: the file that it came from, without addresses, and where it is landed."""
    source = source_of(landed)
    return landed.path if source is None else f"{source} (landed as {landed.path})"


def source_of(landed: LandedObject) -> str | None:
    """Where an object came from, without addresses: the path of its file, or the request that a page was asked for."""
    source = landed.source or landed.request
    return None if source is None else _REDACTOR.text(source.encode(errors="backslashreplace").decode())


class RecordedObject(NamedTuple):
    """A landed object with its number in ops.object."""

    object_id: int
    landed: LandedObject


def check_account(account: str) -> str:
    """An account is part of paths and keys: letters, digits, `_`, `.`, `-`. Raises UsageError."""
    if not ACCOUNT.fullmatch(account):
        raise UsageError(f"account {account!r}: expected 1 to 63 letters, digits, '_', '.' or '-'.")
    return account


def land(
    stream: BinaryIO,
    account: str,
    feed: str,
    landing_url: str,
    now: datetime | None = None,
    source: str | None = None,
    request: str | None = None,
    window: tuple[datetime, datetime] | None = None,
    record_count: int | None = None,
) -> LandedObject:
    """Copy a stream into the landing zone, durably and once; the same bytes again are the same object.

    :param source: path or URL of the file, kept in the manifest so that people can find it again
    :param request: path and query that a page was asked for with; kept likewise, as are window and record_count
    :raises SourceError: the landing zone cannot be written
    """
    check_account(account)
    folder = UPath(landing_url) / account / feed
    try:
        folder.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        byte_count = 0
        draft = folder / f".{os.getpid()}-{os.urandom(6).hex()}.tmp"
        try:
            with draft.open("wb") as target:
                while block := stream.read(BLOCK):
                    digest.update(block)
                    byte_count += len(block)
                    target.write(block)
                _flush(target)
            sha256 = digest.hexdigest()
            path = f"{account}/{feed}/{sha256[:2]}/{sha256}"
            final = UPath(landing_url) / path
            final.parent.mkdir(parents=True, exist_ok=True)
            draft.rename(final)  # also where it was landed before: that mends an object that was damaged since
            known = read_manifest(landing_url, path)
            if known is not None:
                return known
        finally:
            if draft.exists():
                draft.unlink()
        landed_at = now or datetime.now(UTC)
        landed = LandedObject(account, feed, sha256, path, byte_count, landed_at, source, request, window, record_count)
        return _write_manifest(landing_url, landed)
    except OSError as error:
        raise SourceError(f"Cannot write to the landing zone {landing_url}: {error.strerror or error}.") from error


def read_manifest(landing_url: str, path: str) -> LandedObject | None:
    """The manifest of an object, None where it was never landed."""
    try:
        return msgspec.json.decode((UPath(landing_url) / f"{path}.json").read_bytes(), type=LandedObject)
    except FileNotFoundError:
        return None


def open_object(landing_url: str, landed: LandedObject) -> BinaryIO:
    """The bytes of a landed object, compared with their name first. Raises SourceError where they are gone or are not
    those that were landed."""
    try:
        stream = (UPath(landing_url) / landed.path).open("rb")
        digest = hashlib.sha256()
        while block := stream.read(BLOCK):
            digest.update(block)
        if digest.hexdigest() != landed.sha256:
            stream.close()
            raise SourceError(
                f"Landed object {landed.path} is damaged: its bytes are not those that were landed. Restore it from a "
                "backup, or load the original file once more, which mends it. Nothing was changed."
            )
        stream.seek(0)
        return stream
    except FileNotFoundError as error:
        raise SourceError(
            f"Landed object {landed.path} is gone from {landing_url}. Restore it from a backup: without it its events "
            "cannot be loaded or replayed. Nothing was changed."
        ) from error


def _write_manifest(landing_url: str, landed: LandedObject) -> LandedObject:
    manifest = UPath(landing_url) / f"{landed.path}.json"
    draft = manifest.with_name(f".{manifest.name}.{os.getpid()}-{os.urandom(6).hex()}.tmp")
    with draft.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(landed), indent=1) + b"\n")
        _flush(file)
    if isinstance(manifest, Path):
        with suppress(FileExistsError):
            os.link(draft, manifest)  # two landings of the same bytes at once: the first one's time stays
        draft.unlink()
        _flush_folder(manifest.parent)
    else:
        draft.rename(manifest)
    return read_manifest(landing_url, landed.path) or landed


def _flush(file: BinaryIO) -> None:
    file.flush()
    with suppress(AttributeError, OSError):  # an object store makes its objects durable itself
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def record(cursor: Cursor, landed: LandedObject) -> RecordedObject:
    """Note a landed object in ops.object; the same one again gives the same number."""
    cursor.execute(
        "insert into ops.object as o (account, feed, sha256, path, byte_count, landed_at, source)"
        " values (%s, %s, %s, %s, %s, %s, %s) on conflict (account, feed, sha256)"
        " do update set source = excluded.source where o.source is null and excluded.source is not null",
        (*msgspec.structs.astuple(landed)[:6], source_of(landed)),
    )
    cursor.execute(
        "select object_id from ops.object where account = %s and feed = %s and sha256 = %s",
        (landed.account, landed.feed, landed.sha256),
    )
    return RecordedObject(cursor.fetchone()[0], landed)


def files_below(url: str) -> Iterator[UPath]:
    """All finished files of a path or URL, in order of name; a file is itself. Hidden and unfinished ones are not, nor
    a folder that a link leads back to. A link to nothing is a file that cannot be read.

    :raises UsageError: there is no such file or folder
    """
    path = UPath(url)
    if not path.exists():
        raise UsageError(f"{url}: no such file or folder.")
    yield from _files(path, set())


def _files(path: UPath, above: set[str]) -> Iterator[UPath]:
    if not path.is_dir():
        yield path
        return
    place = os.path.realpath(path) if isinstance(path, Path) else str(path)
    if place in above:
        return
    for child in sorted(path.iterdir(), key=lambda p: p.name):
        if not child.name.startswith((".", "_")) and not child.name.endswith(UNFINISHED):
            yield from _files(child, above | {place})
