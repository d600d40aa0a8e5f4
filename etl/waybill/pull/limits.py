"""How much a provider's server may ask of us: bytes, time, attempts."""

from dataclasses import dataclass

from waybill.framing.limits import LONGEST_BODY

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Limits of one page. Reached by bytes: SourceError at once; by time: tried again while attempts and time last.

    :ivar connect_seconds: to connect, and again for TLS
    :ivar read_seconds: without any byte
    :ivar wire_bytes: received for one answer, headers and framing included, before decompression
    :ivar body_bytes: of one body, decompressed: what can be read again when it is loaded
    :ivar ratio: decompressed to received bytes, looked at above `ratio_from_bytes` decompressed
    :ivar page_seconds: of one attempt, from connecting to the last byte, however slowly the bytes drip
    :ivar attempts: of one page
    :ivar unauthorized_attempts: of one page that are answered 401; Twilio sends it now and then to good credentials
    :ivar total_seconds: of one page with all its attempts and waits
    :ivar longest_wait_seconds: that a provider may ask for; if it asks for more, the page is given up at once
    :ivar first_backoff_seconds: upper bound of the first wait where the provider asks for none; it doubles each time
    :ivar longest_backoff_seconds: the bound that doubling stops at
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
