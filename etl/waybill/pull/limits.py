"""Limits on what a provider's server may cost: bytes, time, attempts."""

from dataclasses import dataclass

from waybill.framing.limits import LONGEST_BODY

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Limits of one page. Too many bytes raise SourceError at once. After too long a time the page is tried again, up
    to the limits of attempts and total time.

    :ivar connect_seconds: time to connect, and again for TLS
    :ivar read_seconds: time without any byte
    :ivar wire_bytes: bytes received for one answer, with headers and framing, before decompression
    :ivar body_bytes: decompressed bytes of one body, so that a load can read it again
    :ivar ratio: decompressed to received bytes, checked above `ratio_from_bytes` decompressed bytes
    :ivar page_seconds: time of one attempt, from connecting to the last byte
    :ivar attempts: attempts for one page
    :ivar unauthorized_attempts: attempts that are answered with 401, which Twilio sometimes sends to good credentials
    :ivar total_seconds: time of one page with all attempts and waits
    :ivar longest_wait_seconds: the longest wait that a provider may ask for; above it, the page fails at once
    :ivar first_backoff_seconds: upper bound of the first wait if the provider asks for none; it doubles each time
    :ivar longest_backoff_seconds: the highest upper bound of a wait
    """

    connect_seconds: float = 10
    read_seconds: float = 60
    wire_bytes: int = 64 * MIB
    body_bytes: int = LONGEST_BODY
    ratio: float = 100
    ratio_from_bytes: int = MIB
    page_seconds: float = 300
    attempts: int = 6
    unauthorized_attempts: int = 2
    total_seconds: float = 900
    longest_wait_seconds: float = 300
    first_backoff_seconds: float = 1
    longest_backoff_seconds: float = 60
