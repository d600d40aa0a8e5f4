"""Two servers, so that a guard that compares a server with itself fails; and clients of the first server."""

from collections.abc import Callable, Iterator

import pytest

from tests.waybill.pull.servers import SECRET, USER, Moment, Server
from waybill.pull.client import Client


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def other() -> Iterator[Server]:
    other = Server()
    yield other
    other.stop()


@pytest.fixture
def moment() -> Moment:
    return Moment()


@pytest.fixture
def connect(server: Server, moment: Moment) -> Iterator[Callable[..., Client]]:
    """Return a function that creates clients, by default of the first server. They are closed after the test."""
    clients = []

    def connect(base_url: str | None = None, **settings: object) -> Client:
        clients.append(
            Client(
                base_url or server.url,
                (USER, SECRET),
                clock=moment.clock,
                now=moment.now,
                sleep=moment.sleep,
                random=moment.random,
                say=moment.said.append,
                **settings,
            )
        )
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Callable[..., Client]) -> Client:
    return connect()
