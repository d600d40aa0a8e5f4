"""Ports that are free."""

import socket

from deploy.ports import LOOPBACK, free_port


def listening(address: str = LOOPBACK) -> socket.socket:
    server = socket.socket()
    server.bind((address, 0))
    server.listen()
    return server


def test_a_wanted_port_that_is_free_is_taken() -> None:
    with listening() as server:
        port = server.getsockname()[1]
    assert free_port(port) == port


def test_a_port_that_somebody_listens_on_is_not() -> None:
    for address in (LOOPBACK, "0.0.0.0"):
        with listening(address) as server:
            port = server.getsockname()[1]
            other = free_port(port)
            assert other != port
            with socket.socket() as free:
                free.bind((LOOPBACK, other))


def test_a_port_that_was_promised_to_another_process_is_not() -> None:
    with listening() as server:
        port = server.getsockname()[1]
    assert free_port(port, taken=(port,)) != port
