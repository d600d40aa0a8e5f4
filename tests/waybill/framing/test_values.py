"""The splitter of arrays finds the elements that the JSON library finds, block by block."""

import io
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.framing import limits, values
from waybill.framing.lines import lines_or_arrays
from waybill.framing.values import Values

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(list('[]{}",:\\ ')),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.lists(st.dictionaries(st.text(max_size=3), json_values, max_size=3), max_size=8),
    st.sampled_from([None, 0, 1, 3]),
    st.booleans(),
    st.integers(1, 64),
)
def test_the_splitter_finds_the_elements_that_the_json_library_finds(
    written: list[dict], indent: int | None, ascii_only: bool, block: int
):
    data = json.dumps(written, indent=indent, ensure_ascii=ascii_only).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "BLOCK", block)
        assert [json.loads(record.raw) for record in lines_or_arrays(io.BytesIO(data))] == written
        patch.setattr(values, "_CUTS_TO_TRY", 0)
        elements = list(Values(io.BytesIO(data[1:])).elements())
        assert [json.loads(element.raw) for element in elements] == written
        assert [element.value for element in elements] == written


def test_memory_stays_constant_for_an_endless_array(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "LONGEST_RECORD", 100_000)
    monkeypatch.setattr(limits, "BLOCK", 10_000)

    class Endless(io.RawIOBase):
        """2,000 elements on one line, each produced when it is read."""

        left, waiting = 2_000, b""

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray) -> int:
            if not self.waiting and self.left > 0:
                self.left -= 1
                self.waiting = b'{"a":"' + b"x" * 900 + b'"}' + (b"," if self.left else b"]")
            piece, self.waiting = self.waiting[: len(buffer)], self.waiting[len(buffer) :]
            buffer[: len(piece)] = piece
            return len(piece)

    tracemalloc.start()
    try:
        found = Values(io.BufferedReader(Endless())).elements()
        assert sum(element.problem is None for element in found) == 2_000
        assert tracemalloc.get_traced_memory()[1] < 500_000 < 2_000 * 900
    finally:
        tracemalloc.stop()
