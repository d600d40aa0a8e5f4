"""status --joins, and the warnings of status and doctor about messages that did not join."""

import json
import re

import pytest

from tests.conftest import Warehouse
from tests.waybill.cli.commands import Answer, environment_of, waybill
from tests.waybill.load.loading import Loads, dispatched, sendgrid

LOST = 25


@pytest.fixture
def unjoined(warehouse: Warehouse) -> Warehouse:
    """The ids of the gateway's events are in capital letters, those of the dispatch log are not."""
    loads = Loads(warehouse)
    named = [(f"d-{number}", f"p{number}@example.com") for number in range(LOST)]
    loads.load(
        "dispatch_log",
        *(
            dispatched("handed_over", "2026-03-01T10:00", name, recipient=to, provider="sendgrid", campaign_id="spring")
            for name, to in named
        ),
    )
    loads.load(
        "sendgrid_events",
        *(sendgrid("delivered", "2026-03-01 10:01", f"m{name}", to, dispatch_id=name.upper()) for name, to in named),
    )
    return warehouse


def call(warehouse: Warehouse, *arguments: str, **settings: str) -> Answer:
    answer = waybill(*arguments, settings=environment_of(warehouse, **settings))
    assert answer.code == 0, answer.err
    return answer


def test_status_warns_and_names_the_next_command(unjoined: Warehouse) -> None:
    answer = call(unjoined, "status")
    warning = "warning: acme, sendgrid_events: handed over to sendgrid and never seen by it (email): 25 of 25 (100.0 %)"
    assert warning in answer.out
    assert "Why, with examples: `waybill status --joins`." in answer.err
    document = json.loads(call(unjoined, "status", "--json").out)
    assert [(share["kind"], share["count"], share["is_warning"]) for share in document["joins"]] == [
        ("handed_over_unseen", LOST, True),
        ("gateway_message_undispatched", LOST, True),
    ]
    (row,) = [row for row in document["freshness"] if row["feed"] == "sendgrid_events"]
    assert row["handed_over_unseen_count"] == row["gateway_message_undispatched_count"] == LOST


def test_below_the_ceiling_there_is_no_warning(unjoined: Warehouse) -> None:
    answer = call(unjoined, "status", UNJOINED_CEILING="1")
    assert "warning" not in answer.out and "--joins" not in answer.err


def test_the_joins_are_shown_with_cause_advice_and_examples(unjoined: Warehouse) -> None:
    out = call(unjoined, "status", "--joins").out
    assert "  warning: handed over to sendgrid and never seen by it (email): 25 of 25 (100.0 %) since 2026-03-01" in out
    assert re.search(
        r"Likely cause: The ids of the two sides \(dispatch_id\) differ only by upper and lower case: the dispatch"
        r" log writes d-(\d+), sendgrid_events has D-\1 \(25 such pairs among 25 and 25 ids\)\.",
        out,
    )
    assert "Next: Write the same id on both sides" in out
    assert "Examples of 2026-03-01, never seen by the gateway" in out and "spring" in out
    assert "@" not in out
    (found,) = json.loads(call(unjoined, "status", "--joins", "--json").out)
    assert found["account"] == "acme" and len(found["examples"]["handed_over_unseen"]) == 5
    assert found["examples"]["gateway_message_undispatched"][0]["dispatch_id"].startswith("D-")


def test_the_joins_of_another_account_are_not_shown(unjoined: Warehouse) -> None:
    assert call(unjoined, "status", "--joins", "--account", "beta").out == "Everything that should join has joined.\n"
    assert json.loads(call(unjoined, "status", "--joins", "--account", "beta", "--json").out) == []


def test_an_account_is_refused_without_joins(unjoined: Warehouse) -> None:
    answer = waybill("status", "--account", "acme", settings=environment_of(unjoined))
    assert answer.code == 2 and "belongs to --joins" in answer.err


def test_doctor_warns_and_reports_no_error(unjoined: Warehouse) -> None:
    out = call(unjoined, "doctor").out
    assert "BAD" not in out
    (line,) = [line for line in out.splitlines() if "joins" in line]
    assert "warning: acme, sendgrid_events: handed over to sendgrid and never seen by it (email): 25 of 25" in line
    assert "and 1 more; see `waybill status --joins`" in line
