"""The client on real sockets: where it sends the credentials, what it tries again, and what it returns."""

import logging
import traceback
from base64 import b64encode
from collections.abc import Callable

import httpx2
import pytest

from tests.waybill.pull.links import GOOD, TRICKS
from tests.waybill.pull.servers import CLOSE, HANG, RESET, SECRET, USER, Moment, Reply, Server, reply
from waybill.model.errors import ConfigurationError, SourceError
from waybill.pull.client import Answer, Client
from waybill.pull.limits import Limits
from waybill.pull.origin import Origin

PAIR = b64encode(f"{USER}:{SECRET}".encode()).decode()
NUMBER, ADDRESS = "+15550100001", "someone@example.com"
Connect = Callable[..., Client]


def test_a_page_is_returned_as_it_was_sent(server: Server, client: Client):
    body = bytes(range(256)) * 100
    server.replies = [reply(200, body, ("Content-Type", "text/html"))]
    assert client.get("/Messages.json?Page=0", [("DateSent>", "2026-03-02T09:00:00Z")]) == Answer(
        f"{server.url}/Messages.json?Page=0&DateSent%3E=2026-03-02T09%3A00%3A00Z", 200, body
    )
    [asked] = server.requests
    assert asked.target == "/Messages.json?Page=0&DateSent%3E=2026-03-02T09%3A00%3A00Z"
    assert asked.headers == {
        "host": f"127.0.0.1:{server.port}",
        "accept": "application/json",
        "accept-encoding": "gzip",
        "user-agent": asked.headers["user-agent"],
        "authorization": f"Basic {PAIR}",
    }
    assert asked.headers["user-agent"].startswith("waybill/")


def test_the_repr_of_an_answer_has_neither_query_nor_body(server: Server, client: Client):
    server.replies = [reply(200, b"a page of people")]
    assert repr(client.get("/m?To=someone")) == "Answer(status=200, 16 bytes)"


def test_an_error_body_with_status_200_is_returned(server: Server, client: Client):
    server.replies = [reply(200, b"<html>maintenance</html>"), reply(204, b"")]
    assert client.get("/m").body == b"<html>maintenance</html>"
    assert client.get("/m") == Answer(f"{server.url}/m", 204, b"")


def test_pages_share_one_connection(server: Server, client: Client):
    for page in range(5):
        client.get(f"/m?Page={page}")
    assert [asked.target for asked in server.requests] == [f"/m?Page={page}" for page in range(5)]
    assert server.connection_count == 1


@pytest.mark.parametrize("link", TRICKS)
def test_a_link_that_tricks_sends_no_request(server: Server, other: Server, connect: Connect, link: str):
    client = connect(f"{server.url}/v1")
    with pytest.raises(SourceError):
        client.get(link.format(origin=server.port, other=other.port))
    assert (server.connection_count, other.connection_count) == (0, 0)
    client.get("Messages.json")
    assert [asked.target for asked in server.requests] == ["/v1/Messages.json"]


def test_the_final_url_is_checked_again_before_the_request(
    server: Server, other: Server, client: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Origin, "resolve", lambda self, link, params: httpx2.URL(f"{other.url}/m"))
    with pytest.raises(SourceError, match="another scheme, host or port"):
        client.get("/m")
    assert (server.connection_count, other.connection_count) == (0, 0)


@pytest.mark.parametrize(("link", "target"), GOOD)
def test_a_good_link_sends_a_request_only_to_the_origin(
    server: Server, other: Server, connect: Connect, link: str, target: str
):
    ports = {"origin": server.port, "other": other.port}
    connect(f"{server.url}/v1").get(link.format(**ports))
    [asked] = server.requests
    assert asked.target == target.format(**ports)
    assert asked.headers["authorization"] == f"Basic {PAIR}"
    assert asked.headers["host"] == f"127.0.0.1:{server.port}"
    assert other.connection_count == 0


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_never_followed(server: Server, other: Server, client: Client, moment: Moment, status: int):
    server.replies = [reply(status, b"", ("Location", f"{other.url}/m?key=hunter2secret"))]
    with pytest.raises(SourceError, match=rf"^{status} from 127\.0\.0\.1: a redirect") as caught:
        client.get("/m")
    assert "hunter2secret" not in str(caught.value)
    assert (len(server.requests), other.connection_count, moment.waits) == (1, 0, [])


def test_proxies_netrc_and_cookies_are_not_used(
    server: Server, other: Server, client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path
):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, other.url)
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.replies = [reply(200, b"{}", ("Set-Cookie", "session=1; Path=/"))]
    client.get("/m")
    client.get("/m")
    assert [asked.headers["authorization"] for asked in server.requests] == [f"Basic {PAIR}"] * 2
    assert not any("cookie" in asked.headers for asked in server.requests)
    assert other.connection_count == 0


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_transient_status_is_tried_again(server: Server, client: Client, moment: Moment, status: int):
    server.replies = [reply(status, b"<html>"), reply(status), reply(200, b"page")]
    assert client.get("/m?To=hidden").body == b"page"
    assert moment.waits == [0.5, 1]
    assert moment.said == [
        f"{status} from 127.0.0.1, waiting 0.5 s, attempt 2 of 6",
        f"{status} from 127.0.0.1, waiting 1 s, attempt 3 of 6",
    ]
    assert server.connection_count == 1


@pytest.mark.parametrize(
    ("header", "seconds"), [("12", 12), ("Mon, 02 Mar 2026 01:00:30 GMT", 30), ("0", 0.5), ("nonsense", 0.5)]
)
def test_the_client_waits_as_long_as_the_provider_asks(
    server: Server, client: Client, moment: Moment, header: str, seconds: float
):
    server.replies = [reply(429, b"{}", ("Retry-After", header))]
    client.get("/m")
    assert moment.waits == [seconds]


def test_too_long_a_wait_is_an_error_that_names_its_end(server: Server, client: Client, moment: Moment):
    server.replies = [reply(429, b'{"code":20429,"message":"Too Many Requests"}', ("Retry-After", "86400"))]
    with pytest.raises(SourceError, match=r"code 20429: Too Many Requests.*of 86400 s, until 2026-03-03 01:00:00 UTC"):
        client.get("/m")
    assert (len(server.requests), moment.waits) == (1, [])


BROKEN = [
    (Reply(b"", CLOSE), "a broken connection"),
    (Reply(b"", RESET), "a broken connection"),
    (Reply(b"HTTP/1.1 200 OK\r\nContent-Le", CLOSE), "a broken connection"),
    (Reply(b"not http at all\r\n\r\n", CLOSE), "a broken connection"),
    (reply(200, b"half", length=8, then=CLOSE), "a broken connection"),
    (reply(200, b"half", length=8, then=RESET), "a broken connection"),
    (Reply(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", CLOSE), "a broken connection"),
    (Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", CLOSE), "a broken connection"),
    (reply(200, b"half", length=8, then=HANG), "no answer in time"),
    (Reply(b"", HANG), "no answer in time"),
]


@pytest.mark.parametrize(("broken", "reason"), BROKEN)
def test_a_broken_or_missing_answer_is_tried_again(
    server: Server, connect: Connect, moment: Moment, broken: Reply, reason: str
):
    server.replies = [broken, reply(200, b"whole")]
    assert connect(limits=Limits(read_seconds=1.0)).get("/m").body == b"whole"
    assert moment.said == [f"{reason} from 127.0.0.1, waiting 0.5 s, attempt 2 of 6"]


def test_an_unreachable_server_is_tried_six_times(server: Server, connect: Connect, moment: Moment):
    server.stop()
    with pytest.raises(
        SourceError, match=r"^no connection from 127\.0\.0\.1 \(Connection refused\); asked 6 times.*Run again later"
    ) as caught:
        connect().get("/m")
    assert len(moment.waits) == 5
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_a_connection_that_the_server_closed_between_pages_is_opened_again(server: Server, client: Client):
    server.replies = [reply(200, b"{}", then=CLOSE), reply(200, b"again")]
    client.get("/m")
    assert client.get("/m").body == b"again"


def test_refused_credentials_are_tried_once_more(server: Server, client: Client, moment: Moment):
    refusal = reply(401, b'{"code":20003,"message":"Authenticate","status":401}')
    server.replies = [refusal, reply(200, b"page"), refusal, refusal]
    assert client.get("/m").body == b"page"
    with pytest.raises(ConfigurationError, match=r"^401 .*code 20003: Authenticate.*check user and secret"):
        client.get("/m")
    assert len(server.requests) == 4
    assert len(moment.waits) == 2


def test_missing_rights_are_a_configuration_error_without_retry(server: Server, client: Client, moment: Moment):
    server.replies = [reply(403, b'{"code":20403,"message":"Forbidden"}')]
    with pytest.raises(ConfigurationError, match=r"^403 .*code 20403: Forbidden.*lack the right"):
        client.get("/m")
    assert (len(server.requests), moment.waits) == (1, [])


@pytest.mark.parametrize("status", [206, 400, 404, 405, 410, 413, 418, 422, 451, 501, 505])
def test_a_permanent_failure_is_not_repeated(server: Server, client: Client, moment: Moment, status: int):
    server.replies = [reply(status, b'{"code":20001,"message":"Unknown parameter"}')]
    with pytest.raises(SourceError, match=rf"^{status} .*code 20001: Unknown parameter.*expected 200"):
        client.get("/m")
    assert (len(server.requests), moment.waits) == (1, [])


def test_few_failures_cause_few_additional_requests(server: Server, client: Client):
    failing = {number for number in range(300) if number % 100 == 7}
    server.replies = [reply(503 if number in failing else 200) for number in range(303)]
    for page in range(300):
        client.get(f"/m?Page={page}")
    assert len(server.requests) / 300 <= 1.05


def echoing(status: int) -> Callable[..., Reply]:
    """Return a server's function that repeats the request's credentials in header and body of its reply."""

    def echo(request: object) -> Reply:
        sent = request.headers["authorization"]
        body = f'{{"code":"{sent}","message":"You sent {sent}, that is {USER}:{SECRET} of {NUMBER}"}}'.encode()
        return reply(status, body, ("X-Echo", sent), ("X-Secret", SECRET), ("X-Person", ADDRESS))

    return echo


BROKEN_ECHO = Reply(f"HTTP/1.1 200 OK\r\nBad Header {PAIR} {SECRET}: x\r\n\r\n".encode(), CLOSE)


@pytest.mark.parametrize("said", [*map(echoing, (200, 302, 401, 403, 404, 429, 503)), BROKEN_ECHO])
def test_credentials_are_never_shown_even_if_the_server_repeats_them(
    server: Server, connect: Connect, moment: Moment, caplog: pytest.LogCaptureFixture, said: object
):
    for name in (None, "httpx2", "httpcore2", "httpcore2.connection", "httpcore2.http11", "h11"):
        caplog.set_level(logging.DEBUG, logger=name)
    server.replies = [said] * 6
    client = connect()
    shown = [repr(client), str(client), repr(vars(client))]
    try:
        client.get("/m", [("To", NUMBER), ("From", ADDRESS)])
    except (SourceError, ConfigurationError) as error:
        shown += [*traceback.format_exception(error, chain=True), repr(error.__cause__), repr(error.__context__)]
    client.close()
    assert "receive_response_headers.started" in caplog.text
    text = "\n".join([*shown, *moment.said, caplog.text, *map(repr, caplog.records)])
    assert len(server.requests) in (1, 2, 6)
    for form in (SECRET, PAIR, USER, NUMBER, NUMBER[1:], ADDRESS, "someone%40"):
        assert form not in text, form


def test_a_malformed_base_url_or_credential_is_an_error_before_any_request(server: Server, connect: Connect):
    with pytest.raises(ConfigurationError, match="plain http"):
        connect("http://api.example.com")
    assert repr(connect("http://api.example.com", allow_plain_http=True)) == "Client(Origin(http://api.example.com))"
    assert server.connection_count == 0


def test_a_client_closes_with_its_block(server: Server, connect: Connect):
    with connect() as client:
        client.get("/m")
        assert server.connection_count == 1
