"""`python -m simulator.serve`: the stand-in as a process of its own."""

import signal
import subprocess
import sys
from pathlib import Path

import httpx2

from simulator.twilio import CALLS
from simulator.twilio_page import list_path
from simulator.world import World

ROOT = Path(__file__).parents[2]


def test_it_says_where_it_listens_serves_the_world_and_stops_when_told():
    options = ["--port", "0", "--seed", "4", "--days", "1", "--messages-per-day", "60", "--accounts", "east"]
    program = [sys.executable, "-m", "simulator.serve", *options, "--at", "2026-03-26T18:00:00Z"]
    with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        said = process.stdout.readline()
        assert said.startswith("listening on http://127.0.0.1:")
        url = said.removeprefix("listening on ").strip()
        (account,) = httpx2.get(f"{url}/simulator/accounts").json()
        assert account["account"] == "east"
        calls = httpx2.get(f"{url}{list_path('east', CALLS)}", auth=(account["sid"], account["token"])).json()["calls"]
        assert httpx2.get(f"{url}/simulator/clock").json()["at"] == "2026-03-26T18:00:00Z"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stderr.read() == ""
    world = World(4, days=1, accounts=("east",), messages_per_day=60)
    assert {call["sid"] for call in calls} <= {row.sid for row in world.rows("east", CALLS)}
    assert calls


def test_a_time_without_its_zone_is_a_mistake_of_the_caller():
    program = [sys.executable, "-m", "simulator.serve", "--at", "2026-03-26T18:00:00"]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "expected a time with its zone" in done.stderr
