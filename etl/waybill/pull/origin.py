"""The only place to which credentials are sent: a scheme, host, port and path prefix.

The links to next pages come from the provider. A link to another place would send the credentials there. So a link is
refused if any program could read it in another way, and only its path and query are used: scheme, host and port of a
request always come from the settings.
"""

import ipaddress
import re
from collections.abc import Sequence
from urllib.parse import quote, unquote, urlencode

import httpx2

from waybill.model.errors import ConfigurationError, SourceError

_DEFAULT_PORTS = {"http": 80, "https": 443}

# RFC 3986 without the parts that programs read in different ways: no user information, fragment, backslash, white
# space, control character or single percent sign. Only names of hosts may have other characters than ASCII, and a path,
# a query or nothing follows them. The query has only characters that httpx2 sends unchanged.
_LINK = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?P<host>[^\x00-\x20\x7f%\\/?#@:\[\]]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?(?=[/?]|\Z))?"
    r"(?P<path>(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)"
    r"(?:\?(?P<query>[!$-;=?-\[\]-~]*))?"
)
# The characters of a decoded path. No percent sign, so nothing is encoded twice.
_DECODED_PATH = re.compile(r"[ -$&-\[\]-~]*")


class Origin:
    """The scheme, host, port and path prefix of a base URL. Checks every link.

    :param base_url: `https://host[:port][/path]`
    :param allow_plain_http: whether to allow plain http to other hosts than this machine
    :raises ConfigurationError: the base URL is not of that form, or plain http is not allowed
    """

    def __init__(self, base_url: str, *, allow_plain_http: bool = False) -> None:
        match = _LINK.fullmatch(base_url)
        root = _root_of(match) if match and (match["scheme"] or "").lower() in _DEFAULT_PORTS else None
        if match is None or root is None or match["query"] is not None or not _is_plain(match["path"]):
            raise ConfigurationError(
                "The base URL of this connection is not of the form https://host[:port][/path], without user, "
                "password, query or fragment. User and secret have their own settings."
            )
        self._root = root
        self._prefix = match["path"].rstrip("/")
        self.host = root.host
        self.has_tls = root.scheme == "https"
        if not self.has_tls and not allow_plain_http and not _is_loopback(root.host):
            raise ConfigurationError(
                f"The base URL of {self.host} is plain http, which sends the credentials without encryption. Use https."
            )

    def __repr__(self) -> str:
        return f"Origin({str(self._root).rstrip('/')}{self._prefix})"

    def resolve(self, link: str, params: Sequence[tuple[str, str]] = ()) -> httpx2.URL:
        """Return the URL to request. Path and query of the link do not change.

        :param link: a path below the base URL, a path from the root, or a whole URL
        :param params: appended to the query, encoded
        :raises SourceError: the link leaves the origin, or some program could read it so
        """
        match = _LINK.fullmatch(link)
        if match is None:
            raise self._refusal("can be read as a link to another place")
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
            raise self._refusal("is too long") from None
        self.check(url)
        if url.raw_path != target.encode():
            raise self._refusal("would be changed when it is sent")
        return url

    def check(self, url: httpx2.URL) -> None:
        """Raise SourceError unless the URL that httpx2 will request is within the origin."""
        path = url.raw_path.partition(b"?")[0].decode()
        if _origin_of(url) != _origin_of(self._root) or url.userinfo or url.fragment:
            raise self._refusal("leads to another scheme, host or port")
        if not _is_plain(path) or not f"{path}/".startswith(f"{self._prefix}/"):
            raise self._refusal("leads outside the path of the base URL")

    def _refusal(self, why: str) -> SourceError:
        return SourceError(
            f"A link of {self.host} {why}. Nothing was sent to it, because it would receive the credentials. Compare "
            "the base URL of this connection with the provider's documentation."
        )


def _root_of(match: re.Match[str]) -> httpx2.URL | None:
    """Return the URL of scheme, host (lower case, IDNA) and port; None if httpx2 accepts no such host."""
    port = f":{match['port']}" if match["port"] else ""
    try:
        return httpx2.URL(f"{match['scheme']}://{match['host']}{port}/")
    except (httpx2.InvalidURL, UnicodeError):
        return None


def _origin_of(url: httpx2.URL) -> tuple[str, bytes, int | None]:
    return url.scheme, url.raw_host, url.port or _DEFAULT_PORTS.get(url.scheme)


def _is_plain(path: str) -> bool:
    """Return whether every program reads the path in the same way: no dot segments, no empty segments except the last,
    no encoded slashes, backslashes or percent signs, only ASCII."""
    decoded = unquote(path)
    return (
        _DECODED_PATH.fullmatch(decoded) is not None
        and decoded.count("/") == path.count("/")
        and "//" not in path
        # Some servers first drop `;parameters`, trailing spaces or dots, and then read `..;x`, `.. ` or `...` as dots.
        and all(not segment or segment.partition(";")[0].strip(" .") for segment in decoded.split("/"))
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
