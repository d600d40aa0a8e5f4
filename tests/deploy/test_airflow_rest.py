"""The client of Airflow's REST API, against a fake server with the answers of the pinned version."""

import json
from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from deploy import airflow_rest
from deploy.airflow_rest import Airflow, AirflowError, Run

RUN = Run("ingest_x", "simulated_1")
PATH = "/api/v2/dags/ingest_x/dagRuns/simulated_1"
FAILED_PULL = {
    "task_id": "north.load.pull",
    "map_index": 0,
    "rendered_map_index": "north 2026-03-27",
    "try_number": 1,
    "state": "up_for_retry",
    "end_date": "2026-11-22T02:00:01Z",
}
FAILED_LATER = {**FAILED_PULL, "task_id": "south.load.pull", "end_date": "2026-11-22T02:00:02Z"}
LOG = (
    {"timestamp": None, "event": "::group::Log message source details"},
    {"timestamp": "2026-11-22T02:00:00.123456Z", "level": "info", "event": "pulling"},
    {
        "timestamp": "2026-11-22T02:00:01.123456Z",
        "level": "error",
        "event": "Task failed with exception",
        "error_detail": [
            {
                "exc_type": "SourceError",
                "exc_value": "Twilio does not answer.",
                "frames": [{"filename": "ingest.py", "lineno": 7, "name": "pull"}],
            }
        ],
    },
)


@pytest.fixture
def airflow(api: HTTPServer) -> Iterator[Airflow]:
    client = Airflow(api.url_for(""), "right")
    yield client
    client.close()


def signed_in(answer: object) -> object:
    """Returns an answer for clients that are signed in."""

    def respond(request: Request) -> Response:
        if request.headers.get("Authorization") != "Bearer t":
            return Response(status=401)
        return Response(answer if isinstance(answer, str) else json.dumps(answer), content_type="application/json")

    return respond


def test_the_client_signs_in_when_the_server_requires_it(api: HTTPServer, airflow: Airflow) -> None:
    api.expect_request(PATH).respond_with_handler(signed_in({"state": "running"}))
    assert [airflow.state(RUN), airflow.state(RUN)] == ["running", "running"]
    assert [request.path for request, _ in api.log] == [PATH, "/auth/token", PATH, PATH]


def test_the_error_for_a_wrong_password_does_not_contain_it(api: HTTPServer) -> None:
    api.expect_request(PATH).respond_with_handler(signed_in({}))
    client = Airflow(api.url_for(""), "wrong-password")
    with pytest.raises(AirflowError, match="refuses the login of admin") as raised:
        client.state(RUN)
    client.close()
    assert "wrong-password" not in str(raised.value)


def test_a_run_is_triggered_without_a_logical_date(api: HTTPServer, airflow: Airflow) -> None:
    body = {"dag_run_id": "simulated_1", "logical_date": None, "conf": {"from": "2026-03-27"}}
    api.expect_request("/api/v2/dags/ingest_x/dagRuns", "POST", json=body).respond_with_handler(signed_in({}))
    airflow.trigger(RUN, {"from": "2026-03-27"})
    api.check_assertions()


def test_the_error_for_a_refusal_contains_the_answer(api: HTTPServer, airflow: Airflow) -> None:
    api.expect_request("/api/v2/dags/ingest_x/dagRuns").respond_with_json({"detail": "n is too large"}, status=400)
    with pytest.raises(AirflowError, match=r"(?s)with 400: .*n is too large"):
        airflow.trigger(RUN, {})


def test_a_question_is_asked_again_after_a_server_error(
    api: HTTPServer, airflow: Airflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(airflow_rest, "_PAUSE_SECONDS", 0)
    answers = iter([Response("a database error", 500), Response('{"state": "running"}', 200)])
    api.expect_request(PATH).respond_with_handler(lambda request: next(answers))
    assert airflow.state(RUN) == "running"
    assert next(answers, None) is None


def test_a_trigger_is_not_repeated_after_a_server_error(api: HTTPServer, airflow: Airflow) -> None:
    api.expect_request("/api/v2/dags/ingest_x/dagRuns").respond_with_json({"detail": "no"}, status=500)
    with pytest.raises(AirflowError, match="with 500"):
        airflow.trigger(RUN, {})
    assert [request.path for request, _ in api.log] == ["/api/v2/dags/ingest_x/dagRuns"]


def test_paused_dags_are_left_out(api: HTTPServer, airflow: Airflow) -> None:
    dags = [{"dag_id": "a", "is_paused": False}, {"dag_id": "b", "is_paused": True}]
    api.expect_request("/api/v2/dags").respond_with_handler(signed_in({"dags": dags}))
    assert airflow.dags() == {"a"}


def test_a_broken_dag_file_is_reported_with_its_stack_trace(api: HTTPServer, airflow: Airflow) -> None:
    errors = [{"filename": "ingest.py", "stack_trace": "NameError: x"}]
    api.expect_request("/api/v2/importErrors").respond_with_handler(signed_in({"import_errors": errors}))
    assert airflow.import_errors() == ["ingest.py:\nNameError: x"]


def test_runs_of_other_dags_are_not_waited_for(api: HTTPServer, airflow: Airflow) -> None:
    runs = [{"dag_id": "ingest_x"}, {"dag_id": "of_somebody_else"}]
    api.expect_request("/api/v2/dags/~/dagRuns").respond_with_handler(signed_in({"dag_runs": runs}))
    assert airflow.open_runs({"ingest_x", "rebuild_reports"}) == {"ingest_x"}


def test_the_first_failed_task_is_reported_with_the_end_of_its_log(api: HTTPServer, airflow: Airflow) -> None:
    tasks = {"task_instances": [FAILED_LATER, FAILED_PULL]}
    api.expect_request(f"{PATH}/taskInstances").respond_with_handler(signed_in(tasks))
    lines = "\n".join(map(json.dumps, LOG))
    api.expect_request(f"{PATH}/taskInstances/north.load.pull/logs/1").respond_with_handler(signed_in(lines))
    assert airflow.why_failed(RUN).splitlines() == [
        "ingest_x simulated_1: task north.load.pull [north 2026-03-27] failed at try 1. The end of its log:",
        "    ::group::Log message source details",
        "    2026-11-22T02:00:00 info     pulling",
        "    2026-11-22T02:00:01 error    Task failed with exception",
        "    ingest.py:7 in pull",
        "    SourceError: Twilio does not answer.",
    ]


def test_a_run_without_a_failed_task_has_no_reason(api: HTTPServer, airflow: Airflow) -> None:
    api.expect_request(f"{PATH}/taskInstances").respond_with_handler(signed_in({"task_instances": []}))
    assert airflow.why_failed(RUN) is None


def test_an_api_server_that_does_not_answer_is_not_up(api: HTTPServer, airflow: Airflow) -> None:
    api.expect_request("/api/v2/version").respond_with_json({"version": "3"})
    assert not airflow.is_up(), "it does not answer tasks"
    api.expect_request("/execution/health").respond_with_json({"status": "healthy"})
    assert airflow.is_up()
    absent = Airflow("http://127.0.0.1:9", "right")
    assert not absent.is_up()
    with pytest.raises(AirflowError, match="Airflow does not answer GET"):
        absent.state(RUN)
    absent.close()
