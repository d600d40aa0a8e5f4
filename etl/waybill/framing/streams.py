"""Opens landed bytes, plain or compressed. The bytes decide, not the name. Memory is constant, and there are limits.

Formats: gzip, bzip2, xz, Zstandard (one member or several) and zip archives (all their files). Truncated, damaged,
encrypted, doubly or otherwise compressed objects and bombs raise SourceError: nothing of such an object is loaded.
Text is UTF-8. Text with a byte order mark of UTF-16 or UTF-32 (Excel's "Unicode text") is converted to UTF-8.
"""

import bz2
import codecs
import io
import lzma
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, BinaryIO, Protocol

from waybill.framing import limits
from waybill.model.errors import SourceError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BOM = b"\xef\xbb\xbf"
WIDE_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",  # first: it begins with the mark of UTF-16
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
ZIP, EMPTY_ZIP = b"PK\x03\x04", b"PK\x05\x06"
PARQUET = b"PAR1"
"""The first and the last bytes of a Parquet file."""
READABLE = {
    b"\x1f\x8b": "gzip",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    ZIP: "zip",
    EMPTY_ZIP: "zip",
    **{b"BZh%d" % level: "bzip2" for level in range(1, 10)},
}
UNREADABLE = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"\x04\x22\x4d\x18": "compressed with LZ4",
    b"\xff\x06\0\0sNaPpY": "compressed with Snappy",
    b"\x1f\x9d": "compressed with compress (.Z)",
    b"LZIP\x01": "compressed with lzip",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an Excel workbook (.xls)",
    b"Obj\x01": "an Avro file",
    b"%PDF-": "a PDF document",
    b"SQLite format 3\0": "a SQLite database",
}
"""First bytes of formats that are recognised but not read."""

_HEAD_BYTES = 512
_TAR = slice(257, 262)
_REMEDY = "Nothing of it was loaded; write it as plain text, gzip, bzip2, xz, Zstandard or zip."
_SHORTEST_DIRECTORY_END = 22  # bytes at the end of a zip archive
_BROKEN = (zlib.error, lzma.LZMAError, zipfile.BadZipFile, EOFError, OSError, ValueError)


def open_parts(stream: BinaryIO | io.RawIOBase) -> Iterator[BinaryIO]:
    """Yield buffered readers of the decompressed files of an object: one, or all files of a zip archive."""
    head, opened = _with_head(stream, len(ZIP))
    if head in (ZIP, EMPTY_ZIP):
        yield from _members_of_zip(opened)
    else:
        yield open_bytes(opened)


def open_texts(stream: BinaryIO | io.RawIOBase) -> Iterator[BinaryIO]:
    """Yield readers as `open_parts`. Raises SourceError if one of them is a Parquet file."""
    for part in open_parts(stream):
        head, opened = peek(part, _HEAD_BYTES)
        if is_parquet(head, opened):
            raise SourceError(
                "The file is a Parquet file, which only the dispatch log may be. Nothing of it was loaded; write it as "
                "JSON, or load it into the feed to which it belongs."
            )
        yield opened


def is_parquet(head: bytes, stream: BinaryIO) -> bool:
    """Whether a file is Parquet: by its first bytes, or, if these are damaged, by its last ones.

    :param head: the first bytes of the stream, which still begins with them
    """
    if head.startswith(PARQUET) or b"\0" not in head or not stream.seekable():
        return head.startswith(PARQUET)
    here = stream.tell()
    end = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, end - len(PARQUET)))
    tail = stream.read(len(PARQUET))
    stream.seek(here)
    return tail == PARQUET


def open_bytes(stream: BinaryIO | io.RawIOBase) -> BinaryIO:
    """Return a buffered reader of the object's bytes, decompressed if they are compressed; no archives."""
    head, opened = _with_head(stream, _HEAD_BYTES)
    _refuse(head)
    name = _name(head, READABLE)
    if name is None:
        return _in_utf8(opened)
    meter = _Meter(opened, name)
    if name == "Zstandard":
        import pyarrow  # a large library for one kind of files

        return _buffered(pyarrow.CompressedInputStream(pyarrow.PythonFile(meter, mode="r"), "zstd").read, meter)
    return _buffered(_Members(meter, _DECOMPRESSORS[name]).read, meter)


def peek(stream: BinaryIO, count: int) -> tuple[bytes, BinaryIO]:
    """Return the first bytes, and a reader that still begins with them."""
    return _with_head(stream, count)


def with_line_feeds(stream: BinaryIO) -> BinaryIO:
    """Return a reader of lines that end with a carriage return alone, as on old Macs."""
    return io.BufferedReader(_Joined(b"", lambda size: stream.read(size).replace(b"\r", b"\n")), limits.BLOCK)


def _name(head: bytes, formats: dict[bytes, str]) -> str | None:
    return next((name for begin, name in formats.items() if head.startswith(begin)), None)


def _refuse(head: bytes) -> None:
    name = "a tar archive" if head[_TAR] == b"ustar" else _name(head, UNREADABLE)
    if name is not None:
        raise SourceError(f"The file is {name}, which is not read. {_REMEDY}")


def _with_head(stream: BinaryIO | io.RawIOBase, count: int) -> tuple[bytes, BinaryIO]:
    if isinstance(stream, io.RawIOBase):
        stream = io.BufferedReader(stream, limits.BLOCK)
    head = stream.read(count)
    if stream.seekable():
        stream.seek(-len(head), io.SEEK_CUR)
        return head, stream
    return head, io.BufferedReader(_Joined(head, stream.read), limits.BLOCK)


class _Joined(io.RawIOBase):
    """Bytes that were already read, then the rest of a stream."""

    def __init__(self, head: bytes, read: Callable[[int], bytes]) -> None:
        self._head = head
        self._read = read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        data = self._head or self._read(len(view))  # may return more than that
        self._head = data[len(view) :]
        data = data[: len(view)]
        view[: len(data)] = data
        return len(data)


class _Meter:
    """Counts compressed and decompressed bytes, and checks their limits."""

    closed = False

    def __init__(self, compressed: BinaryIO, name: str) -> None:
        self.name = name
        self.read_count = 0
        self._compressed = compressed
        self._decompressed_count = 0

    def read(self, size: int) -> bytes:
        """Return the next compressed bytes."""
        data = self._compressed.read(size)
        self.read_count += len(data)
        return data

    def close(self) -> None:
        """Do nothing: the opener of the stream closes it."""

    def checked(self, data: bytes) -> bytes:
        """Count decompressed bytes and return them. Raises SourceError if there are too many."""
        self._decompressed_count += len(data)
        if self._decompressed_count > limits.MOST_BYTES:
            raise SourceError(f"The file holds more than {limits.MOST_BYTES} bytes decompressed. Split it.")
        most = max(limits.RATIO_COUNTS_FROM, limits.HIGHEST_RATIO * self.read_count)
        if self._decompressed_count > most:
            raise SourceError(
                f"The file's {self.name} data decompress to more than {limits.HIGHEST_RATIO} times their size. "
                "This is no event log. Nothing of it was loaded; look at the file."
            )
        return data


def _buffered(decompress: Callable[[int], bytes], meter: _Meter) -> BinaryIO:
    """Return a reader of decompressed bytes. Raises SourceError if they are compressed, too."""

    def read(size: int) -> bytes:
        try:
            return meter.checked(decompress(size))
        except EOFError as error:
            raise SourceError(
                f"The file is truncated: its {meter.name} data end before their end mark. Nothing of it was loaded; "
                "fetch or write it again."
            ) from error
        except _BROKEN as error:
            how = "truncated" if "runcated" in str(error) else "damaged"
            raise SourceError(
                f"The file is {how}: its {meter.name} data cannot be decompressed. Nothing of it was loaded; fetch or "
                "write it again."
            ) from error

    head = b""
    while len(head) < _HEAD_BYTES and (data := read(_HEAD_BYTES - len(head))):
        head += data
    _refuse(head)
    if inner := _name(head, READABLE):
        raise SourceError(f"The file is compressed twice, {inner} inside {meter.name}, which is not read. {_REMEDY}")
    return _in_utf8(io.BufferedReader(_Joined(head, read), limits.BLOCK))


def _in_utf8(stream: BinaryIO) -> BinaryIO:
    """Return a reader of UTF-8, converted from the encoding of the byte order mark."""
    head, stream = peek(stream, len(codecs.BOM_UTF32_LE))
    name = _name(head, WIDE_MARKS)
    if name is None:
        return stream
    text = io.TextIOWrapper(stream, name, "surrogatepass", newline="")  # half a character affects only its record

    def read(size: int) -> bytes:
        try:
            return text.read(size).encode(errors="surrogatepass")
        except UnicodeError as error:
            raise SourceError(
                f"The file is damaged: it begins as {name}, but the rest is not {name}. Nothing of it was loaded; "
                "fetch or write it again."
            ) from error

    return io.BufferedReader(_Joined(b"", read), limits.BLOCK)


class _Decompressor(Protocol):
    """Decompresses one member, as the decompressors of bz2 and lzma do."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...


class _GzipMember:
    """A _Decompressor of gzip."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=31)

    def decompress(self, data: bytes, size: int) -> bytes:
        return self._member.decompress(self._member.unconsumed_tail + data, size)

    @property
    def needs_input(self) -> bool:
        return not self._member.unconsumed_tail

    @property
    def eof(self) -> bool:
        return self._member.eof

    @property
    def unused_data(self) -> bytes:
        return self._member.unused_data


_DECOMPRESSORS: dict[str, Callable[[], _Decompressor]] = {
    "gzip": _GzipMember,
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=limits.MEMORY_OF_XZ),
}


class _Members:
    """Decompresses members one after the other, and requires the end of each."""

    def __init__(self, meter: _Meter, new_member: Callable[[], _Decompressor]) -> None:
        self._meter = meter
        self._new_member = new_member
        self._member = new_member()

    def read(self, size: int) -> bytes:
        """Return the next decompressed bytes; empty at the end. Raises EOFError if a member is truncated."""
        while True:
            if self._member.eof:
                data = self._after_member()
                if not data:
                    return b""
                self._member = self._new_member()
            elif self._member.needs_input:
                data = self._meter.read(limits.BLOCK)
                if not data:
                    raise EOFError
            else:
                data = b""
            if found := self._member.decompress(data, size):
                return found

    def _after_member(self) -> bytes:
        """Return the bytes after the end of a member, without zeros that pad a tape."""
        data = self._member.unused_data.lstrip(b"\0")
        while not data and (block := self._meter.read(limits.BLOCK)):
            data = block.lstrip(b"\0")
        return data


def _members_of_zip(stream: BinaryIO) -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile() as spooled:
        if not stream.seekable():
            shutil.copyfileobj(stream, spooled)
            stream = spooled
        _check_directory(stream)
        try:
            archive = zipfile.ZipFile(stream)
        except (*_BROKEN, NotImplementedError) as error:
            raise SourceError(
                "The file is truncated or damaged: its zip archive has no readable list of its files. Nothing of it "
                "was loaded; fetch or write it again."
            ) from error
        meter = _Meter(stream, "zip")
        for member in archive.infolist():
            if member.is_dir() or member.filename.startswith("__MACOSX/"):
                continue
            if member.filename == "[Content_Types].xml":
                raise SourceError("The file is an Excel workbook (.xlsx), which is not read. Save it as CSV (UTF-8).")
            if member.flag_bits & 1:
                raise SourceError(f"The file is an encrypted zip archive, which is not read. {_REMEDY}")
            try:
                opened = archive.open(member)
            except NotImplementedError as error:
                raise SourceError(f"The zip archive is packed in a way that is not read. {_REMEDY}") from error
            except _BROKEN as error:
                raise SourceError(
                    "The file is damaged: a file of its zip archive cannot be read. Nothing of it was loaded; fetch or "
                    "write it again."
                ) from error
            meter.read_count += member.compress_size
            with opened:
                yield _buffered(opened.read, meter)


def _check_directory(stream: BinaryIO) -> None:
    """Raise SourceError if the archive has so many files that their list would fill the memory."""
    stream.seek(0, io.SEEK_END)
    stream.seek(max(0, stream.tell() - _SHORTEST_DIRECTORY_END - 0xFFFF))
    tail = stream.read()
    stream.seek(0)
    at = tail.rfind(EMPTY_ZIP)
    if 0 <= at <= len(tail) - _SHORTEST_DIRECTORY_END:
        _, count, size = struct.unpack_from("<HHI", tail, at + 8)
        if count > limits.MOST_MEMBERS or size > limits.LONGEST_DIRECTORY:
            raise SourceError(
                f"The zip archive holds more than {limits.MOST_MEMBERS} files, or their list is longer than "
                f"{limits.LONGEST_DIRECTORY} bytes. Nothing of it was loaded; split it."
            )
