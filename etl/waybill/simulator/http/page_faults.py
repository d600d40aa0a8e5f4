"""Faults of pages: rows and links that are not those of the list. They do not strike refusals.

A page with only a wrong link still counts as seen, because its rows are right. A fault of links has no effect if the
API has no links.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal
from urllib.parse import urlsplit

from waybill.simulator.http.fault import Exchange, Fault
from waybill.simulator.http.faults import ELSEWHERE
from waybill.simulator.http.page import Page

_FRESH = re.compile(r"[?&]fresh=(\d+)$")


class RepeatedPage(Fault, frozen=True):
    """A page that is not the first shows the rows of the one before it, under its own number and links."""

    def alter(self, page: Page, exchange: Exchange) -> Page:
        other = page.preceding and exchange.page_at(page.preceding)
        return page.with_rows_of(other) if other else page


class MissingPage(Fault, frozen=True):
    """A page that is not the last has the rows and the links of the one after it."""

    def alter(self, page: Page, exchange: Exchange) -> Page:
        return (page.following and exchange.page_at(page.following)) or page


class EmptyPage(Fault, frozen=True):
    """A page has no rows, although the list has some there; its links stay."""

    def alter(self, page: Page, exchange: Exchange) -> Page:
        return page.with_first_rows(0)


class HalfPage(Fault, frozen=True):
    """The second half of the rows of a page is left out, such as rows that arrive late; its links stay."""

    def alter(self, page: Page, exchange: Exchange) -> Page:
        return page.with_first_rows(len(page.rows) // 2)


class EarlyEnd(Fault, frozen=True):
    """A page says that it is the last, although others follow."""

    def alter(self, page: Page, exchange: Exchange) -> Page:
        return replace(page, following=None)


class EndlessList(Fault, frozen=True):
    """The list begins again after its last page, and each link to the next page has a token that was never seen."""

    def alter(self, page: Page, exchange: Exchange) -> Page:
        again = _FRESH.sub("", page.following or page.first)
        found = _FRESH.search(exchange.target)
        fresh = f"{'&' if '?' in again else '?'}fresh={int(found[1]) + 1 if found else 1}"
        is_last = page.following is None or not page.rows
        if is_last and (first := exchange.page_at(page.first)):
            filled = replace(page, rows=(*page.rows, *first.rows), shows=(*page.shows, *first.shows))
            page = filled.with_first_rows(len(first.rows))
        return replace(page, following=f"{again}{fresh}")


class NoList(Fault, frozen=True):
    """The body of a page lacks its rows, or has something else in their place.

    :ivar instead: what the field of the rows has; `nothing`: there is no such field
    """

    instead: Literal["nothing", "null", "object"] = "nothing"

    def alter(self, page: Page, exchange: Exchange) -> Page:
        return replace(page, rows=(), shows=(), write=lambda empty: self._without(page.write(empty), page.rows_name))

    def _without(self, body: object, rows_name: str | None) -> object:
        value: object = None if self.instead == "null" else {}
        if rows_name is None or not isinstance(body, dict):
            return value
        body.pop(rows_name, None)
        return body if self.instead == "nothing" else {**body, rows_name: value}


class RetypedRow(Fault, frozen=True):
    """The first row of a page has values of another type.

    :ivar field: whose value is put into an array; empty: all of them
    """

    field: str = ""

    def alter(self, page: Page, exchange: Exchange) -> Page:
        if not page.rows:
            return page
        row = page.rows[0]
        retyped = {name: value if self.field not in ("", name) else [value] for name, value in row.items()}
        return replace(page, rows=(retyped, *page.rows[1:]), shows=page.shows[1:])


class UnknownField(Fault, frozen=True):
    """Every row of a page has a field that the provider's documentation does not name."""

    def alter(self, page: Page, exchange: Exchange) -> Page:
        return replace(page, rows=tuple(_with_new_field(row) for row in page.rows))


class LoopingLink(Fault, frozen=True):
    """The link to the next page leads back.

    :ivar to: the page itself, or the first one
    """

    to: Literal["itself", "first"] = "itself"

    def alter(self, page: Page, exchange: Exchange) -> Page:
        return replace(page, following=page.own if self.to == "itself" else page.first)


class ForeignLink(Fault, frozen=True):
    """The link to the next page leads away from where the list was asked.

    :ivar form: how; `other_host` and `other_scheme` are absolute, `other_port` keeps the host, `no_scheme` begins
        with two slashes, `userinfo` puts the own origin before an @, `other_path` stays on the origin
    :ivar elsewhere: host, with a port if need be, that it leads to; of `other_port` only the port counts
    """

    form: Literal["other_host", "other_port", "other_scheme", "no_scheme", "userinfo", "other_path"] = "other_host"
    elsewhere: str = ELSEWHERE

    def alter(self, page: Page, exchange: Exchange) -> Page:
        own, port = urlsplit(exchange.origin), urlsplit(f"//{self.elsewhere}").port
        start = {
            "other_host": f"{own.scheme}://{self.elsewhere}",
            "other_port": f"{own.scheme}://{own.hostname}:{port or 9}",
            "other_scheme": f"ftp://{own.netloc}",
            "no_scheme": f"//{self.elsewhere}",
            "userinfo": f"{own.scheme}://{own.netloc}@{self.elsewhere}",
            "other_path": "/elsewhere",
        }[self.form]
        return replace(page, following=f"{start}{page.following or page.own}")


def _with_new_field(row: Mapping[str, object]) -> Mapping[str, object]:
    return {**row, "field_of_next_year": "new"}
