"""Free ports."""

import socket

from deploy.ports import LOOPBACK, free_port


def listening(address: str = LOOPBACK) -> socket.socket:
    server = socket.socket()
    server.bind((address, 0))
    server.listen()
    return server


def test_a_free_wanted_port_is_used() -> None:
    with listening() as server:
        port = server.getsockname()[1]
    assert free_port(port) == port


def test_a_port_in_use_is_not_used() -> None:
    for address in (LOOPBACK, "0.0.0.0"):
        with listening(address) as server:
            port = server.getsockname()[1]
            other = free_port(port)
            assert other != port
            with socket.socket() as free:
                free.bind((LOOPBACK, other))


def test_a_reserved_port_is_not_used() -> None:
    with listening() as server:
        port = server.getsockname()[1]
    assert free_port(port, taken=(port,)) != port
