"""Every fault as a client sees it on its socket."""

import json
import socket
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.waybill.simulator.conftest import client_of, rows_by_links
from waybill.simulator.http.faults import (
    BadRequest,
    ConnectionReset,
    CutJson,
    ErrorAsSuccess,
    Forbidden,
    GzipBomb,
    HtmlAsSuccess,
    Late,
    NotFound,
    Redirect,
    ServerError,
    ShortBody,
    Silence,
    Stall,
    TimePasses,
    TooManyRequests,
    Unauthorized,
    WrongContentType,
)
from waybill.simulator.http.page_faults import (
    EarlyEnd,
    EmptyPage,
    EndlessList,
    ForeignLink,
    HalfPage,
    LoopingLink,
    MissingPage,
    NoList,
    RepeatedPage,
    RetypedRow,
    UnknownField,
)
from waybill.simulator.http.server import serving
from waybill.simulator.twilio.page import list_path
from waybill.simulator.twilio.rows import MESSAGES
from waybill.simulator.twilio.stand_in import TwilioStandIn

PATH = list_path("north", MESSAGES)
PAGE = f"{PATH}?PageSize=5"
NOON = datetime(2026, 3, 27, 12, tzinfo=UTC)
IMPATIENT = httpx2.Timeout(10, read=0.15)


def is_unharmed(client: httpx2.Client) -> bool:
    """Returns whether the next request gets its page."""
    return len(client.get(PAGE).json()["messages"]) == 5


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (TooManyRequests(times=1), 429, 20429),
        (ServerError(times=1), 500, 20500),
        (ServerError(times=1, status=503), 503, 20503),
        (BadRequest(times=1), 400, 20001),
        (Unauthorized(times=1), 401, 20003),
        (Forbidden(times=1), 403, 20006),
        (NotFound(times=1), 404, 20404),
    ],
)
def test_an_error_has_the_form_of_twilio_and_ends(twilio, client, fault, status, code):
    twilio.faults.set(fault)
    answer = client.get(PAGE)
    assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (status, code, status)
    assert answer.json()["more_info"].endswith(f"/{code}")
    assert "Retry-After" not in answer.headers
    assert is_unharmed(client)
    assert twilio.requests.by_fault == {fault.kind: 1}
    assert twilio.requests.by_status == {status: 1, 200: 1}


def test_a_gateway_error_is_html(twilio, client):
    twilio.faults.set(ServerError(status=502))
    answer = client.get(PAGE)
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html")
    assert answer.text.startswith("<html>")


@pytest.mark.parametrize("kind", [TooManyRequests, ServerError])
def test_retry_after_is_seconds_or_a_date(twilio, client, kind):
    twilio.faults.set(kind(retry_after_seconds=7))
    assert client.get(PAGE).headers["Retry-After"] == "7"
    twilio.faults.set(kind(retry_after_seconds=3600, is_http_date=True))
    before = datetime.now(UTC).replace(microsecond=0)
    written = client.get(PAGE).headers["Retry-After"]
    assert written.endswith(" GMT")
    waited = parsedate_to_datetime(written) - timedelta(hours=1)
    assert before <= waited <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Silence(times=1), httpx2.ReadTimeout),
        (Late(times=1, seconds=60), httpx2.ReadTimeout),
        (Stall(times=1), httpx2.ReadTimeout),
        (ConnectionReset(times=1), httpx2.ReadError),
        (ShortBody(times=1), httpx2.RemoteProtocolError),
    ],
)
def test_rows_of_a_broken_answer_do_not_count_as_seen(twilio, fault, error):
    with client_of(twilio, timeout=IMPATIENT) as client:
        twilio.faults.set(fault)
        with pytest.raises(error):
            client.get(PAGE)
    assert twilio.shown.records() == []
    assert [request.is_page for request in twilio.requests.all()] == [False]
    with client_of(twilio) as client:
        assert is_unharmed(client)
    assert len(twilio.shown.records()) == 5
    assert twilio.requests.repeated_pages == {}


def test_half_of_a_body_is_sent_before_the_connection_ends(twilio, client):
    whole = client.get(PAGE).content
    for fault in (ConnectionReset(), ShortBody()):
        twilio.faults.set(fault)
        received = b""
        with pytest.raises(httpx2.TransportError), client.stream("GET", PAGE) as answer:
            assert int(answer.headers["Content-Length"]) == len(whole)
            for part in answer.iter_raw():
                received += part
        assert received == whole[: len(received)]
        assert 0 < len(received) <= len(whole) // 2


def test_a_late_answer_is_correct(twilio, client):
    twilio.faults.set(Late(seconds=0.01))
    assert is_unharmed(client)
    assert len(twilio.shown.records()) == 5


def test_json_can_be_cut_in_a_complete_body(twilio, client):
    whole = client.get(PAGE).content
    twilio.faults.set(CutJson())
    answer = client.get(PAGE)
    assert (answer.status_code, int(answer.headers["Content-Length"])) == (200, len(whole) // 2)
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_status_200_can_have_an_error_or_html(twilio, client):
    twilio.faults.set(ErrorAsSuccess())
    answer = client.get(PAGE)
    assert (answer.status_code, answer.json()["code"], "messages" in answer.json()) == (200, 20500, False)
    twilio.faults.set(HtmlAsSuccess())
    answer = client.get(PAGE)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html")
    assert twilio.shown.records() == []
    assert twilio.requests.by_status == {200: 2}


def test_a_small_body_can_unpack_to_a_large_one(twilio, client):
    twilio.faults.set(GzipBomb(megabytes=5))
    with client.stream("GET", PAGE) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        packed = b"".join(answer.iter_raw())
    assert len(packed) < 10_000
    unpacked = zlib.decompressobj(wbits=31).decompress(packed)
    assert len(unpacked) > 5_000_000
    assert json.loads(unpacked) == {"messages": []}
    assert twilio.shown.records() == []


def test_a_page_can_repeat_the_rows_of_the_previous_one(twilio, client):
    first = client.get(PAGE).json()
    second = client.get(first["next_page_uri"]).json()
    shown = twilio.shown.records()
    twilio.faults.set(RepeatedPage())
    repeated = client.get(first["next_page_uri"]).json()
    assert repeated == {**second, "messages": first["messages"]} != second
    assert client.get(PAGE).json() == first
    assert twilio.shown.records() == shown


def test_rows_of_a_page_can_be_missing(twilio, client):
    pages = [client.get(PAGE).json()]
    for _ in range(2):
        pages.append(client.get(pages[-1]["next_page_uri"]).json())
    first, second, third = pages
    second_uri = first["next_page_uri"]
    twilio.faults.set(MissingPage(times=1))
    assert client.get(second_uri).json() == third
    twilio.faults.set(EmptyPage(times=1))
    assert client.get(second_uri).json() == {**second, "messages": [], "end": second["start"]}
    twilio.faults.set(HalfPage(times=1))
    assert client.get(second_uri).json()["messages"] == second["messages"][:2]
    twilio.faults.set(EarlyEnd(times=1))
    assert client.get(second_uri).json() == {**second, "next_page_uri": None}
    assert len(twilio.shown.records()) == 15


def test_a_list_can_have_no_end(twilio, client):
    everything = {row["sid"] for row in rows_by_links(client, f"{PATH}?PageSize=100")}
    twilio.faults.set(EndlessList())
    links, sids, uri = [], [], f"{PATH}?PageSize=100"
    for _ in range(20):
        page = client.get(uri).json()
        links.append(uri := page["next_page_uri"])
        sids += [row["sid"] for row in page["messages"]]
    assert len(set(links)) == len(links)
    assert set(sids) == everything
    assert len(sids) > 2 * len(everything)


@pytest.mark.parametrize(("instead", "expected"), [("nothing", "absent"), ("null", None), ("object", {})])
def test_a_page_can_have_no_list(twilio, client, instead, expected):
    twilio.faults.set(NoList(instead=instead))
    page = client.get(PAGE).json()
    assert page.get("messages", "absent") == expected
    assert page["next_page_uri"]
    assert twilio.shown.records() == []


def test_a_row_can_have_values_of_another_type(twilio, client):
    rows = client.get(PAGE).json()["messages"]
    shown = len(twilio.shown.records())
    twilio.faults.set(RetypedRow(times=1))
    page = client.get(f"{PAGE}&Page=0").json()
    assert page["messages"] == [{name: [value] for name, value in rows[0].items()}, *rows[1:]]
    twilio.faults.set(RetypedRow(field="status"))
    assert client.get(PAGE).json()["messages"][0] == {**rows[0], "status": [rows[0]["status"]]}
    assert len(twilio.shown.records()) == shown == 5


def test_rows_can_have_a_new_field_and_a_page_a_wrong_content_type(twilio, client):
    rows = client.get(PAGE).json()["messages"]
    twilio.faults.set(UnknownField())
    assert all(row.keys() - rows[0].keys() == {"field_of_next_year"} for row in client.get(PAGE).json()["messages"])
    twilio.faults.set(WrongContentType())
    answer = client.get(PAGE)
    assert (answer.headers["Content-Type"], answer.json()["messages"]) == ("text/html", rows)


def test_the_next_link_can_lead_to_the_same_or_to_the_first_page(twilio, client):
    second = client.get(PAGE).json()["next_page_uri"]
    twilio.faults.set(LoopingLink())
    page = client.get(second).json()
    assert page["next_page_uri"] == page["uri"] == second
    twilio.faults.set(LoopingLink(to="first"))
    page = client.get(second).json()
    assert page["next_page_uri"] == page["first_page_uri"] != page["uri"]
    assert len(twilio.shown.records()) == 10
    assert twilio.requests.repeated_pages == {second: 1}


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("other_host", "http://elsewhere.example:8443{uri}"),
        ("other_port", "http://127.0.0.1:8443{uri}"),
        ("other_scheme", "ftp://{own}{uri}"),
        ("no_scheme", "//elsewhere.example:8443{uri}"),
        ("userinfo", "http://{own}@elsewhere.example:8443{uri}"),
        ("other_path", "/elsewhere{uri}"),
    ],
)
def test_the_next_link_can_lead_to_another_host(twilio, client, form, expected):
    unspoilt = client.get(PAGE).json()
    twilio.faults.set(ForeignLink(form=form, elsewhere="elsewhere.example:8443"))
    page = client.get(PAGE).json()
    own = urlsplit(str(twilio.url)).netloc
    assert page["next_page_uri"] == expected.format(own=own, uri=unspoilt["next_page_uri"])
    assert page == {**unspoilt, "next_page_uri": page["next_page_uri"]}


def test_link_faults_affect_the_last_page_too(twilio, client):
    last = f"{PATH}?PageSize=1000"
    twilio.faults.set(ForeignLink())
    assert client.get(last).json()["next_page_uri"] == f"http://elsewhere.example{last}&Page=0"


def test_a_request_can_be_redirected(twilio, client):
    twilio.faults.set(Redirect(elsewhere="elsewhere.example"))
    answer = client.get(PAGE)
    assert answer.status_code == 307
    assert answer.headers["Location"] == f"http://elsewhere.example{PAGE}&Page=0"
    assert twilio.shown.records() == []


def test_faults_of_pages_do_not_change_refusals(twilio, client):
    twilio.faults.set(LoopingLink(where="PageSize=0"), Redirect(where="PageSize=0"))
    assert client.get(f"{PATH}?PageSize=0").status_code == 400


def test_rows_change_and_appear_between_two_pages(twilio, client):
    twilio.clock.at = NOON
    twilio.faults.set(TimePasses(where="Page=1", seconds=6 * 3600, times=1))
    first = client.get(f"{PATH}?PageSize=40").json()
    second = client.get(first["next_page_uri"]).json()
    assert twilio.clock.at == NOON + timedelta(hours=6)
    sids = {row["sid"] for page in (first, second) for row in page["messages"]}
    assert len(sids) == len(first["messages"]) + len(second["messages"])
    again = {row["sid"]: row for row in rows_by_links(client, f"{PATH}?PageSize=40")}
    assert set(again) - sids
    assert any(again[row["sid"]] != row for row in first["messages"])
    assert len(twilio.shown.records()) > len(again)


def test_another_process_can_switch_faults(twilio, client):
    setting = {"seed": 3, "faults": [{"kind": "server_error", "status": 503, "every": 2, "times": 1}]}
    assert client.post("/simulator/faults", json=setting).status_code == 200
    assert [client.get(PAGE).status_code for _ in range(4)] == [200, 503, 200, 200]
    (switched,) = client.get("/simulator/faults").json()
    assert (switched["met"], switched["struck"], switched["fault"]["kind"]) == (4, 1, "server_error")
    assert client.get("/simulator/requests").json()["by_fault"] == {"server_error": 1}
    assert client.get("/simulator/requests").json()["by_status"] == {"200": 3, "503": 1}
    assert client.post("/simulator/faults", json={"faults": []}).json() == []
    refused = client.post("/simulator/faults", json={"faults": [{"kind": "meteor"}]})
    assert (refused.status_code, "meteor" in refused.json()["error"]) == (400, True)


def test_control_requests_get_no_faults(twilio, client):
    twilio.faults.set(ServerError())
    assert client.get("/simulator/clock").status_code == 200
    assert twilio.requests.all() == []


@contextmanager
def one_waiting(twilio: TwilioStandIn) -> Iterator[socket.socket]:
    """Keeps a request open that gets no answer."""
    twilio.faults.set(Silence(times=1))
    address = urlsplit(str(twilio.url))
    with socket.create_connection((address.hostname, address.port), timeout=10) as waiting:
        waiting.sendall(f"GET {PAGE} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        until = time.monotonic() + 10
        while not twilio.requests.all() and time.monotonic() < until:
            time.sleep(0.005)
        yield waiting


def test_concurrent_requests_are_counted_and_limited(small_world):
    with serving(TwilioStandIn(small_world, most_concurrent=1)) as twilio, one_waiting(twilio):
        with client_of(twilio) as client, client_of(twilio, "south") as other:
            answer = client.get(PAGE)
            assert (answer.status_code, answer.json()["code"]) == (429, 20429)
            assert other.get(list_path("south", MESSAGES)).status_code == 200
        assert twilio.requests.greatest_concurrency == 2


def test_the_server_stops_although_a_client_waits(small_world):
    with ExitStack() as open_to_the_end:
        with serving(TwilioStandIn(small_world)) as twilio:
            waiting = open_to_the_end.enter_context(one_waiting(twilio))
        assert waiting.recv(1) == b""
        assert twilio.url is None
