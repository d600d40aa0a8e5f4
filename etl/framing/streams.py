"""Landed bytes, opened: gzip or plain, told by the bytes and not by the name; flat in memory, with limits.

Truncated or damaged gzip data and bombs end in a SourceError: nothing of such an object is loaded.
"""

import io
import zlib
from typing import BinaryIO

from etl.framing import limits
from etl.model.errors import SourceError

GZIP = b"\x1f\x8b"
BOM = b"\xef\xbb\xbf"


def open_bytes(stream: BinaryIO) -> io.BufferedIOBase:
    """A buffered reader of the object's own bytes, decompressed where they are gzip (one member or several)."""
    head, rest = _with_head(stream, len(GZIP))
    if head == GZIP:
        return io.BufferedReader(_Gunzip(rest), limits.BLOCK)
    return rest


def peek(stream: io.BufferedIOBase, count: int) -> tuple[bytes, io.BufferedIOBase]:
    """The first bytes, and a reader that still begins with them."""
    return _with_head(stream, count)


def _with_head(stream: BinaryIO, count: int) -> tuple[bytes, io.BufferedIOBase]:
    if not isinstance(stream, io.BufferedReader | io.BytesIO):
        stream = io.BufferedReader(stream, limits.BLOCK)
    head = stream.read(count)
    if stream.seekable():
        stream.seek(-len(head), io.SEEK_CUR)
        return head, stream
    return head, io.BufferedReader(_Joined(head, stream), limits.BLOCK)


class _Joined(io.RawIOBase):
    """Bytes already read, then the rest of a stream that cannot go back (standard input)."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:
        data = self._head[: len(buffer)] if self._head else self._rest.read(len(buffer))
        self._head = self._head[len(data) :]
        buffer[: len(data)] = data
        return len(data)


class _Gunzip(io.RawIOBase):
    """Decompresses gzip members one after the other, and insists on the end of each."""

    def __init__(self, compressed: BinaryIO) -> None:
        self._compressed = compressed
        self._member = zlib.decompressobj(wbits=31)
        self._read_count = 0
        self._told_count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:
        while True:
            waiting = self._member.unconsumed_tail
            if self._member.eof:
                waiting = (self._member.unused_data or self._more()).lstrip(b"\0")  # tapes pad with zeros
                if not waiting:
                    if self._at_end():
                        return 0
                    self._member = _FINISHED
                    continue
                self._member = zlib.decompressobj(wbits=31)
            waiting = waiting or self._more()
            if not waiting:
                raise SourceError(
                    "The file is truncated: its gzip data end before their end mark. Nothing of it was loaded; "
                    "fetch or write it again."
                )
            try:
                data = self._member.decompress(waiting, len(buffer))
            except zlib.error as error:
                raise SourceError(
                    "The file is damaged: its gzip data cannot be decompressed. Nothing of it was loaded; fetch or "
                    "write it again."
                ) from error
            if data:
                self._told_count += len(data)
                self._check_limits()
                buffer[: len(data)] = data
                return len(data)

    def _more(self) -> bytes:
        data = self._compressed.read(limits.BLOCK)
        self._read_count += len(data)
        return data

    def _at_end(self) -> bool:
        self._ahead = self._compressed.read(1)
        if self._ahead:
            self._compressed = io.BufferedReader(_Joined(self._ahead, self._compressed), limits.BLOCK)
        return not self._ahead

    def _check_limits(self) -> None:
        if self._told_count > limits.MOST_BYTES:
            raise SourceError(f"The file holds more than {limits.MOST_BYTES} bytes decompressed. Split it.")
        if self._told_count > limits.RATIO_COUNTS_FROM and self._told_count > limits.HIGHEST_RATIO * self._read_count:
            raise SourceError(
                f"The file's gzip data decompress to more than {limits.HIGHEST_RATIO} times their size: no event log "
                "does. Nothing of it was loaded; look at the file."
            )


class _Finished:
    """A member that has ended and left nothing behind."""

    eof = True
    unused_data = b""
    unconsumed_tail = b""


_FINISHED = _Finished()
