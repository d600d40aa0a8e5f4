"""Lines and blocks of a stream, read forward, with a little way back."""

import io

from etl.framing import limits


class Source:
    """Lines and blocks of a stream, into which bytes read too far can be put back."""

    def __init__(self, stream: io.BufferedIOBase) -> None:
        self._stream = stream
        self._put_back: io.BytesIO | None = None

    def line(self, limit: int) -> bytes:
        """A line with its end; at most one byte more than `limit`, then without; empty at the end."""
        if self._put_back is None:
            return self._stream.readline(limit + 1)
        line = self._put_back.readline(limit + 1)
        if line.endswith(b"\n") or len(line) > limit:
            return line
        self._put_back = None
        return line + self._stream.readline(limit + 1 - len(line))

    def block(self) -> bytes:
        """The next bytes; empty at the end."""
        if self._put_back is not None:
            block = self._put_back.read()
            self._put_back = None
            if block:
                return block
        return self._stream.read(limits.BLOCK)

    def put_back(self, data: bytes) -> None:
        """Bytes to read first."""
        if data:
            before = self._put_back.read() if self._put_back is not None else b""
            self._put_back = io.BytesIO(data + before)

    def skip_line(self) -> None:
        """Read on to the next line."""
        while (piece := self.line(limits.BLOCK)) and not piece.endswith(b"\n"):
            pass
