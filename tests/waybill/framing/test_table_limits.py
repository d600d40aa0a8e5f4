"""Tables beyond a limit are refused early, with the limit in the message."""

import io
import time

import pyarrow
import pyarrow.parquet as parquet
import pytest

from waybill.framing.tables import table
from waybill.model.errors import SourceError


def packed(columns: dict[str, pyarrow.Array]) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), out, compression="zstd")
    return out.getvalue()


def repeated(text: str, count: int) -> pyarrow.Array:
    return pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * count, pyarrow.int32()), pyarrow.array([text]))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (",".join(f"c{number}" for number in range(100_000)).encode() + b"\n1", "more than 1000 columns"),
        (packed({"a": repeated("y", 2_000_000), "b": repeated("z", 2_000_000)}), "more than one row per byte"),
        (packed({"a": repeated("y" * 10**6, 4096), "b": repeated("z", 4096)}), "250 times"),
        (packed({"a": pyarrow.array(["y" * 50_000_000]), "b": pyarrow.array(["z"])}), "for each cell"),
        (b"a,b\n" + b",\n" * 2_100_000, "2000000 empty"),
        (b"a,b\n" + b"1\n" * 150_000, "100000 records"),
    ],
    ids=["columns", "rows", "cells of one text", "a long cell", "empty rows", "bad rows"],
)
def test_a_table_beyond_a_limit_is_refused_early(data: bytes, expected: str):
    began = time.process_time()
    with pytest.raises(SourceError, match=expected):
        for _ in table(io.BytesIO(data), ("a", "b")):
            pass
    assert time.process_time() - began < 20
