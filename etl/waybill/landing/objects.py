"""Landing: immutable objects with the bytes exactly as received, named by their content, for loads and replays.

An object is `LANDING_URL/<account>/<feed>/<first two digits>/<sha256>`. Its manifest is beside it (`.json`) and is
written last: an object without a manifest was never landed. On this machine a rename gives the bytes their final name.
An object store has no rename: there an object is put as a whole under its final name.
"""

import gzip
import hashlib
import os
import zlib
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, BinaryIO

import msgspec
from upath import UPath

from waybill.landing.entries import Readable
from waybill.landing.places import Place, failures_as, open_bytes, place
from waybill.model.errors import ConfigurationError, SourceError, UsageError
from waybill.model.redaction import mask_everyone
from waybill.model.vocabulary import ACCOUNT
from waybill.secret_file import private_file, private_folder
from waybill.warehouse.connection import without_password

BLOCK = 1 << 20
_LONGEST_HEAD = 200
SETTING = "LANDING_URL"


class LandedObject(msgspec.Struct, frozen=True):
    """One landed object, as in its manifest.

    :ivar path: relative to LANDING_URL
    :ivar landed_at: first landing of its bytes (UTC)
    :ivar source: path or URL of the file with the bytes
    :ivar request: request of an API page, without credentials
    :ivar window: pulled window of an API page
    :ivar record_count: records of an API page; None as long as nobody has read it
    :ivar refused: why an API page is not loaded; None: it is loaded, or nobody has read it
    """

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
    refused: str | None = None


class RewrittenHead(msgspec.Struct):
    """The first line of an object that was rewritten without erased people; see landing/rewritten.py.

    :ivar rewritten: version of its form
    :ivar sha256: of the original bytes
    """

    rewritten: int
    sha256: str


def name_of(landed: LandedObject) -> str:
    """Return the name of an object in messages: its source without addresses, and its landed path."""
    source = source_of(landed)
    return landed.path if source is None else f"{source} (landed as {landed.path})"


def source_of(landed: LandedObject) -> str | None:
    """Return the source of an object without addresses: the path of its file, or the request of its page."""
    source = landed.source or landed.request
    return None if source is None else mask_everyone(source.encode(errors="backslashreplace").decode())


def check_account(account: str) -> str:
    """Return an account, which is part of paths and keys. Raises UsageError if its form is wrong."""
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
) -> LandedObject:
    """Copy a stream into the landing zone durably; the same bytes again are the same object.

    The other parameters are stored in the manifest.

    :raises SourceError: the landing zone cannot be written
    """
    check_account(account)
    zone = place(landing_url, SETTING)
    with failures_as(
        lambda why: SourceError(
            f"Cannot write to the landing zone {without_password(landing_url)} ({SETTING}): {why}."
        ),
        zone,
    ):
        folder = f"{account}/{feed}"
        put = partial(_put_file, zone=zone) if isinstance(zone, Path) else partial(_put_object, zone=zone)
        sha256, byte_count = put(stream, folder=folder)
        path = _path_of(folder, sha256)
        if (known := read_manifest(landing_url, path)) is not None:
            return known
        landed_at = now or datetime.now(UTC)
        landed = LandedObject(account, feed, sha256, path, byte_count, landed_at, source, request, window)
        return _write_manifest(landing_url, landed)


def note_read(
    landing_url: str, landed: LandedObject, record_count: int | None = None, refused: str | None = None
) -> LandedObject:
    """Write into the manifest of a page what its reader found. A page that was right once stays right."""
    read = msgspec.structs.replace(landed, record_count=record_count, refused=refused)
    if landed.record_count is not None or read == landed:
        return landed
    with failures_as(
        lambda why: SourceError(f"Cannot write to the landing zone ({SETTING}): {why}."), place(landing_url, SETTING)
    ):
        return _write_manifest(landing_url, read, is_replacing=True)


def unrecorded(landing_url: str, account: str, feed: str, known: Collection[str]) -> list[LandedObject]:
    """Return the landed pages that are neither in the ledger nor refused, in order of their landing.

    :param known: sha256 of the objects in the ledger
    """
    folder = place(landing_url, SETTING) / account / feed
    names = (manifest.name.removesuffix(".json") for manifest in folder.glob("*/*.json"))
    found = (read_manifest(landing_url, _path_of(f"{account}/{feed}", name)) for name in names if name not in known)
    return sorted((one for one in found if one is not None and one.refused is None), key=lambda one: one.landed_at)


def check_writable(landing_url: str) -> None:
    """Write and remove a probe in the landing zone. Raises ConfigurationError with what to do."""
    zone = place(landing_url, SETTING)
    with failures_as(
        lambda why: ConfigurationError(
            f"cannot write to the landing zone {without_password(landing_url)}: {why}. Set LANDING_URL to a place that "
            "can be written, or give this account the right to"
        ),
        zone,
    ):
        if isinstance(zone, Path):
            private_folder(zone)
        probe = zone / f".probe-{os.getpid()}-{os.urandom(6).hex()}"
        probe.write_bytes(b"")
        probe.unlink()


def read_manifest(landing_url: str, path: str) -> LandedObject | None:
    """Return the manifest of an object; None if it was never landed."""
    try:
        return msgspec.json.decode((place(landing_url, SETTING) / f"{path}.json").read_bytes(), type=LandedObject)
    except FileNotFoundError:
        return None


def landed_objects(landing_url: str) -> Iterator[LandedObject]:
    """Yield every landed object, in order of name: also those that no load has recorded."""
    zone = place(landing_url, SETTING)
    with failures_as(lambda why: SourceError(f"Cannot list the landing zone ({SETTING}): {why}."), zone):
        paths = sorted("/".join(manifest.parts[-4:]).removesuffix(".json") for manifest in zone.glob("*/*/*/*.json"))
    for path in paths:
        if (landed := read_manifest(landing_url, path)) is not None:
            yield landed


def mask_source(landing_url: str, landed: LandedObject) -> None:
    """Write the manifest again with all addresses in its source and request redacted."""
    masked = msgspec.structs.replace(
        landed,
        source=landed.source and mask_everyone(landed.source),
        request=landed.request and mask_everyone(landed.request),
    )
    _write_manifest(landing_url, masked, is_replacing=True)


def open_object(landing_url: str, landed: LandedObject) -> BinaryIO:
    """Return the original bytes of a landed object. Raises SourceError if they are missing, changed or rewritten."""
    stream, is_original = open_any(landing_url, landed)
    if not is_original:
        stream.close()
        raise SourceError(f"Landed object {landed.path} was rewritten without people who were erased.")
    return stream


def open_any(landing_url: str, landed: LandedObject) -> tuple[BinaryIO, bool]:
    """Return the bytes of a landed object, and whether they are the original ones, which have the digest that is its
    name; else they are those of a rewritten object. Raises SourceError if they are missing or changed."""
    zone = place(landing_url, SETTING)
    with failures_as(lambda why: SourceError(f"Cannot read the landed object {landed.path}: {why}."), zone):
        try:
            stream = open_bytes(zone / landed.path)
        except FileNotFoundError as error:
            raise SourceError(
                f"Landed object {landed.path} is gone from {without_password(landing_url)}. Restore it from a backup: "
                "without it its events cannot be loaded or replayed. Nothing was changed."
            ) from error
        digest = hashlib.sha256()
        while block := stream.read(BLOCK):
            digest.update(block)
        stream.seek(0)
        if digest.hexdigest() == landed.sha256:
            return stream, True
        if not _is_rewritten(stream, landed.sha256):
            stream.close()
            raise SourceError(
                f"Landed object {landed.path} is damaged: its bytes are not those that were landed. Restore it from a "
                "backup, or load the original file once more, which mends it. Nothing was changed."
            )
        stream.seek(0)
        return stream, False


def _is_rewritten(stream: BinaryIO, sha256: str) -> bool:
    """Whether a stream begins like the rewritten form of an object."""
    try:
        with gzip.open(stream) as unpacked:
            head = msgspec.json.decode(unpacked.readline(_LONGEST_HEAD), type=RewrittenHead)
    except (OSError, EOFError, zlib.error, msgspec.DecodeError):
        return False
    return head.sha256 == sha256


def _stays(found: Place, sha256: str) -> bool:
    """Whether a rewritten object has this name: its original must not come back."""
    try:
        with open_bytes(found) as stream:
            return _is_rewritten(stream, sha256)
    except FileNotFoundError:
        return False


def _path_of(folder: str, sha256: str) -> str:
    return f"{folder}/{sha256[:2]}/{sha256}"


def _put_file(stream: Readable, zone: Path, folder: str) -> tuple[str, int]:
    """Copy a stream to the name of its content and return sha256 and length. An existing object is replaced, which
    repairs a damaged one; a rewritten one stays."""
    private_folder(zone / folder)
    draft = zone / folder / f".{os.getpid()}-{os.urandom(6).hex()}.tmp"
    try:
        with private_file(draft) as target:
            sha256, byte_count = _copy(stream, target)
            flush(target)
        final = zone / _path_of(folder, sha256)
        private_folder(final.parent)
        if not _stays(final, sha256):
            draft.rename(final)
        return sha256, byte_count
    finally:
        draft.unlink(missing_ok=True)


def _put_object(stream: Readable, zone: UPath, folder: str) -> tuple[str, int]:
    """Put a stream into an object store and return sha256 and length. The bytes are first copied to this machine
    (TMPDIR), because their name is known only after all were read."""
    with NamedTemporaryFile() as spool:
        sha256, byte_count = _copy(stream, spool)
        spool.flush()
        final = zone / _path_of(folder, sha256)
        if not _stays(final, sha256):
            zone.fs.put_file(spool.name, final.path)
        return sha256, byte_count


def _copy(stream: Readable, target: IO[bytes]) -> tuple[str, int]:
    digest = hashlib.sha256()
    byte_count = 0
    while block := stream.read(BLOCK):
        digest.update(block)
        byte_count += len(block)
        target.write(block)
    return digest.hexdigest(), byte_count


def _write_manifest(landing_url: str, landed: LandedObject, is_replacing: bool = False) -> LandedObject:
    """Write the manifest, unless another process landed the same bytes first; return the stored one."""
    manifest = place(landing_url, SETTING) / f"{landed.path}.json"
    text = msgspec.json.format(msgspec.json.encode(landed), indent=1) + b"\n"
    if isinstance(manifest, Path):
        draft = manifest.with_name(f".{manifest.name}.{os.getpid()}-{os.urandom(6).hex()}.tmp")
        with private_file(draft) as file:
            file.write(text)
            flush(file)
        if is_replacing:
            draft.rename(manifest)
        else:
            with suppress(FileExistsError):
                os.link(draft, manifest)
            draft.unlink()
        flush_folder(manifest.parent)
    else:
        with suppress(FileExistsError):
            manifest.fs.pipe_file(manifest.path, text, mode="overwrite" if is_replacing else "create")
    return read_manifest(landing_url, landed.path) or landed


def flush(file: BinaryIO) -> None:
    """Write a file through to the disk."""
    file.flush()
    os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Write the names of a folder through to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
