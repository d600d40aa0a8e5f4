"""Free ports of this machine."""

import socket

LOOPBACK = "127.0.0.1"


def free_port(wanted: int, taken: tuple[int, ...] = ()) -> int:
    """Returns the wanted port of the loopback address, or another free one if it is taken.

    :param taken: ports that are reserved but not yet in use
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
        # as servers do: closed connections of an earlier server do not block the port
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((LOOPBACK, port))
            tried.listen()
        except OSError:
            return False
    return True
