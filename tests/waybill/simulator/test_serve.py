"""The simulated Twilio as a separate program."""

import json
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

from waybill.simulator.twilio.rows import account_sid, auth_token

WORLD = ("--days=1", "--messages-per-day=60", "--first-day=2026-03-27")


@contextmanager
def stand_in(*options: str) -> Iterator[str]:
    """Yields its URL while it runs."""
    command = [sys.executable, "-m", "waybill.simulator.serve", *WORLD, *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).resolve().parents[3])
    try:
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.stdout.close()
        assert process.wait(30) == 0


def page(url: str) -> bytes:
    sid = account_sid("north")
    credentials = f"{sid}:{auth_token('north')}".encode()
    headers = {"Authorization": f"Basic {b64encode(credentials).decode()}"}
    with urlopen(Request(f"{url}/2010-04-01/Accounts/{sid}/Messages.json?PageSize=500", headers=headers)) as answer:
        return answer.read()


def sms_rows(url: str) -> list:
    with urlopen(f"{url}/simulator/truth?zone=UTC") as answer:
        return json.load(answer)["reports"]["sms_activity_daily"]


def test_after_a_restart_landed_rows_are_in_the_truth(tmp_path: Path) -> None:
    with stand_in() as url:
        body = page(url)
        rows = sms_rows(url)
    assert rows
    folder = tmp_path / "north" / "twilio_messages" / "ab"
    folder.mkdir(parents=True)
    (folder / ("ab" * 32)).write_bytes(body)
    (folder / ("ab" * 32 + ".json")).write_text('{"this is": "the manifest"}')
    with stand_in(f"--landed={tmp_path}") as url:
        assert sms_rows(url) == rows
    with stand_in() as url:
        assert sms_rows(url) != rows


def test_the_world_begins_on_the_given_day() -> None:
    with stand_in() as url, urlopen(f"{url}/simulator/clock") as answer:
        assert json.load(answer)["at"] == "2026-03-28T00:00:00Z"
