"""The simulated Twilio on a socket: credentials, lists, clock, control and truth."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx2
import pytest

from tests.reference.model import Model
from tests.waybill.simulator.conftest import client_of, rows_by_links, text_of
from waybill.model.identity import Keyring
from waybill.simulator.http.server import serving
from waybill.simulator.truth.reports import report_rows
from waybill.simulator.twilio.landed import records_in_bodies
from waybill.simulator.twilio.page import list_path
from waybill.simulator.twilio.rows import CALLS, MESSAGES, account_sid, auth_token
from waybill.simulator.twilio.stand_in import TwilioStandIn
from waybill.simulator.world import FILE_FEEDS

ZONE = "Europe/Berlin"
PATH = list_path("north", MESSAGES)
NOON = datetime(2026, 3, 27, 12, tzinfo=UTC)


def test_only_this_machine_can_reach_the_server(twilio):
    assert str(twilio.url).startswith("http://127.0.0.1:")


def test_a_page_has_twilios_envelope(client):
    answer = client.get(f"{PATH}?DateSent%3E=2026-03-26T09:00:00Z&PageSize=2")
    page = answer.json()
    base = f"{PATH}?DateSent%3E=2026-03-26T09%3A00%3A00Z&PageSize=2&Page="
    rows = page.pop("messages")
    assert page == {
        "end": 1,
        "first_page_uri": f"{base}0",
        "next_page_uri": f"{base}1&PageToken=PA{rows[1]['sid']}",
        "previous_page_uri": None,
        "page": 0,
        "page_size": 2,
        "start": 0,
        "uri": f"{base}0",
    }
    assert answer.headers["Content-Type"].startswith("application/json")
    assert parsedate_to_datetime(rows[0]["date_sent"]) >= parsedate_to_datetime(rows[1]["date_sent"])


@pytest.mark.parametrize("feed", [MESSAGES, CALLS])
def test_the_links_lead_to_all_rows_over_one_connection(twilio, client, small_world, feed):
    rows = rows_by_links(client, list_path("north", feed))
    there = {row.sid for row in small_world.rows("north", feed) if row.seen_at(twilio.clock.at)}
    assert {row["sid"] for row in rows} == there
    assert len(rows) == len(there) > 50


def test_each_account_has_its_own_rows(twilio):
    with client_of(twilio, "north") as north, client_of(twilio, "south") as south:
        of_north = rows_by_links(north, list_path("north", MESSAGES))
        of_south = rows_by_links(south, list_path("south", MESSAGES))
        assert {row["account_sid"] for row in of_north} == {account_sid("north")}
        assert {row["account_sid"] for row in of_south} == {account_sid("south")}
        assert south.get(PATH).status_code == 401


@pytest.mark.parametrize(
    "credentials",
    [None, ("north", "x"), (account_sid("north"), "x"), (account_sid("north"), auth_token("south"))],
)
def test_wrong_credentials_get_the_error_of_twilio(twilio, credentials):
    answer = httpx2.get(f"{twilio.url}{PATH}", auth=credentials)
    assert answer.status_code == 401
    assert answer.json() == {
        "code": 20003,
        "message": "Authenticate",
        "more_info": "https://www.twilio.com/docs/errors/20003",
        "status": 401,
    }
    assert "Basic" in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("header", ["Bearer x", "Basic", "Basic ????", "Basic /w=="])
def test_a_header_without_basic_authentication_is_refused(twilio, header):
    assert httpx2.get(f"{twilio.url}{PATH}", headers={"Authorization": header}).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        f"/2010-04-01/Accounts/AC{'0' * 32}/Messages.json",
        PATH.replace("Messages", "Recordings"),
        PATH.removesuffix(".json"),
        "/",
    ],
)
def test_an_unknown_path_gets_the_error_of_twilio(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (404, 20404, 404)
    assert path in answer.json()["message"]


@pytest.mark.parametrize("query", ["PageSize=0", "PageToken=PASM0", "DateSent%3E=soon", "Page=x"])
def test_an_unreadable_query_is_a_bad_request(client, query):
    answer = client.get(f"{PATH}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, 20001)


def test_a_list_is_read_only(client):
    answer = client.post(PATH, data={"To": "+15550100001"})
    assert (answer.status_code, answer.json()["code"]) == (405, 20004)
    assert client.get(PATH).status_code == 200


def test_another_process_can_set_the_clock(twilio, client):
    assert client.get("/simulator/clock").json() == {
        "at": "2026-03-29T00:00:00Z",
        "speed": 0.0,
        "per_request_seconds": 0.0,
    }
    early = client.post("/simulator/clock", json={"at": "2026-03-26T12:00:00Z"})
    assert early.status_code == 200
    assert twilio.clock.at == datetime(2026, 3, 26, 12, tzinfo=UTC)
    newest = client.get(PATH).json()["messages"][0]
    assert parsedate_to_datetime(newest["date_created"]) < twilio.clock.at
    twilio.clock.at = NOON
    assert client.get(PATH).json()["messages"][0]["sid"] != newest["sid"]
    changed = client.post("/simulator/clock", json={"speed": 0, "per_request_seconds": 60}).json()
    assert changed == {"at": "2026-03-27T12:00:00Z", "speed": 0.0, "per_request_seconds": 60.0}


def test_rows_change_between_pages_when_requests_move_the_clock(twilio, client, small_world):
    twilio.clock.at, twilio.clock.per_request = NOON, timedelta(hours=3)
    first = client.get(f"{PATH}?PageSize=40").json()
    again = client.get(f"{PATH}?PageSize=40").json()
    assert twilio.clock.at == NOON + timedelta(hours=6)
    before = {row["sid"]: row for row in first["messages"]}
    after = {row["sid"]: row for row in again["messages"]}
    assert set(after) - set(before)
    assert any(after[sid] != before[sid] for sid in set(after) & set(before))
    assert [request.moment for request in twilio.requests.all()] == [NOON, NOON + timedelta(hours=3)]


def test_no_row_of_a_window_is_missed_while_rows_change(twilio, client):
    window = f"{PATH}?DateSent%3E=2026-03-26&PageSize=7"
    twilio.clock.at = NOON
    there = {row["sid"] for row in rows_by_links(client, window)}
    twilio.clock.at, twilio.clock.per_request = NOON, timedelta(minutes=20)
    sids = [row["sid"] for row in rows_by_links(client, window)]
    assert set(sids) >= there
    assert len(sids) == len(set(sids)) >= len(there) > 50
    assert twilio.clock.at > NOON + timedelta(hours=2)


def test_the_other_reading_of_upper_bounds_can_be_chosen(twilio, client, small_world):
    window = f"{PATH}?DateSent%3C=2026-03-27&PageSize=1000"
    whole_day = rows_by_links(client, window)
    with serving(TwilioStandIn(small_world, strict_upper_bounds=True)) as strict, client_of(strict) as other:
        until_midnight = rows_by_links(other, window)
    assert 20 < len(until_midnight) < len(whole_day)
    assert whole_day[-len(until_midnight) :] == until_midnight


def test_pages_can_have_a_delay(small_world):
    with (
        serving(TwilioStandIn(small_world, latency_seconds=60)) as twilio,
        client_of(twilio, timeout=httpx2.Timeout(10, read=0.1)) as client,
    ):
        with pytest.raises(httpx2.ReadTimeout):
            client.get(PATH)
        assert client.get(f"{PATH}?PageSize=0").status_code == 400


def test_an_account_above_its_limit_gets_429(small_world):
    with serving(TwilioStandIn(small_world, most_concurrent=0)) as twilio, client_of(twilio) as client:
        answer = client.get(PATH)
        assert (answer.status_code, answer.json()["code"]) == (429, 20429)
        twilio.most_concurrent = 1
        assert client.get(PATH).status_code == 200


def test_the_truth_follows_from_the_files_and_the_seen_rows(twilio, client, small_world):
    nothing_pulled = twilio.report_rows(ZONE)
    assert nothing_pulled == report_rows(small_world.happenings(FILE_FEEDS), ZONE)
    twilio.clock.at = NOON
    rows_by_links(client, PATH)
    half = twilio.report_rows(ZONE)
    twilio.clock.at = small_world.ends
    for account in small_world.accounts:
        with client_of(twilio, account) as of_account:
            for feed in (MESSAGES, CALLS):
                rows_by_links(of_account, list_path(account, feed))
    whole = twilio.report_rows(ZONE)
    sent = [sum(row["delivered"] for row in cells["sms_activity_daily"].values()) for cells in (nothing_pulled, half)]
    assert sent[0] == 0 < sent[1] < sum(row["delivered"] for row in whole["sms_activity_daily"].values())
    assert any(row["human"] for row in whole["ivr_activity_daily"].values())


def test_the_reference_model_finds_the_truth_in_the_answers(twilio, small_world):
    """The reference model of the tests computes the reports from files and bodies.

    The lists are pulled at three moments, and every request moves the clock.
    """
    model = Model(Keyring(b"a secret of the tests"), ZONE)
    for file in small_world.files(FILE_FEEDS):
        data = text_of(file).encode() if file.name.endswith(".parquet") else file.data
        model.load(file.account, file.feed, data, file.landed_after)
    twilio.clock.per_request = timedelta(minutes=5)
    bodies = []
    for moment in (small_world.starts + timedelta(hours=20), NOON, small_world.ends):
        for account in small_world.accounts:
            with client_of(twilio, account) as client:
                for feed in (MESSAGES, CALLS):
                    twilio.clock.at = moment
                    uri = f"{list_path(account, feed)}?PageSize=20"
                    while uri:
                        body = client.get(uri).content
                        bodies.append(body)
                        model.load(account, feed, body, twilio.clock.at)
                        uri = json.loads(body)["next_page_uri"]
    assert twilio.report_rows(ZONE) == model.report_rows()
    assert len(bodies) > 40
    assert report_rows(small_world.happenings(FILE_FEEDS, shown=records_in_bodies(small_world, bodies)), ZONE) == (
        model.report_rows()
    )


def test_the_truth_can_be_limited_to_files_that_landed_up_to_a_moment(twilio, small_world):
    until = small_world.starts + timedelta(days=1)
    assert twilio.report_rows(ZONE, until) == report_rows(small_world.happenings(FILE_FEEDS, until), ZONE)
    assert twilio.report_rows(ZONE, until) != twilio.report_rows(ZONE)


def test_a_row_that_was_never_sent_is_not_in_the_truth(twilio, client):
    assert client.get(f"{PATH}?PageSize=3").status_code == 200
    assert len(twilio.shown.records()) == 3
    assert client.get(f"{PATH}?PageSize=3").status_code == 200
    assert len(twilio.shown.records()) == 3
    assert client.get(f"{PATH}?PageSize=3&PageToken=PA0").status_code == 400
    assert len(twilio.shown.records()) == 3


def test_the_truth_of_landed_pages_follows_from_their_bodies(twilio, client, small_world):
    bodies = []
    for moment in (NOON, NOON + timedelta(hours=6)):
        twilio.clock.at = moment
        bodies += [client.get(f"{PATH}?PageSize=40").content, client.get(list_path("north", CALLS)).content]
    landed = records_in_bodies(small_world, bodies)
    assert small_world.happenings(FILE_FEEDS, shown=landed) == twilio.happenings()
    only_first = records_in_bodies(small_world, bodies[:1])
    assert 0 < len(only_first) == 40 < len(landed)


def test_a_body_that_the_world_never_wrote_is_refused(twilio, client, small_world):
    page = client.get(f"{PATH}?PageSize=2").json()
    page["messages"][1]["status"] = "moonlit"
    with pytest.raises(ValueError, match="expected a state of the row"):
        records_in_bodies(small_world, [json.dumps(page).encode()])
    with pytest.raises(ValueError, match="expected a page"):
        records_in_bodies(small_world, [b'{"code": 20500}'])


def test_another_process_can_read_every_cell(twilio, client):
    for feed in (CALLS, MESSAGES):
        rows_by_links(client, list_path("north", feed))
    answer = client.get(f"/simulator/truth?zone={ZONE}").json()
    assert answer["zone"] == ZONE
    own = twilio.report_rows(ZONE)
    assert set(answer["reports"]) == set(own)
    for name, cells in own.items():
        found = {tuple(row["grain"]): row["measures"] for row in answer["reports"][name]}
        assert found == {
            tuple(str(part) for part in grain): {
                measure: value if isinstance(value, int | None) else str(value) for measure, value in row.items()
            }
            for grain, row in cells.items()
        }
        assert found
    until = client.get(f"/simulator/truth?zone={ZONE}&until=2026-03-27T00:00:00Z").json()
    assert len(until["reports"]["email_campaign"]) < len(answer["reports"]["email_campaign"])


def test_requests_are_counted(twilio, client):
    for query in ("?PageSize=5", "?PageSize=5", "?PageSize=5", "?PageSize=0", "?PageSize=7"):
        client.get(PATH + query)
    assert client.get("/simulator/requests").json() == {
        "count": 5,
        "by_path": {PATH: 5},
        "by_status": {"200": 4, "400": 1},
        "by_fault": {},
        "greatest_concurrency": 1,
        "repeated_pages": {f"{PATH}?PageSize=5": 2},
    }
    assert twilio.requests.repeated_pages.total() == 2


def test_the_control_path_gives_the_credentials(client, small_world):
    assert client.get("/simulator/accounts").json() == [
        {"account": name, "sid": account_sid(name), "token": auth_token(name)} for name in small_world.accounts
    ]


@pytest.mark.parametrize(
    ("path", "body", "status", "named"),
    [
        ("clock", {"at": "2026-03-27T00:00:00"}, 400, "timezone"),
        ("clock", {"at": "tomorrow"}, 400, "$.at"),
        ("clock", {"hour": 3}, 400, "hour"),
        ("clock", {"speed": -1}, 400, "$.speed"),
        ("nothing", {}, 404, "POST /simulator/clock"),
    ],
)
def test_a_wrong_control_request_gets_a_reason(client, path, body, status, named):
    answer = client.post(f"/simulator/{path}", json=body)
    assert answer.status_code == status
    assert named in answer.json()["error"]


@pytest.mark.parametrize("query", ["zone=Middle-earth/Shire", "until=2026-03-27T00:00:00"])
def test_a_wrong_truth_request_gets_a_reason(client, query):
    answer = client.get(f"/simulator/truth?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]
