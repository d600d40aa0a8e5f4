"""Rejected records that are dismissed, and landed objects that are given up."""

from pathlib import Path

import pytest

from tests.waybill.cli.commands import environment_of, waybill
from tests.waybill.load.loading import Loads, sendgrid
from waybill.flow.give_up import give_up
from waybill.model.errors import SourceError, UsageError

FEED = "sendgrid_events"
FRESHNESS = "select complete_until, rejected_count from report.freshness where feed = 'sendgrid_events'"


def test_dismissed_records_are_kept_but_not_counted(loads: Loads) -> None:
    first = loads.load(FEED, sendgrid("open", "2026-03-01 10:00"), b"rubbish", b"[1]")
    loads.load(FEED, sendgrid("open", "2026-03-01 11:00"), b"more rubbish")
    settings = environment_of(loads.warehouse)
    assert waybill("rejected", "dismiss", "--because", "why not", settings=settings).code == 2
    because = ("--because", "a probe of ann@example.com", "--by", "ann")
    answer = waybill(
        "rejected", "dismiss", "--load", str(first.load_id), "--reason", "not JSON", *because, settings=settings
    )
    assert (answer.code, answer.err) == (0, "1 record was dismissed.\n")
    assert loads.one(
        "select reason, dismissed_by, dismissed_because from private.rejected_record where raw = 'rubbish'"
    ) == (
        "not JSON",
        "ann",
        "a probe of <recipient>",
    )
    assert loads.one(FRESHNESS)[1] == 2
    assert "rubbish" not in waybill("rejected", "list", "--json", settings=settings).out.replace("more rubbish", "")
    assert "dismissed by ann" in waybill("rejected", "list", "--all", settings=settings).out
    assert "2 wait" in waybill("doctor", settings=settings).out
    assert (
        waybill("rejected", "dismiss", "1", "2", "3", *because, settings=settings).err == "2 records were dismissed.\n"
    )
    assert loads.one(FRESHNESS)[1] == 0


def test_a_lost_object_is_given_up_and_its_feed_is_complete_without_it(loads: Loads) -> None:
    loads.load(FEED, sendgrid("open", "2026-03-01 10:00"))
    lost = loads.land(FEED, sendgrid("open", "2026-03-01 11:00"))
    path = Path(loads.settings.landing_url, lost.path)
    data = path.read_bytes()
    with pytest.raises(UsageError, match="no landed object"):
        give_up(loads.target, lost.path, "ann", "lost")
    path.unlink()
    with pytest.raises(SourceError):
        loads.load_all(FEED, [lost])
    loads.rows(
        "update ops.object set landed_at = landed_at - interval '1 day' where path = %s returning 1", (lost.path,)
    )
    before = loads.one(FRESHNESS)
    assert give_up(loads.target, lost.path, "ann", "the disk is gone")
    after = loads.one(FRESHNESS)
    assert after[0] > before[0]
    assert not give_up(loads.target, lost.path, "ann", "again")

    path.write_bytes(data)
    (done,) = loads.load_all(FEED, [lost])
    assert done.row.loaded_count == 1
    assert loads.rows("select from ops.object where left_out is not null") == []


def test_a_loaded_or_readable_object_is_not_given_up(loads: Loads) -> None:
    loads.load(FEED, sendgrid("open", "2026-03-01 10:00"))
    (path,) = loads.one("select path from ops.object")
    with pytest.raises(UsageError, match="is loaded"):
        give_up(loads.target, path, "ann", "a mistake")
    loads.rows("update ops.load set status = 'stopped' returning 1")
    with pytest.raises(UsageError, match="can be read"):
        give_up(loads.target, path, "ann", "a mistake")


def test_a_pull_that_waits_for_a_lost_object_is_complete_without_it(loads: Loads) -> None:
    lost = loads.land("twilio_messages", sendgrid("open", "2026-03-01 11:00"))
    Path(loads.settings.landing_url, lost.path).unlink()
    (object_id,) = loads.one(
        "insert into ops.object (account, feed, sha256, path, byte_count, landed_at)"
        " values ('acme', 'twilio_messages', %s, %s, 1, now()) returning object_id",
        (lost.sha256, lost.path),
    )
    loads.rows(
        "insert into ops.pull (account, feed, from_at, until_at, pulled_at, broken)"
        " values ('acme', 'twilio_messages', '2026-03-01', '2026-03-02', now(), array[%s]) returning 1",
        (f"{lost.path}: gone",),
    )
    loads.rows("insert into ops.pull_page values (1, 'list', 1, %s, null) returning 1", (object_id,))
    assert give_up(loads.target, lost.path, "ann", "gone")
    assert loads.one("select complete_until::date::text from ops.watermark") == ("2026-03-02",)
