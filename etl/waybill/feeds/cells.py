"""Reads cells of tables from people, databases and spreadsheets: empty cells, texts, ids, words."""

import re
from typing import TypeVar

from waybill.feeds import fields
from waybill.model.errors import RejectRecord
from waybill.model.plain_text import trimmed

NOTHING = frozenset(("NULL", "null", "\\N", "nan", "NaN", "NaT", "None"))
"""Cells that databases and pandas write for an absent value."""

Value = TypeVar("Value")

_TEXT_FORMULA = re.compile(r'="(.*)"', re.DOTALL)
_TEXT_MARK = re.compile(r"'(?=[\d+=@-])|=(?=\+?\d)")  # before digits that a spreadsheet must not change
_WHOLE_DECIMAL = re.compile(r"([+-]?(?:0|[1-9]\d*))\.0+", re.ASCII)
_BETWEEN_WORDS = re.compile(r"[\s_-]+")


def cell(value: Value) -> Value | str | None:
    """Return the value of a cell: None if empty; a text trimmed and without the marks of spreadsheets."""
    if not isinstance(value, str):
        return value
    written = trimmed(value)
    if not written or written in NOTHING:
        return None
    if written[0] in "='":
        if formula := _TEXT_FORMULA.fullmatch(written):
            return trimmed(formula[1].replace('""', '"')) or None
        return _TEXT_MARK.sub("", written, count=1) if _TEXT_MARK.match(written) else written
    return written


def exact(field: str, value: object) -> str | None:
    """Return an id or a number of a cell as text: 4711.0 is 4711. Raises RejectRecord for a rounded number."""
    value = cell(value)
    if isinstance(value, float):
        if not value.is_integer() or fields.is_rounded(value):
            raise RejectRecord(f"{field}: a number with a fraction, or one that was rounded")
    elif isinstance(value, str):
        if fields.is_rounded(value):
            raise RejectRecord(f"{field}: a number that a spreadsheet has rounded")
        if whole := _WHOLE_DECIMAL.fullmatch(value):
            return whole[1]
    return fields.identifier(value)


def word(value: object) -> str | None:
    """Return a word of Waybill in its own spelling: `Handed Over` is handed_over."""
    written = fields.identifier(cell(value))
    return None if written is None else _BETWEEN_WORDS.sub("_", written.lower())
