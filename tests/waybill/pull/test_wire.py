"""Limits of time and bytes hold whatever the server does; certificates are checked."""

import ssl
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.waybill.pull.servers import HANG, Moment, Reply, Server, reply
from waybill.model.errors import ConfigurationError, SourceError
from waybill.pull.client import Client
from waybill.pull.limits import MIB, Limits

Connect = Callable[..., Client]

DRIPS = {
    "header": b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % number for number in range(3_000)),
    "interim answers": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 20_000,
    "body": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"a" * 500_000,
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 50_000,
    "chunk extensions": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"1;x=yyyyyyyyyyyyyy\r\na\r\n" * 20_000,
    "an error": b"HTTP/1.1 503 Busy\r\nContent-Length: 60000\r\n\r\n" + b" " * 50_000,
}


def dripping(data: bytes, moment: Moment) -> Callable[[object], Reply]:
    """Return a clock that, after the request, advances a quarter of an hour each time it is read: before each read."""

    def say(asked: object) -> Reply:
        moment.tick_seconds = 900
        return Reply(data, HANG)

    return say


@pytest.mark.parametrize("drip", DRIPS.values(), ids=DRIPS)
def test_a_slow_answer_ends_at_the_time_limit_of_a_page(server: Server, connect: Connect, moment: Moment, drip: bytes):
    server.replies = [dripping(drip, moment)]
    with pytest.raises(SourceError, match=r"^(no whole answer in time|503) from 127\.0\.0\.1; asked once"):
        connect(limits=Limits(attempts=1, total_seconds=99_999)).get("/m")
    assert len(server.requests) == 1


def test_no_attempt_exceeds_the_total_time(server: Server, connect: Connect, moment: Moment):
    server.replies = [dripping(DRIPS["body"], moment)]
    with pytest.raises(SourceError, match=r"^no whole answer in time .* asked once"):
        connect(limits=Limits(page_seconds=99_999)).get("/m")
    assert len(server.requests) == 1


def test_after_a_slow_page_the_next_page_has_its_full_time(server: Server, connect: Connect, moment: Moment):
    server.replies = [reply(200, b"a" * 1000)] * 50
    moment.tick_seconds = 10
    client = connect(limits=Limits(attempts=1, page_seconds=100))
    assert sum(len(client.get("/m").body) for _ in range(50)) == 50_000
    assert moment.passed_seconds > 100


@pytest.mark.parametrize("drip", ["interim answers", "body", "chunks", "chunk extensions"])
def test_bytes_are_counted_at_the_socket(server: Server, connect: Connect, moment: Moment, drip: str):
    server.replies = [Reply(DRIPS[drip], HANG)]
    with pytest.raises(SourceError, match=r"longer than 0\.125 MiB"):
        connect(limits=Limits(wire_bytes=MIB // 8)).get("/m")
    assert (len(server.requests), moment.waits) == (1, [])


def test_the_byte_count_restarts_with_every_answer(server: Server, connect: Connect):
    server.replies = [reply(200, b"a" * 100_000)] * 20
    client = connect(limits=Limits(wire_bytes=MIB // 8))
    assert sum(len(client.get("/m").body) for _ in range(20)) == 2_000_000


def test_a_page_needs_memory_for_one_copy_of_its_body(server: Server, client: Client):
    server.replies = [reply(200, b"a" * (16 * MIB))]
    client.get("/warm")
    server.replies = [reply(200, b"a" * (16 * MIB))]
    tracemalloc.start()
    body = client.get("/m").body
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(body) == 16 * MIB
    assert peak < 26 * MIB


def certificate(folder: Path, name: str, days: int = 1) -> Path:
    """Return a file with a self-signed certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=10))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + built.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[Callable[..., tuple[Server, ssl.SSLContext]]]:
    """Return a server with TLS and a context that trusts it."""
    servers = []

    def secured(name: str = "127.0.0.1", days: int = 1) -> tuple[Server, ssl.SSLContext]:
        file = certificate(tmp_path, name, days)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        servers.append(Server(context))
        trusting = ssl.create_default_context(cafile=file)
        return servers[-1], trusting

    yield secured
    for server in servers:
        server.stop()


def test_pages_are_read_over_tls(secured: Callable, connect: Connect):
    server, trusting = secured()
    server.replies = [reply(200, b"a" * 1_000_000), reply(200, b"b")]
    client = connect(server.url, certificates=trusting)
    assert len(client.get("/m").body) == 1_000_000
    assert client.get("/m").body == b"b"
    assert server.connection_count == 1


def test_limits_hold_over_tls(secured: Callable, connect: Connect):
    server, trusting = secured()
    server.replies = [Reply(DRIPS["body"], HANG)]
    with pytest.raises(SourceError, match=r"longer than 0\.125 MiB"):
        connect(server.url, certificates=trusting, limits=Limits(wire_bytes=MIB // 8)).get("/m")


@pytest.mark.parametrize(
    ("name", "days", "trusted"), [("127.0.0.1", 1, False), ("127.0.0.2", 1, True), ("127.0.0.1", -1, True)]
)
def test_a_wrong_certificate_is_an_error_before_any_request(
    secured: Callable, connect: Connect, moment: Moment, name: str, days: int, trusted: bool
):
    server, trusting = secured(name, days)
    with pytest.raises(ConfigurationError, match=r"^The certificate of 127\.0\.0\.1 was not accepted: "):
        connect(server.url, certificates=trusting if trusted else None).get("/m")
    assert (server.requests, moment.waits) == ([], [])
