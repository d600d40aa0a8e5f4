"""Bodies are complete and within limits, or refused. Errors contain the provider's message without personal data."""

import gzip
import json
import zlib
from collections.abc import Callable

import pytest

from tests.waybill.pull.servers import CLOSE, HANG, Moment, Reply, Server, reply
from waybill.model.errors import SourceError
from waybill.pull.client import Client
from waybill.pull.limits import Limits

Connect = Callable[..., Client]
DATA = b"".join(b"line %d\n" % number for number in range(50_000))
PACKED = gzip.compress(DATA)
GZIP = ("Content-Encoding", "gzip")


def chunked(data: bytes, size: int, *headers: str) -> Reply:
    parts = [data[start : start + size] for start in range(0, len(data), size)]
    head = "\r\n".join(["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", *headers]).encode()
    return Reply(head + b"\r\n\r\n" + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n")


@pytest.mark.parametrize(
    ("said", "body"),
    [
        (reply(200, DATA), DATA),
        (reply(200, DATA, ("Content-Encoding", "identity")), DATA),
        (chunked(DATA, 1000), DATA),
        (reply(200, PACKED, GZIP), DATA),
        (reply(200, PACKED, ("Content-Encoding", " X-GZip ")), DATA),
        (chunked(PACKED, 7, "Content-Encoding: gzip"), DATA),
        (reply(200, PACKED + gzip.compress(b"") + PACKED, GZIP), DATA + DATA),
        (reply(200, PACKED), PACKED),
        (reply(200, b"", GZIP), b""),
        (Reply(b"HTTP/1.1 200 OK\r\n\r\nuntil the end", CLOSE), b"until the end"),
        (Reply(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), b"{}"),
    ],
)
def test_a_body_is_returned_unchanged(server: Server, client: Client, moment: Moment, said: Reply, body: bytes):
    server.replies = [said]
    assert client.get("/m").body == body
    assert moment.waits == []


@pytest.mark.parametrize("cut", [1, 5, 10, 1000, len(PACKED) - 9, len(PACKED) - 8, len(PACKED) - 1])
def test_truncated_gzip_data_are_requested_again(server: Server, client: Client, moment: Moment, cut: int):
    server.replies = [reply(200, PACKED[:cut], GZIP), reply(200, PACKED + PACKED[:cut], GZIP), reply(200, PACKED, GZIP)]
    assert client.get("/m").body == DATA
    assert moment.said[0].startswith("truncated or damaged gzip data from 127.0.0.1, waiting")
    assert len(moment.said) == 2


@pytest.mark.parametrize("place", [0, 2, 40, -1, -6])
def test_damaged_gzip_data_are_requested_again(server: Server, client: Client, moment: Moment, place: int):
    damaged = bytearray(PACKED)
    damaged[place] ^= 0xFF
    server.replies = [reply(200, bytes(damaged), GZIP), reply(200, PACKED + b"more", GZIP), reply(200, PACKED, GZIP)]
    assert client.get("/m").body == DATA
    assert len(moment.said) == 2


def test_a_body_that_is_always_truncated_is_an_error(server: Server, client: Client):
    server.replies = [reply(200, PACKED[:-1], GZIP)] * 6
    with pytest.raises(SourceError, match=r"^truncated or damaged gzip data .*asked 6 times"):
        client.get("/m")


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "unheard"])
def test_a_body_in_another_encoding_is_refused(server: Server, client: Client, encoding: str):
    server.replies = [reply(200, zlib.compress(DATA), ("Content-Encoding", encoding))]
    with pytest.raises(SourceError, match="not with gzip"):
        client.get("/m")
    assert len(server.requests) == 1


def test_a_decompression_bomb_is_stopped_by_its_ratio(server: Server, client: Client):
    server.replies = [reply(200, gzip.compress(b"\0" * 30_000_000), GZIP)]
    with pytest.raises(SourceError, match="more than 100 times its size"):
        client.get("/m")
    assert len(server.requests) == 1


def test_a_small_body_may_have_a_high_ratio(server: Server, client: Client):
    server.replies = [reply(200, gzip.compress(b" " * 1_000_000), GZIP)]
    assert len(client.get("/m").body) == 1_000_000


def test_a_body_is_stopped_at_its_limit(server: Server, connect: Connect):
    client = connect(limits=Limits(body_bytes=len(DATA)))
    server.replies = [reply(200, PACKED, GZIP), reply(200, gzip.compress(DATA + b"\n"), GZIP), reply(200, DATA + b"\n")]
    assert client.get("/m").body == DATA
    for _ in range(2):
        with pytest.raises(SourceError, match=r"longer than 0\.5\d+ MiB"):
            client.get("/m")
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"code": 20001, "message": "Bad \\n thing", "more_info": "x", "status": 400}', "code 20001: Bad thing"),
        ('{"errors": [{"message": "bad window", "field": "from"}]}', "bad window"),
        ('{"type": "x", "title": "Not here", "status": 404, "detail": "y"}', "Not here"),
        ('{"detail": "only detail"}', "only detail"),
        ('{"message": "no such number: +1 (555) 010-0001"}', "no such number: <recipient>"),
        ('{"message": "no such number: 5550100001"}', "no such number: <number>"),
        ('{"message": "no such number: (555) 010-0001"}', "no such number: (<number>"),
        ('{"message": "someone@example.com is unknown"}', "<recipient> is unknown"),
        ('{"message": "/v1?To=someone%40example.com"}', "/v1?To=<recipient>"),
        (json.dumps({"message": "a b " * 100}), ("a b " * 50) + "…"),
    ],
)
def test_an_error_contains_the_providers_message_without_personal_data(
    server: Server, client: Client, body: str, message: str
):
    server.replies = [reply(400, body.encode()), reply(400, gzip.compress(body.encode()), GZIP)]
    for _ in range(2):
        with pytest.raises(SourceError) as caught:
            client.get("/m")
        assert str(caught.value).startswith(f"400 from 127.0.0.1 ({message}); expected 200")


@pytest.mark.parametrize(
    "answer",
    [
        reply(400, b""),
        reply(400, b"<html>"),
        reply(400, b"[]"),
        reply(400, b'"text"'),
        reply(400, b'{"errors": []}'),
        reply(400, b'{"errors": ["text"], "code": true}'),
        reply(400, b'{"code": null, "message": 5}'),
        reply(400, b"[" * 50_000),
        reply(400, b'{"message": "\xff"}'),
        reply(400, b'{"message": "' + b"a" * 100_000 + b'"}'),
        reply(400, b'{"message": "half', length=100, then=CLOSE),
        reply(400, b'{"message": "half', length=100, then=HANG),
        reply(400, PACKED[:20], GZIP),
        reply(400, b'{"message": "not gzip"}', GZIP),
        reply(400, b'{"message": "brotli"}', ("Content-Encoding", "br")),
    ],
)
def test_an_error_without_a_message_contains_only_the_status(server: Server, connect: Connect, answer: Reply):
    server.replies = [answer]
    with pytest.raises(SourceError, match=r"^400 from 127\.0\.0\.1; expected 200"):
        connect(limits=Limits(read_seconds=1.0)).get("/m")
    assert len(server.requests) == 1
