"""Every event column names its roles; merging, redaction and the bounds of keys follow from them."""

from typing import Annotated

import msgspec
import pytest

from waybill.model.bounds import LONGEST_BYTES
from waybill.model.columns import Holds, Key, Merge, columns_of
from waybill.model.event import COLUMNS, EventDraft


@pytest.mark.parametrize(
    "column",
    [
        str | None,
        Annotated[str | None, Merge.GREATEST],
        Annotated[str | None, Holds.TEXT],
        Annotated[str | None, Merge.GREATEST, Merge.LEAST, Holds.TEXT],
        Annotated[str | None, Merge.GREATEST, Holds.TEXT, Holds.CODE],
    ],
    ids=["no role", "no content", "no merge", "two merges", "two contents"],
)
def test_a_column_without_its_roles_does_not_import(column: object) -> None:
    with pytest.raises(TypeError, match=r"^Draft\.added must name one Merge and one Holds"):
        columns_of(msgspec.defstruct("Draft", [("added", column, None)]))


@pytest.mark.parametrize("holds", [Holds.IDENTIFIER, Holds.LABEL])
def test_an_id_without_a_bound_does_not_import(holds: Holds) -> None:
    with pytest.raises(TypeError, match=r"^Draft\.added holds an id, so it must name its bound"):
        columns_of(msgspec.defstruct("Draft", [("added", Annotated[str | None, Merge.GREATEST, holds], None)]))


def test_roles_are_read_in_the_order_of_the_columns() -> None:
    added = Annotated[str | None, Merge.LEAST, Holds.LABEL, Key(longest_bytes=5)]
    more = Annotated[int | None, Merge.MOST, Holds.OWN]
    columns = columns_of(msgspec.defstruct("Draft", [("added", added, None), ("more", more, None)]))
    assert list(columns) == ["added", "more"]
    assert (columns["added"].merge, columns["added"].holds) == (Merge.LEAST, Holds.LABEL)
    assert columns["added"].key == Key(longest_bytes=5) and columns["more"].key is None


def test_every_role_has_a_column() -> None:
    assert list(COLUMNS) == list(EventDraft.__struct_fields__)
    assert {column.merge for column in COLUMNS.values()} == set(Merge)
    assert {column.holds for column in COLUMNS.values()} == set(Holds)


def test_every_id_and_the_address_have_a_bound() -> None:
    kinds = (Holds.IDENTIFIER, Holds.LABEL, Holds.ADDRESS)
    assert {name for name, column in COLUMNS.items() if column.holds in kinds} <= LONGEST_BYTES.keys()
    assert LONGEST_BYTES["dispatch_id"] == 1_000 and LONGEST_BYTES["currency"] == 200
