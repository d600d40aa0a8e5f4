"""Generates a large SendGrid spool for benchmarks: normal traffic in order of time, about 2.6 events per email."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

START = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
DOMAINS = ("gmail.com", "yahoo.co.uk", "outlook.de", "icloud.com", "mail.example", "post.example")
AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"


def spool(event_count: int, seed: int, start: int = START, seconds: int = 86_400) -> Iterator[bytes]:
    """Yields NDJSON lines of about `event_count` events, sorted by time.

    :param start: time of the first email, in seconds since 1970
    :param seconds: how long emails are sent
    """
    chooser = random.Random(seed)  # noqa: S311
    emails = int(event_count / 2.6)
    lines = []
    for number in range(emails):
        at = start + number * seconds // emails
        lines.extend(_email(chooser, f"{seed:x}m{number:08x}", at))
    lines.sort(key=lambda line: line[0])
    for _, event in lines:
        yield msgspec.json.encode(event) + b"\n"


def _email(chooser: random.Random, message_id: str, at: int) -> Iterator[tuple[int, dict]]:
    common = {
        "email": f"sim.{chooser.randrange(2_000_000):07d}@{chooser.choice(DOMAINS)}",
        "sg_message_id": f"{message_id}.recvd-5d4f7c9b8-x7k2p-1-65F1A2B3-12.0",
        "smtp-id": f"<{message_id}@geopod-ismtpd-12>",
        "category": ["newsletter", "spring"],
        "campaign_id": f"campaign-{chooser.randrange(40):02d}",
        "dispatch_id": f"d-{message_id}",
    }

    def event(word: str, later: int, **more: object) -> tuple[int, dict]:
        when = at + later
        return when, {**common, "event": word, "timestamp": when, "sg_event_id": f"{word}-{message_id}", **more}

    yield event("processed", 0)
    fate = chooser.random()
    if fate < 0.03:
        yield event(
            "bounce",
            3,
            type="bounce",
            status="5.1.1",
            reason="550 5.1.1 user unknown",
            bounce_classification="Invalid Address",
        )
        return
    if fate < 0.06:
        yield event("deferred", 5, response="451 4.7.1 try again later", attempt="1")
    yield event("delivered", 9, response="250 2.0.0 OK", ip="198.51.100.24", tls=1)
    if fate > 0.55:
        ip = f"203.0.113.{chooser.randrange(255)}"
        yield event("open", chooser.randrange(60, 20_000), useragent=AGENT, ip=ip, sg_machine_open=fate > 0.8)
        if fate > 0.9:
            yield event(
                "click", chooser.randrange(20_000, 40_000), useragent=AGENT, ip=ip, url="https://shop.example/a?x=1"
            )
