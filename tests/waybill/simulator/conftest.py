"""The simulated Twilio on a real socket, a client, and readers of the world's files."""

import gzip
import io
import json
from collections.abc import Iterator
from datetime import datetime

import httpx2
import pyarrow.parquet
import pytest

from waybill.simulator.http.server import serving
from waybill.simulator.spool import SpoolFile
from waybill.simulator.twilio.rows import account_sid, auth_token
from waybill.simulator.twilio.stand_in import TwilioStandIn
from waybill.simulator.world import World


@pytest.fixture(scope="session")
def small_world() -> World:
    return World(5, days=3, messages_per_day=400)


@pytest.fixture
def twilio(small_world: World) -> Iterator[TwilioStandIn]:
    with serving(TwilioStandIn(small_world)) as stand_in:
        yield stand_in


@pytest.fixture
def client(twilio: TwilioStandIn) -> Iterator[httpx2.Client]:
    with client_of(twilio) as found:
        yield found


def client_of(twilio: TwilioStandIn, account: str = "north", timeout: float = 10) -> httpx2.Client:
    """Returns an HTTP client with an account's credentials."""
    credentials = (account_sid(account), auth_token(account))
    return httpx2.Client(base_url=str(twilio.url), auth=credentials, timeout=timeout)


def rows_by_links(client: httpx2.Client, path: str) -> list[dict]:
    """Returns every row of a list, by following its links."""
    rows, uri = [], path
    while uri:
        answer = client.get(uri)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        rows += page["messages" if "messages" in page else "calls"]
        uri = page["next_page_uri"]
    return rows


def text_of(file: SpoolFile) -> str:
    """Returns the file as text; Parquet as lines of JSON."""
    if file.name.endswith(".parquet"):
        return "\n".join(json.dumps(row, default=datetime.isoformat) for row in parquet_rows(file))
    return (gzip.decompress(file.data) if file.name.endswith(".gz") else file.data).decode()


def parquet_rows(file: SpoolFile) -> list[dict]:
    return pyarrow.parquet.read_table(io.BytesIO(file.data)).to_pylist()
