"""Landing: immutable objects, bytes exactly as received, named by their content. Everything can be replayed from it.

`LANDING_URL/<account>/<feed>/<first two digits>/<sha256>` with a manifest beside it (`.json`), which is written last:
an object without a manifest was never landed. On this machine bytes get their final name by a rename. An object store
has none: there an object is put whole under its final name, which only its content can have.
"""

import hashlib
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO, Protocol

import msgspec
from upath import UPath

from waybill.landing.places import failures_as, is_object_store, place
from waybill.model.errors import ConfigurationError, SourceError, UsageError
from waybill.model.redaction import mask_everyone
from waybill.model.vocabulary import ACCOUNT
from waybill.secret_file import private_file, private_folder
from waybill.warehouse.connection import without_password

BLOCK = 1 << 20


class Readable(Protocol):
    """Where the bytes to be landed come from."""

    def read(self, size: int) -> bytes:
        """At most so many bytes; empty at the end."""


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
    return None if source is None else mask_everyone(source.encode(errors="backslashreplace").decode())


def check_account(account: str) -> str:
    """An account is part of paths and keys: letters, digits, `_`, `.`, `-`. Raises UsageError."""
    if not ACCOUNT.fullmatch(account):
        raise UsageError(f"account {account!r}: expected 1 to 63 letters, digits, '_', '.' or '-'.")
    return account


def land(
    stream: Readable,
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
    zone = place(landing_url)
    put = _put_file if isinstance(zone, Path) else _put_object
    with failures_as(
        lambda why: SourceError(f"Cannot write to the landing zone {without_password(landing_url)}: {why}."), zone
    ):
        sha256, byte_count = put(stream, zone, f"{account}/{feed}")
        path = _path_of(f"{account}/{feed}", sha256)
        if (known := read_manifest(landing_url, path)) is not None:
            return known
        landed_at = now or datetime.now(UTC)
        landed = LandedObject(account, feed, sha256, path, byte_count, landed_at, source, request, window, record_count)
        return _write_manifest(landing_url, landed)


def check_writable(landing_url: str) -> None:
    """Write something into the landing zone and take it away. Raises ConfigurationError with what to do."""
    zone = place(landing_url)
    with failures_as(
        lambda why: ConfigurationError(
            f"cannot write to the landing zone {without_password(landing_url)}: {why}. Set LANDING_URL to a place that "
            "can be written, or give this account the right to"
        ),
        zone,
    ):
        if not is_object_store(zone):
            private_folder(Path(zone))
        probe = zone / f".probe-{os.getpid()}-{os.urandom(6).hex()}"
        probe.write_bytes(b"")
        probe.unlink()


def read_manifest(landing_url: str, path: str) -> LandedObject | None:
    """The manifest of an object, None where it was never landed."""
    try:
        return msgspec.json.decode((place(landing_url) / f"{path}.json").read_bytes(), type=LandedObject)
    except FileNotFoundError:
        return None


def open_object(landing_url: str, landed: LandedObject) -> BinaryIO:
    """The bytes of a landed object, compared with their name first. Raises SourceError where they are gone or are not
    those that were landed."""
    zone = place(landing_url)
    with failures_as(lambda why: SourceError(f"Cannot read the landed object {landed.path}: {why}."), zone):
        try:
            stream = (zone / landed.path).open("rb")
        except FileNotFoundError as error:
            raise SourceError(
                f"Landed object {landed.path} is gone from {without_password(landing_url)}. Restore it from a backup: "
                "without it its events cannot be loaded or replayed. Nothing was changed."
            ) from error
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


def _path_of(folder: str, sha256: str) -> str:
    return f"{folder}/{sha256[:2]}/{sha256}"


def _put_file(stream: Readable, zone: Path, folder: str) -> tuple[str, int]:
    """Copy a stream to the name of its content, also where it was landed before: that mends an object that was damaged
    since. Returns sha256 and length."""
    private_folder(zone / folder)
    draft = zone / folder / f".{os.getpid()}-{os.urandom(6).hex()}.tmp"
    try:
        with private_file(draft) as target:
            sha256, byte_count = _copy(stream, target)
            _flush(target)
        final = zone / _path_of(folder, sha256)
        private_folder(final.parent)
        draft.rename(final)
        return sha256, byte_count
    finally:
        draft.unlink(missing_ok=True)


def _put_object(stream: Readable, zone: UPath, folder: str) -> tuple[str, int]:
    """The same in an object store. The bytes are copied to this machine first (TMPDIR): their name is known only when
    all were read."""
    with NamedTemporaryFile() as spool:
        sha256, byte_count = _copy(stream, spool)
        spool.flush()
        zone.fs.put_file(spool.name, (zone / _path_of(folder, sha256)).path)
        return sha256, byte_count


def _copy(stream: Readable, target: BinaryIO) -> tuple[str, int]:
    digest = hashlib.sha256()
    byte_count = 0
    while block := stream.read(BLOCK):
        digest.update(block)
        byte_count += len(block)
        target.write(block)
    return digest.hexdigest(), byte_count


def _write_manifest(landing_url: str, landed: LandedObject) -> LandedObject:
    """Write the manifest, unless another process landed the same bytes meanwhile: the first one's time stays."""
    manifest = place(landing_url) / f"{landed.path}.json"
    text = msgspec.json.format(msgspec.json.encode(landed), indent=1) + b"\n"
    if isinstance(manifest, Path):
        draft = manifest.with_name(f".{manifest.name}.{os.getpid()}-{os.urandom(6).hex()}.tmp")
        with private_file(draft) as file:
            file.write(text)
            _flush(file)
        with suppress(FileExistsError):
            os.link(draft, manifest)
        draft.unlink()
        _flush_folder(manifest.parent)
    else:
        with suppress(FileExistsError):
            manifest.fs.pipe_file(manifest.path, text, mode="create")
    return read_manifest(landing_url, landed.path) or landed


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
