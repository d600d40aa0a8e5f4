"""Reads a report page: its form, and its numbers, which are computed again from the report tables."""

import json
import re
from base64 import b64encode
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from typing import NamedTuple

from tests.conftest import Warehouse
from waybill.reports.catalogue import find

VOID = ("meta", "br")
LONGEST_BYTES = 500_000


class Number(NamedTuple):
    """A number of the page, with the attributes of its element and of those around it."""

    text: str
    value: str
    columns: tuple[str, ...]
    per: tuple[str, ...]
    report: str
    where: dict[str, str]
    scope: dict[str, str]


class Page(HTMLParser):
    """The elements of a page; each one is closed, and nothing is loaded or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text, self.shown = text, ""
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.numbers: list[Number] = []
        self._open: list[tuple[str, dict[str, str]]] = []
        assert len(text.encode()) <= LONGEST_BYTES
        self.feed(text)
        self.close()
        assert self._open == []
        self._check_form()

    def handle_starttag(self, tag: str, attributes: list) -> None:
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self._open.append((tag, dict(attributes)))

    def handle_startendtag(self, tag: str, attributes: list) -> None:
        assert tag == "rect" and any(name == "svg" for name, _ in self._open)
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.shown += data
        tag, attributes = self._open[-1] if self._open else ("", {})
        if "data-value" in attributes:
            around = {name: value for _, found in self._open for name, value in found.items()}
            where = [json.loads(found["data-where"]) for _, found in self._open if "data-where" in found]
            self.numbers.append(
                Number(
                    data,
                    attributes["data-value"],
                    tuple(attributes["data-columns"].split()),
                    tuple(attributes.get("data-per", "").split()),
                    around["data-report"],
                    {name: value for found in where for name, value in found.items()},
                    around,
                )
            )
        else:
            assert tag != "td", "a number without its origin"

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def attributes(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def _check_form(self) -> None:
        names = [name for name, _ in self.elements]
        assert self.text.startswith("<!doctype html>") and self.attributes("html") == [{"lang": "en"}]
        assert names.count("h1") == names.count("main") == names[: names.index("body")].count("title") == 1
        headings = [int(name[1]) for name in names if re.fullmatch(r"h[1-6]", name)]
        assert all(after <= before + 1 for before, after in pairwise(headings))
        ids = [found["id"] for _, found in self.elements if "id" in found]
        assert len(ids) == len(set(ids))
        named = [found["aria-labelledby"] for _, found in self.elements if "aria-labelledby" in found]
        linked = [found["href"].removeprefix("#") for found in self.attributes("a")]
        assert {*named, *linked} <= set(ids)
        assert all(found["role"] == "img" and found["aria-label"] for found in self.attributes("svg"))
        assert all(found["scope"] in ("row", "col") for found in self.attributes("th"))
        # nothing is loaded, and nothing runs
        assert not {"script", "link", "img", "iframe", "object", "form", "base", "style"} & set(names) - {"style"}
        for name, found in self.elements:
            assert not [key for key in found if key.startswith("on") or key in ("src", "style", "srcset")], name
        style = re.search(r"(?s)<style>(.*)</style>", self.text)[1]
        assert "url(" not in style and "@import" not in style
        digest = b64encode(sha256(style.encode()).digest()).decode()
        (policy,) = [found["content"] for found in self.attributes("meta") if "http-equiv" in found]
        assert policy == f"default-src 'none'; style-src 'sha256-{digest}'"


def check_numbers(page: Page, warehouse: Warehouse) -> int:
    """Compute every number of the page from its report table; return how many there are."""
    tables: dict[str, list[dict]] = {}
    counted: dict[tuple, list[dict]] = {}
    for number in page.numbers:
        if number.report not in tables:
            columns = find(number.report).columns
            rows = warehouse.rows(f"select {', '.join(columns)} from report.{number.report}")
            tables[number.report] = [dict(zip(columns, row, strict=True)) for row in rows]
        key = (number.report, *number.where.items())
        if key not in counted:
            counted[key] = _counted(tables[number.report], number)
        rows = counted[key]
        expected = sum(row[column] or 0 for row in rows for column in number.columns)
        text = f"{expected:,}"
        if number.per:
            of = Decimal(sum(row[column] for row in rows for column in number.per))
            expected = (expected / of).quantize(Decimal("1e-6"), ROUND_HALF_UP) if of else None
            text = "\N{EN DASH}" if expected is None else f"{expected:.1%}"
        assert (number.value, number.text) == ("" if expected is None else str(expected), text), number
    return len(page.numbers)


def _counted(rows: list[dict], number: Number) -> list[dict]:
    """Return the rows of a report that a number adds up."""
    where = dict(number.where)
    first = date.fromisoformat(max(where.pop("from_day", ""), number.scope["data-first-day"]))
    last = date.fromisoformat(min(where.pop("until_day", "9999"), number.scope["data-last-day"]))
    if "data-account" in number.scope:
        where.setdefault("account", number.scope["data-account"])
    day_column = find(number.report).day_column
    return [
        row
        for row in rows
        if (day_column is None or first <= row[day_column] <= last)
        and all(str(row[column]) == value for column, value in where.items())
    ]
