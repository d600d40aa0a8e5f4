"""Ports of this machine that nobody listens on."""

import socket

LOOPBACK = "127.0.0.1"


def free_port(wanted: int, taken: tuple[int, ...] = ()) -> int:
    """The wanted port of the loopback address, or, if somebody has it, any other that is free.

    :param taken: promised to others, though nobody listens on them yet
    """
    if wanted not in taken and _is_free(wanted):
        return wanted
    while True:
        with socket.socket() as found:
            found.bind((LOOPBACK, 0))
            port = found.getsockname()[1]
        if port not in taken:
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        # as servers do it: connections of a server that has ended do not count
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((LOOPBACK, port))
            tried.listen()
        except OSError:
            return False
    return True
