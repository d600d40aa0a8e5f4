"""Reads fields of provider records: texts, ids, times, whole numbers, prices. A reject reason contains no value."""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from waybill.model.days import EPOCH
from waybill.model.errors import RejectRecord
from waybill.model.plain_text import trimmed

EXACT_UP_TO = 2**53
"""Floats up to it represent whole numbers exactly."""
MILLISECONDS_FROM = 10**11
"""Integers above it are milliseconds since 1970, others seconds."""

_LAST_SECOND = 253_402_300_799  # of the year 9999
_WHOLE = re.compile(r"\d{1,19}(?:\.0+)?", re.ASCII)
_ROUNDED = re.compile(r"[+-]?\d+(?:[.,]\d+E[+-]?|E\+)\d+", re.ASCII | re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,19}(?:\.\d{1,15})?", re.ASCII)
_PRICE = re.compile(r"[+-]?\d{1,15}(?:\.\d{0,15})?", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# RFC 2822: Fri, 24 May 2019 17:44:46 +0000
_RFC_2822 = re.compile(
    r"(?:[a-z]{3}, *)?(\d{1,2}) ([a-z]{3}) (\d{4}) (\d\d):(\d\d)(?::(\d\d))? (?:([+-])(\d\d)([0-5]\d)|gmt|utc?|z)",
    re.ASCII | re.IGNORECASE,
)
_ZONE_IN_WORDS = re.compile(r"\s*(?:UTC|GMT)\Z|\s+(?=Z\Z|[+-]\d\d(?::?\d\d)?\Z)", re.IGNORECASE)
_OUTSIDE = "time outside 2005-2100"


def text(value: object) -> str | None:
    """Return a text as written; None for an empty text and for any other value."""
    return value if isinstance(value, str) and value else None


def identifier(value: object) -> str | None:
    """Return an id: a trimmed text, or a number as text (4711.0 is 4711); None for any other value and an empty
    text."""
    if value is None:
        return None
    if isinstance(value, str):
        return trimmed(value) or None
    if isinstance(value, int) and value is not True and value is not False:
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return None


def identifiers(value: object) -> list[str] | None:
    """Return the ids of a list, without elements that are none; None if there are none."""
    return [found for found in map(identifier, value) if found is not None] or None if isinstance(value, list) else None


def inner(value: object, *names: str) -> object:
    """Return a field of nested objects; None if it is missing."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def without(value: object, *names: str) -> object:
    """Return an object without some of its fields; any other value as it is."""
    return {name: part for name, part in value.items() if name not in names} if isinstance(value, dict) else value


def decoded(value: object) -> object:
    """Return the value that a text of JSON contains; any other text and any other value as it is."""
    with suppress(msgspec.DecodeError, RecursionError):
        return msgspec.json.decode(value) if isinstance(value, str) else value
    return value


def is_rounded(value: object) -> bool:
    """Whether a number has lost digits: a float above 2^53, or a text such as 1.2E+17. It is no id."""
    if isinstance(value, str):
        return _ROUNDED.fullmatch(value.strip()) is not None
    return isinstance(value, float) and abs(value) > EXACT_UP_TO


def taken(arguments: dict[str, object], names: Sequence[str]) -> str | None:
    """Remove and return the id in the first of these arguments that has one. A rounded number is no id: it would join
    messages whose ids differed before rounding."""
    for name in names:
        if name not in arguments or is_rounded(arguments[name]):
            continue
        if (found := identifier(arguments.pop(name))) is not None:
            return found
    return None


def first_sourced(*candidates: tuple[object, str]) -> tuple[str | None, str | None]:
    """Return the first candidate that is an id, with its source."""
    for value, source in candidates:
        if (found := identifier(value)) is not None:
            return found, source
    return None, None


def second(field: str, value: str | int | float) -> datetime:
    """Return a time in UTC, cut to its second. `value` is as for `instant`. Raises RejectRecord with the field's
    name."""
    number: Decimal | float
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value.strip()):
            return written_instant(field, value).replace(microsecond=0)
        number = Decimal(value.strip())
    else:
        number = value
    whole = int(number // 1000 if number > MILLISECONDS_FROM else number)
    if not 0 <= whole <= _LAST_SECOND:
        raise RejectRecord(f"{field}: {_OUTSIDE}")
    return datetime.fromtimestamp(whole, UTC)


def instant(field: str, value: str | int | float | None, zone: ZoneInfo | None = None) -> datetime:
    """Return a time in UTC.

    :param value: seconds or milliseconds since 1970, also as text, or a text as for `written_instant`
    :param zone: of texts without a zone
    :raises RejectRecord: with the field's name
    """
    if isinstance(value, str):
        if _NUMBER.fullmatch(value.strip()):
            return _instant_of_number(field, Decimal(value.strip()))
    elif isinstance(value, int):
        return _instant_of_number(field, value)
    elif isinstance(value, float):
        if not abs(value) < EXACT_UP_TO:  # also NaN
            raise RejectRecord(f"{field}: {_OUTSIDE}")
        return _instant_of_number(field, Decimal(repr(value)))
    return written_instant(field, value, zone)


def written_instant(field: str, value: str | None, zone: ZoneInfo | None = None) -> datetime:
    """Return a time in UTC from a text in ISO 8601 or RFC 2822, also with a zone as databases write it (` UTC`, `+01`).

    :param zone: of texts without a zone
    :raises RejectRecord: with the field's name
    """
    if value is None or not value.strip():
        raise RejectRecord(f"{field}: missing")
    return _instant_of_text(field, trimmed(value), zone)


def whole_number(field: str, value: object) -> int | None:
    """Return a count of at most 32 bits, or None for an empty value. Raises RejectRecord with the field's name."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        value = int(Decimal(value.strip()))
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or not 0 <= value < 2**31:
        raise RejectRecord(f"{field}: not a whole number")
    return value


def decimal(field: str, value: object) -> Decimal | None:
    """Return an exact decimal without trailing zeros or exponent, or None for an empty value. Raises RejectRecord."""
    if value is None or value == "":
        return None
    written = value.strip() if isinstance(value, str) else format(Decimal(repr(value)), "f")
    if not _PRICE.fullmatch(written):
        raise RejectRecord(f"{field}: not a decimal")
    number = Decimal(written).normalize()
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number


def turned(price: Decimal | None) -> Decimal | None:
    """Return the price with the opposite sign; zero stays zero."""
    if price is None:
        return None
    return -price if price else Decimal(0)


@lru_cache(maxsize=65_536)
def _instant_of_text(field: str, written: str, zone: ZoneInfo | None = None) -> datetime:
    if match := _RFC_2822.fullmatch(written):
        day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = match.groups()
        offset = timedelta(hours=int(zone_hours or 0), minutes=int(zone_minutes or 0)) * (-1 if sign == "-" else 1)
        try:
            number = _MONTHS.index(month.lower()) + 1
            at = datetime(
                int(year), number, int(day), int(hour), int(minute), int(second or 0), tzinfo=timezone(offset)
            )
        except ValueError:
            raise RejectRecord(f"{field}: not a time") from None
        return _in_utc(field, at)
    try:
        at = datetime.fromisoformat(_ZONE_IN_WORDS.sub(_offset, written))
    except ValueError:
        raise RejectRecord(f"{field}: not a time with a zone") from None
    return _in_utc(field, _local(field, at, zone) if at.tzinfo is None and zone is not None else at)


def _offset(match: re.Match[str]) -> str:
    return "+00:00" if match[0].strip() else ""


def _local(field: str, at: datetime, zone: ZoneInfo) -> datetime:
    """Return a local time in its zone. Raises RejectRecord if it occurs twice or never there."""
    first, second = at.replace(tzinfo=zone, fold=0), at.replace(tzinfo=zone, fold=1)
    if first.utcoffset() != second.utcoffset():
        is_there = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == at
        how_often = "comes twice in" if is_there else "never comes in"
        raise RejectRecord(f"{field}: a local time that {how_often} {zone.key}, where clocks change")
    return first


def _instant_of_number(field: str, number: int | Decimal) -> datetime:
    seconds = Decimal(number).scaleb(-3) if number > MILLISECONDS_FROM else number
    if not 0 <= seconds <= _LAST_SECOND:
        raise RejectRecord(f"{field}: {_OUTSIDE}")
    return EPOCH + timedelta(microseconds=int(seconds * 1_000_000))


def _in_utc(field: str, at: datetime) -> datetime:
    if at.tzinfo is None:
        raise RejectRecord(f"{field}: time without zone")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise RejectRecord(f"{field}: {_OUTSIDE}") from None
