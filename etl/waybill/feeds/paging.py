"""The shapes of lists: how a page in JSON names its records, and how the next page is asked for.

A feed declares one shape. `page` raises SourceError if a body is no complete page; the message is the end of a
sentence.
"""

from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import parse_qsl, urlsplit

import msgspec

from waybill.feeds.pages import Listing, Page, written
from waybill.model.errors import SourceError

_NO_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_CODES = ("code", "ErrorCode", "error_code")


@dataclass(frozen=True, kw_only=True)
class Paging:
    """The part that all shapes have.

    :ivar rows: path of the list in the body, such as `paging.items`; empty if the body is the list
    :ivar row_id: field with the unique id of a row; empty if rows have none
    :ivar limit: the most rows of an answer; 0 if it is not known
    :ivar is_empty_without_list: a body that is an empty object is a list without records
    :ivar details: link of the details of one record, with `{}` for its id; empty if the list shows everything
    """

    rows: str
    row_id: str = ""
    limit: int = 0
    is_empty_without_list: bool = False
    details: str = ""

    @property
    def may_be_cut_off(self) -> bool:
        """Whether a list may go on without a request that shows the rest."""
        return False

    def page(self, body: bytes, listing: Listing, request: str) -> Page:
        """Return what a body says as the answer to a request."""
        try:
            found = msgspec.json.decode(body)
        except _NO_JSON:
            raise SourceError("the answer is not JSON.") from None
        if listing.is_detail:
            return self._detail(found)
        rows = [] if found == {} and self.is_empty_without_list else _at(found, self.rows)
        if not isinstance(rows, list):
            named = f"`{self.rows}`" if self.rows else "that is a body"
            raise SourceError(f"the answer has no list {named}{_error_code(found)}.")
        return self._page(tuple(map(self._id_of, rows)), found, listing, request)

    def _page(self, ids: tuple[str, ...], found: object, listing: Listing, request: str) -> Page:
        """*shape*: return the page of a body with these records."""
        raise NotImplementedError

    def _detail(self, found: object) -> Page:
        if not isinstance(found, dict) or (self.row_id and self.row_id not in found):
            raise SourceError(f"the answer has no details of a record{_error_code(found)}.")
        return Page((self._id_of(found),), None)

    def _id_of(self, row: object) -> str:
        own = row.get(self.row_id) if isinstance(row, dict) else None
        return str(own) if isinstance(own, str | int) else sha256(msgspec.json.encode(row)).hexdigest()


@dataclass(frozen=True, kw_only=True)
class OneAnswer(Paging):
    """A list without pages. An answer with `limit` rows is cut off: both halves of its time are asked for."""

    @property
    def may_be_cut_off(self) -> bool:
        return True

    def _page(self, ids: tuple[str, ...], found: object, listing: Listing, request: str) -> Page:
        return Page(ids, None, is_cut_off=len(ids) >= self.limit)


@dataclass(frozen=True, kw_only=True)
class NextLink(Paging):
    """The body has the link of the next page.

    :ivar link: path of the link in the body
    :ivar ends_empty: every page has a link, and an empty page is the end
    """

    link: str
    ends_empty: bool = False

    def _page(self, ids: tuple[str, ...], found: object, listing: Listing, request: str) -> Page:
        link = _at(found, self.link) or None
        if self.ends_empty and not ids:
            return Page((), None, is_end=True)
        if self.ends_empty and link is None:
            raise SourceError("it names no next page, but only an empty page ends this list.")
        if link is None:
            return Page(ids, None)
        if not isinstance(link, str):
            raise SourceError(f"`{self.link}` is no link.")
        if not f"{_path_of(link)}/".startswith(f"{listing.link}/"):
            raise SourceError("it names a page of another list as the next one.")
        return Page(ids, link)


@dataclass(frozen=True, kw_only=True)
class Cursor(Paging):
    """The body has one or more tokens that the next request repeats, in its query or, for a POST, in its body.

    :ivar tokens: path of each token in the body, and the parameter, or the path in the request's body, that repeats it
    """

    tokens: tuple[tuple[str, str], ...]

    def _page(self, ids: tuple[str, ...], found: object, listing: Listing, request: str) -> Page:
        given = {name: _at(found, path) for path, name in self.tokens}
        if not any(given.values()):
            return Page(ids, None, is_end=not ids)
        if not all(isinstance(token, str | int) and token for token in given.values()):
            raise SourceError(f"`{self.tokens[0][0]}` is no token of a next page.")
        return Page(ids, _with(listing, {name: str(token) for name, token in given.items()}))


@dataclass(frozen=True, kw_only=True)
class LastId(Paging):
    """The next request names the last record of a page, as long as the body says that the list goes on.

    :ivar after: the parameter with the id of the last record
    :ivar more: path of the truth value
    """

    after: str
    more: str

    def _page(self, ids: tuple[str, ...], found: object, listing: Listing, request: str) -> Page:
        more = _at(found, self.more)
        if not isinstance(more, bool):
            raise SourceError(f"it does not say in `{self.more}` if the list goes on.")
        return Page(ids, _with(listing, {self.after: ids[-1]}) if more and ids else None, is_end=not ids)


@dataclass(frozen=True, kw_only=True)
class Offset(Paging):
    """The next request names the number of records, or of pages, before it. `limit` is required.

    :ivar offset: the parameter
    :ivar counts_pages: it is the number of the page, from 1
    :ivar total: path of the number of all records in the body; empty: a page without records is the last, because a
        page with fewer than `limit` may have lost some
    :ivar most: the most records that a list shows; behind them it is cut off; 0: no such limit
    """

    offset: str
    counts_pages: bool = False
    total: str = ""
    most: int = 0

    @property
    def may_be_cut_off(self) -> bool:
        return self.most > 0

    def _page(self, ids: tuple[str, ...], found: object, listing: Listing, request: str) -> Page:
        position = int(_params_of(request).get(self.offset, self.counts_pages))
        before = (position - 1) * self.limit if self.counts_pages else position
        end = before + len(ids)
        if self.total:
            total = _at(found, self.total)
            if not isinstance(total, int):
                raise SourceError(f"`{self.total}` is no number of records.")
            if not ids and total > before:
                raise SourceError(f"it has no records, but the list has {total}, and {before} were before it.")
            is_last = end >= total
        else:
            is_last = not ids
        if not is_last and self.most and end + self.limit > self.most:
            return Page(ids, None, is_cut_off=True)
        step = position + 1 if self.counts_pages else end
        return Page(ids, None if is_last else _with(listing, {self.offset: str(step)}), is_end=not ids)


@dataclass(frozen=True, kw_only=True)
class Repeated(Paging):
    """The same request shows the next records, and each record once. A page with fewer than `limit` is the last."""

    def _page(self, ids: tuple[str, ...], found: object, listing: Listing, request: str) -> Page:
        return Page(ids, request if len(ids) >= self.limit else None, is_end=not ids)


def _at(found: object, path: str) -> object:
    """Return the value at a path; None if it is missing."""
    for name in path.split(".") if path else ():
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _with(listing: Listing, values: dict[str, str]) -> str:
    """Return the request of a list with other values of some parameters, or of paths in its body."""
    if not listing.body:
        return written(listing.link, tuple({**dict(listing.params), **values}.items()))
    body = msgspec.json.decode(listing.body)
    for path, value in values.items():
        *outer, last = path.split(".")
        inner = body
        for name in outer:
            inner = inner.setdefault(name, {})
        inner[last] = value
    return written(listing.link, listing.params, msgspec.json.encode(body).decode())


def _params_of(request: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(request.partition(" ")[0]).query))


def _path_of(link: str) -> str:
    try:
        return urlsplit(link).path
    except ValueError:
        return ""


def _error_code(found: object) -> str:
    """Return the code of the provider's error in words, if the body is an error."""
    codes = (found.get(name) for name in _CODES) if isinstance(found, dict) else ()
    return next((f" (error {code})" for code in codes if isinstance(code, int)), "")
