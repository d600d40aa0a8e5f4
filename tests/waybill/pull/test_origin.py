"""No link can direct a request away from the scheme, host, port and path of the base URL."""

import posixpath
from urllib.parse import unquote, urljoin, urlsplit

import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.waybill.pull.links import GOOD, TRICKS
from waybill.model.errors import ConfigurationError, SourceError
from waybill.pull.origin import Origin

PORTS = {"origin": 8101, "other": 8102}
BASE = "http://127.0.0.1:8101/v1"
ORIGIN = Origin(BASE)


@pytest.mark.parametrize(("link", "target"), GOOD)
def test_a_link_within_the_origin_is_requested_unchanged(link: str, target: str):
    url = ORIGIN.resolve(link.format(**PORTS))
    assert str(url) == f"http://127.0.0.1:8101{target.format(**PORTS)}"


@pytest.mark.parametrize("link", TRICKS)
def test_a_link_away_from_the_origin_is_refused_and_not_shown(link: str):
    link = link.format(**PORTS)
    with pytest.raises(SourceError, match=r"^A link of 127\.0\.0\.1 .*Nothing was sent") as caught:
        ORIGIN.resolve(link)
    assert len(link) < 5 or link not in str(caught.value)


def test_the_list_of_tricks_is_long():
    assert len(set(TRICKS)) == len(TRICKS) > 100


@pytest.mark.parametrize(
    ("base", "link"),
    [
        ("https://api.example.com/v1", "https://api.example.com/v1/m"),
        ("https://api.example.com/v1", "https://API.Example.COM/v1/m"),
        ("https://api.example.com/v1", "https://api.example.com:443/v1/m"),
        ("https://api.example.com:443/v1/", "https://api.example.com/v1/m"),
        ("HTTPS://API.example.com/v1", "https://api.example.com/v1/m"),
        ("https://bücher.example/v1", "https://xn--bcher-kva.example/v1/m"),
        ("https://xn--bcher-kva.example/v1", "https://BÜCHER.example/v1/m"),
        ("https://[2001:db8::1]/v1", "https://[2001:db8::1]:443/v1/m"),
        ("https://api.example.com", "https://api.example.com/v1/m"),
        ("https://api.example.com/", "/v1/m"),
    ],
)
def test_hosts_are_compared_in_lower_case_and_in_their_idna_form(base: str, link: str):
    url = Origin(base).resolve(link)
    assert url.raw_path == b"/v1/m"
    assert url.raw_host in (b"api.example.com", b"xn--bcher-kva.example", b"2001:db8::1")
    assert url.port is None


@pytest.mark.parametrize(
    ("base", "link"),
    [
        ("https://bücher.example", "https://bucher.example/m"),
        ("https://api.example.com", "https://\u0430pi.example.com/m"),  # a Cyrillic letter
        ("https://api.example.com", "https://api.example.com./m"),
        ("https://api.example.com", "https://api.example.com:80/m"),
        ("https://api.example.com", "http://api.example.com:443/m"),
        ("https://api.example.com", "https://api.example.com.example.net/m"),
        ("https://api.example.com", "https://example.com/m"),
        ("https://api.example.com", "https://api\u3002example\u3002net/m"),
        ("https://api.example.com", "//api.example.com/m"),
    ],
)
def test_a_host_that_only_looks_the_same_is_another_host(base: str, link: str):
    with pytest.raises(SourceError):
        Origin(base).resolve(link)


def test_parameters_are_appended_encoded_and_keep_their_order():
    url = ORIGIN.resolve("m?Page=0", [("DateSent>", "2026-03-02T09:00:00Z"), ("To", "a b&c#é/\\"), ("To", "")])
    assert url.raw_path == b"/v1/m?Page=0&DateSent%3E=2026-03-02T09%3A00%3A00Z&To=a%20b%26c%23%C3%A9%2F%5C&To="
    assert ORIGIN.resolve("m", [("PageSize", "2")]).raw_path == b"/v1/m?PageSize=2"


@pytest.mark.parametrize(
    "base",
    [
        "",
        "api.example.com",
        "/v1",
        "//api.example.com",
        "ftp://api.example.com",
        "https://",
        "https:///v1",
        "https://user@api.example.com",
        "https://user:hunter2secret@api.example.com",
        "https://api.example.com?key=hunter2secret",
        "https://api.example.com?",
        "https://api.example.com#hunter2secret",
        "https://api.example.com/v1/../v2",
        "https://api.example.com/%2e%2e",
        "https://api.example.com//v1",
        "https://api.example.com\\v1",
        "https://api.example.com:port",
        "https://api.example.com:99999999",
        "https://api.example.com ",
        "https://api example.com",
        "https://\uff11.example\ud800",
        "https://api.example.com\n",
    ],
)
def test_a_malformed_base_url_is_a_configuration_error(base: str):
    with pytest.raises(ConfigurationError, match="base URL") as caught:
        Origin(base)
    assert "hunter2secret" not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "[::1]", "localhost", "LOCALHOST"])
def test_plain_http_is_allowed_for_this_machine(host: str):
    assert Origin(f"http://{host}:8080").resolve("/m").scheme == "http"


@pytest.mark.parametrize(
    "host", ["api.example.com", "10.0.0.1", "0.0.0.0", "[::ffff:10.0.0.1]", "localhost.example.com", "128.0.0.1"]
)
def test_plain_http_to_another_machine_must_be_allowed_explicitly(host: str):
    with pytest.raises(ConfigurationError, match="plain http"):
        Origin(f"http://{host}:8080")
    assert Origin(f"http://{host}:8080", allow_plain_http=True).resolve("/m").scheme == "http"


def test_the_check_uses_the_url_that_httpx2_requests():
    ORIGIN.check(httpx2.URL("http://127.0.0.1:8101/v1/m?a=b"))
    for url in [
        "http://127.0.0.1:8102/v1/m",
        "http://localhost:8101/v1/m",
        "https://127.0.0.1:8101/v1/m",
        "http://user@127.0.0.1:8101/v1/m",
        "http://127.0.0.1:8101/v1/m#there",
        "http://127.0.0.1:8101/v2/m",
        "http://127.0.0.1:8101/v1/%2e%2e/m",
        "/v1/m",
    ]:
        with pytest.raises(SourceError):
            ORIGIN.check(httpx2.URL(url))


def test_the_repr_of_an_origin_is_its_url():
    assert repr(ORIGIN) == "Origin(http://127.0.0.1:8101/v1)"


WORDS = (
    "http HTTPS ws : / // \\ @ # ? & = ; . .. %2e %2F %5c %25 % 127.0.0.1 127.0.0.1:8101 127.0.0.1:8102 localhost 8101"
)
WORDS += " [::1] v1 /v1/ V1 admin http://127.0.0.1:8101/v1/ 1 \u3002 \uff0e \uff0f \uff20 \u00e9 \u017f \u212a \u00ad"
PIECES = st.sampled_from([*WORDS.split(), " ", "\t", "\r\n", "\x00"])
LINKS = st.one_of(
    st.lists(PIECES, min_size=1, max_size=9).map("".join),
    st.lists(PIECES, max_size=6).map(lambda pieces: "/v1/" + "".join(pieces)),
    st.lists(PIECES, max_size=6).map(lambda pieces: "http://127.0.0.1:8101/v1/" + "".join(pieces)),
    st.text(max_size=30),
    st.text(max_size=30).map(lambda text: "/v1/" + text),
)


def resolved(link: str) -> httpx2.URL | None:
    try:
        return ORIGIN.resolve(link)
    except SourceError:
        return None


@given(LINKS)
@example("/v1/m")
@example("http://127.0.0.1:8101/v1/m?a=b")
@example("http://127.0.0.1:8102/v1/m")
def test_a_link_that_is_accepted_leads_to_the_origin_for_every_reader(link: str):
    url = resolved(link)
    if url is None:
        return
    by_another_reader = urljoin(f"{BASE}/", link)
    request = httpx2.Request("GET", url)
    for seen in (str(url), str(request.url), by_another_reader):
        parts = urlsplit(seen)
        assert (parts.scheme, parts.hostname, parts.port) == ("http", "127.0.0.1", 8101)
        assert (parts.username, parts.password, parts.fragment) == (None, None, "")
        path = unquote(unquote(parts.path)).replace("\\", "/")
        assert f"{posixpath.normpath(path)}/".startswith("/v1/")
    assert request.headers["host"] == "127.0.0.1:8101"
    assert request.url.raw_path.isascii() and not set(request.url.raw_path) & set(b" \t\r\n\\#")


def test_the_property_accepts_and_refuses_links():
    accepted = [resolved(f"/v1/{word}") for word in ("m", "a/b", "m?x=%2e", "m;a", "%41")]
    assert all(accepted)
