"""What no feed can map. Each of these must be rejected, without any effect on other records."""

from datetime import UTC, datetime

MILLENNIUM = datetime(2150, 1, 1, tzinfo=UTC)
"""A time that is later than the warehouse accepts."""

BROKEN_LINES = (
    '{{"email": "sim.000000@example.com", "event": "open", "timestamp": 17745{number}',
    "POST /webhook HTTP/1.1 {number}",
    "\\ufffd\\ufffd {number}",
)
"""Lines that are not JSON; only for files of lines."""

NO_OBJECTS = ('"noise {number}"', "{number}", "true")
