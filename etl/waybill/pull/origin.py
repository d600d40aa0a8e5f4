"""The one place that credentials may go to: scheme, host, port and path prefix.

Next-page links are a provider's words: a link to somewhere else would carry the credentials there. So a link is
refused unless every reader of links reads it alike, and of what is left only path and query are used: scheme, host and
port of a request are always those of the settings.
"""

import ipaddress
import re
from collections.abc import Sequence
from urllib.parse import quote, unquote, urlencode

import httpx2

from waybill.model.errors import ConfigurationError, SourceError

_DEFAULT_PORTS = {"http": 80, "https": 443}

# RFC 3986 without what readers differ on: no user information, no fragment, no backslash, no white space, no control
# characters, no stray percent signs, beyond ASCII only names of hosts, after which comes a path, a query or nothing.
# The query is what httpx2 sends as it is.
_LINK = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?P<host>[^\x00-\x20\x7f%\\/?#@:\[\]]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?(?=[/?]|\Z))?"
    r"(?P<path>(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)"
    r"(?:\?(?P<query>[!$-;=?-\[\]-~]*))?"
)
# What a path may hold once it is decoded. No percent sign: nothing is encoded twice.
_DECODED_PATH = re.compile(r"[ -$&-\[\]-~]*")


class Origin:
    """Scheme, host, port and path prefix of a base URL, and the guard of every link.

    :param base_url: `https://host[:port][/path]`
    :param allow_plain_http: also to hosts that are not this machine
    :raises ConfigurationError: the base URL is not of that form, or plain http is not allowed
    """

    def __init__(self, base_url: str, *, allow_plain_http: bool = False) -> None:
        match = _LINK.fullmatch(base_url)
        scheme = match["scheme"].lower() if match and match["scheme"] else None
        root = _root_of(match) if scheme in _DEFAULT_PORTS else None
        if root is None or match["query"] is not None or not _is_plain(match["path"]):
            raise ConfigurationError(
                "The base URL of this connection is not of the form https://host[:port][/path], with no user, "
                "password, query or fragment in it. Write it so; user and secret have settings of their own."
            )
        self._root = root
        self._prefix = match["path"].rstrip("/")
        self.host = root.host
        self.has_tls = scheme == "https"
        if not self.has_tls and not allow_plain_http and not _is_loopback(root.host):
            raise ConfigurationError(
                f"The base URL of {self.host} is plain http, which would show the credentials to everyone on the way. "
                "Use https."
            )

    def __repr__(self) -> str:
        return f"Origin({str(self._root).rstrip('/')}{self._prefix})"

    def resolve(self, link: str, params: Sequence[tuple[str, str]] = ()) -> httpx2.URL:
        """The URL to request: a path below the base URL, a path from the root, or a whole URL; path and query as they
        are written.

        :param params: appended to the query, encoded
        :raises SourceError: the link leads elsewhere, or readers of links could differ on where it leads
        """
        match = _LINK.fullmatch(link)
        if match is None:
            raise self._refusal("is written in a way that can be read as leading elsewhere")
        path = match["path"]
        if match["scheme"] is not None:
            root = _root_of(match)
            if root is None or _origin_of(root) != _origin_of(self._root):
                raise self._refusal("leads to another scheme, host or port")
        elif not path or ":" in path.partition("/")[0]:
            raise self._refusal("has no path, or one that can be read as a scheme")
        elif not path.startswith("/"):
            path = f"{self._prefix}/{path}"
        query = "&".join(part for part in (match["query"], urlencode(params, quote_via=quote)) if part)
        target = f"{path or '/'}?{query}" if query else path or "/"
        try:
            url = self._root.copy_with(raw_path=target.encode())
        except httpx2.InvalidURL:
            raise self._refusal("is longer than any link should be") from None
        self.check(url)
        if url.raw_path != target.encode():
            raise self._refusal("would be sent otherwise than it is written")
        return url

    def check(self, url: httpx2.URL) -> None:
        """Raise SourceError unless the URL, as httpx2 will request it, stays within the origin."""
        path = url.raw_path.partition(b"?")[0].decode()
        if _origin_of(url) != _origin_of(self._root) or url.userinfo or url.fragment:
            raise self._refusal("leads to another scheme, host or port")
        if not _is_plain(path) or not f"{path}/".startswith(f"{self._prefix}/"):
            raise self._refusal("leads outside the path of the base URL")

    def _refusal(self, why: str) -> SourceError:
        return SourceError(
            f"A link of {self.host} {why}. Nothing was sent to it, for the credentials would go with it. Compare the "
            "base URL of this connection with the provider's documentation."
        )


def _root_of(match: re.Match[str]) -> httpx2.URL | None:
    """Scheme, host (lower case, IDNA) and port that were written; None if httpx2 knows no such host."""
    port = f":{match['port']}" if match["port"] else ""
    try:
        return httpx2.URL(f"{match['scheme']}://{match['host']}{port}/")
    except (httpx2.InvalidURL, UnicodeError):
        return None


def _origin_of(url: httpx2.URL) -> tuple[str, bytes, int | None]:
    return url.scheme, url.raw_host, url.port or _DEFAULT_PORTS.get(url.scheme)


def _is_plain(path: str) -> bool:
    """Whether nobody can read the path as another one: no dot segments, no empty segments but the last, no slashes,
    backslashes or percent signs that are encoded, ASCII alone."""
    decoded = unquote(path)
    return (
        _DECODED_PATH.fullmatch(decoded) is not None
        and decoded.count("/") == path.count("/")
        and "//" not in path
        # Some servers drop `;parameters`, trailing spaces or dots first: `..;x`, `.. ` and `...` are dots to them.
        and all(not segment or segment.partition(";")[0].strip(" .") for segment in decoded.split("/"))
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
