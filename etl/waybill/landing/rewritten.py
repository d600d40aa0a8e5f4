"""Landed objects that were rewritten, because records of them named people who were erased.

A rewritten object has the place and the name of the original one. Its form is the same whatever the original was: a
gzip file with a line of JSON for each record, a first line that names the original, and a last line with a digest of
all others. A record that names nobody erased is kept with its bytes. The others are kept as what they meant: their
events without the address, or the reason of their rejection. So a replay gives the same events and counts.
"""

import gzip
import hashlib
import os
from collections.abc import Generator, Iterable, Iterator
from datetime import datetime
from itertools import chain
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, BinaryIO

import msgspec

from waybill.feeds.base import Feed
from waybill.feeds.records import AccountNotice
from waybill.framing.raw_record import UNDECODABLE, RawRecord
from waybill.landing.objects import SETTING, LandedObject, RewrittenHead, flush, flush_folder, open_any
from waybill.landing.places import failures_as, place
from waybill.model.errors import RejectRecord, SourceError
from waybill.model.event import Event
from waybill.model.identity import Keyring
from waybill.secret_file import private_file

_FORM = 1


class ErasedRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a record meant that named an erased person.

    :ivar position: as in RawRecord
    :ivar events: its events, without the addresses of erased people
    :ivar notice: what it said about the account at the provider
    :ivar reason: why it was rejected; None if it was not
    :ivar acceptable_at: as in RejectRecord
    :ivar sha256: keyed hash of its bytes, hexadecimal, if it was rejected
    """

    position: int
    events: list[Event] = []
    notice: AccountNotice | None = None
    reason: str | None = None
    acceptable_at: datetime | None = None
    sha256: str = ""

    @property
    def raw(self) -> bytes:
        """Its bytes are gone."""
        return b""

    def meaning(self, feed: Feed, keyring: Keyring) -> list[Event]:
        """Return its events, derived by the rules of this release. Raises RejectRecord if it was rejected."""
        if self.reason is not None:
            raise RejectRecord(self.reason, self.acceptable_at)
        events = []
        for event in self.events:
            derived = feed.derive(event, keyring)
            derived.recipient = event.recipient
            events.append(derived)
        return events


class _KeptRecord(msgspec.Struct, omit_defaults=True):
    position: int
    raw: bytes
    problem: str | None = None
    is_json: bool = False
    value: dict[str, object] | None = None


class _Line(msgspec.Struct, omit_defaults=True):
    kept: _KeptRecord | None = None
    erased: ErasedRecord | None = None


class _Foot(msgspec.Struct):
    digest: str


Record = RawRecord | ErasedRecord


def events_of(record: Record, feed: Feed, account: str, read_at: datetime, keyring: Keyring) -> list[Event]:
    """Return the events of a record, as `Feed.normalise`."""
    if isinstance(record, ErasedRecord):
        return record.meaning(feed, keyring)
    return feed.normalise(record, account, read_at, keyring)


def notice_of(record: Record, feed: Feed) -> AccountNotice | None:
    """Return what a record without events says about the account, as `Feed.notice_of`."""
    return record.notice if isinstance(record, ErasedRecord) else feed.notice_of(record)


def records_of(landing_url: str, landed: LandedObject, feed: Feed) -> Generator[Record, None, None]:
    """Yield the records of a landed object, original or rewritten. Raises SourceError if it cannot be read."""
    stream, is_original = open_any(landing_url, landed)
    with stream:
        if is_original:
            yield from feed.records(stream)
        else:
            yield from _rewritten_records(stream, landed)


def rewrite(landing_url: str, landed: LandedObject, records: Iterable[Record]) -> None:
    """Replace a landed object by a rewritten one, in one step. Raises SourceError if it cannot be written."""
    zone = place(landing_url, SETTING)
    with failures_as(lambda why: SourceError(f"Cannot rewrite the landed object {landed.path}: {why}."), zone):
        final = zone / landed.path
        if isinstance(final, Path):
            draft = final.with_name(f".{os.getpid()}-{os.urandom(6).hex()}.tmp")
            try:
                with private_file(draft) as target:
                    _write(target, landed, records)
                    flush(target)
                draft.rename(final)
                flush_folder(final.parent)
            finally:
                draft.unlink(missing_ok=True)
        else:
            with NamedTemporaryFile() as spool:
                _write(spool, landed, records)
                spool.flush()
                final.fs.put_file(spool.name, final.path)


def _write(target: IO[bytes] | BinaryIO, landed: LandedObject, records: Iterable[Record]) -> None:
    digest = hashlib.sha256()
    with gzip.GzipFile("", "wb", 6, target, mtime=0) as packed:
        for line in chain([RewrittenHead(_FORM, landed.sha256)], map(_line, records)):
            text = msgspec.json.encode(line) + b"\n"
            digest.update(text)
            packed.write(text)
        packed.write(msgspec.json.encode(_Foot(digest.hexdigest())) + b"\n")


def _line(record: Record) -> _Line:
    if isinstance(record, ErasedRecord):
        return _Line(erased=record)
    is_json = record.value is not None and _decoded(record.raw) == record.value
    value = None if is_json else record.value
    return _Line(kept=_KeptRecord(record.position, record.raw, record.problem, is_json, value))


def _decoded(raw: bytes) -> object:
    try:
        return msgspec.json.decode(raw)
    except UNDECODABLE:
        return None


def _rewritten_records(stream: BinaryIO, landed: LandedObject) -> Iterator[Record]:
    decode = msgspec.json.Decoder(_Line).decode
    digest = hashlib.sha256()
    damaged = SourceError(f"Landed object {landed.path} is damaged: restore it from a backup. Nothing was changed.")
    line = b""
    try:
        with gzip.open(stream) as unpacked:
            for number, following in enumerate(unpacked):
                if number == 1:
                    msgspec.json.decode(line, type=RewrittenHead)
                elif number > 1:
                    yield _record(decode(line))
                digest.update(line)
                line = following
            is_whole = msgspec.json.decode(line, type=_Foot).digest == digest.hexdigest()
    except (OSError, EOFError, msgspec.DecodeError) as error:
        raise damaged from error
    if not is_whole:
        raise damaged


def _record(line: _Line) -> Record:
    if line.erased is not None:
        return line.erased
    kept = line.kept
    if kept is None:
        raise msgspec.ValidationError("neither kept nor erased")
    value = msgspec.json.decode(kept.raw, type=dict[str, object]) if kept.is_json else kept.value
    return RawRecord(kept.position, kept.raw, kept.problem, value)
