"""The fates of a call, and its rows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from waybill.simulator.dispatch_log import rows as dispatch_log
from waybill.simulator.message import Fate, Message
from waybill.simulator.records import WrittenRecord
from waybill.simulator.twilio.rows import PROVIDER, Row, new_call

ANSWERED_BY = {
    "human": 24,
    "machine_start": 8,
    "machine_end_beep": 6,
    "machine_end_silence": 2,
    "machine_end_other": 1,
    "fax": 1,
    "unknown": 1,
}

FATES: dict[str, Fate] = {
    **{f"completed:{by}": Fate(weight) for by, weight in ANSWERED_BY.items()},
    "completed_without_detection": Fate(6),
    "completed_without_price": Fate(2),
    "completed_in_other_currency": Fate(2),
    "no-answer": Fate(10),
    "no-answer_without_end": Fate(3),
    "busy": Fate(5),
    "failed": Fate(2.5),
    "failed_without_end": Fate(1),
    "canceled": Fate(1.5),
    "stuck_queued": Fate(1),
    "ringing_when_polled": Fate(1.5),
    "in-progress_when_polled": Fate(1.5),
    "ringing_without_start_when_polled": Fate(0.5),
    "ringing_at_the_end": Fate(0.3),
    "in-progress_at_the_end": Fate(0.3),
    "called_again": Fate(2, is_linked=True),
    "called_again_in_vain": Fate(1, is_linked=True),
}


def records_and_rows(message: Message, polls: Sequence[datetime]) -> tuple[list[WrittenRecord], list[Row]]:
    """Returns the dispatch rows of a call, and its rows at Twilio.

    :param polls: when the list is polled; some calls are seen before their end
    """
    fate, _, by = message.fate_name.partition(":")
    if fate.endswith("when_polled"):
        message.starts = next((at for at in polls if at > message.starts), polls[-1]) - timedelta(seconds=40)
    elif fate.endswith("at_the_end"):
        message.starts = polls[-1] - timedelta(seconds=40)
    row = _new(message, message.clock.at(message.starts + timedelta(seconds=1)))
    sid = str(row.states[0][1]["sid"])
    records = dispatch_log.hand_over_rows(message, PROVIDER, sid, (sid,))
    if fate == "stuck_queued":
        return records, [row]
    if fate == "canceled":
        row.change(message.later(row.created, 5, 300), status="canceled")
        return records, [row]
    if fate.startswith(("failed", "busy", "no-answer")):
        _miss(row, message, fate.partition("_")[0], with_end="without_end" not in fate)
        return records, [row]
    if fate.startswith("called_again"):
        again, second = _call_again(row, message, is_in_vain=fate == "called_again_in_vain")
        return records + again, [row, second]
    # ringing when polled: it starts 40 s before the poll and rings for a minute
    least_ring, most_ring = (60, 80) if fate.startswith("ringing") else (4, 20)
    if fate == "ringing_without_start_when_polled":
        row.change(message.later(row.created, 1, 3), status="ringing")
        row.change(message.later(row.created, 60, 80), status="in-progress", start_time=row.states[-1][0])
        _complete(row, message, 20, 90, "human")
        return records, [row]
    _ring(row, message)
    row.change(message.later(row.states[-1][0], least_ring, most_ring), status="in-progress")
    detected = "human" if fate.endswith(("when_polled", "at_the_end")) else by
    _complete(row, message, 30, 200, detected or None, is_priced=fate != "completed_without_price")
    return records, [row]


def _new(message: Message, created: datetime) -> Row:
    unit = "EUR" if message.fate_name == "completed_in_other_currency" else "USD"
    return new_call(message, message.account, created, message.random, price_unit=unit)


def _ring(row: Row, message: Message) -> None:
    at = message.later(row.created, 1, 4)
    row.change(at, status="ringing", start_time=at)


def _complete(
    row: Row, message: Message, least: float, most: float, answered_by: str | None, is_priced: bool = True
) -> None:
    answered = row.states[-1][0]
    at = message.later(answered, least, most)
    seconds = int((at - answered).total_seconds())
    row.change(at, status="completed", end_time=at, duration=str(seconds), answered_by=answered_by)
    if is_priced:
        row.change(message.later(at, 600, 5 * 3600), price=f"-{0.0130 * (seconds // 60 + 1):.5f}")


def _miss(row: Row, message: Message, status: str, with_end: bool = True) -> None:
    """End a call that was not connected; Twilio does not always give the time of its end."""
    if status == "failed":
        at = message.later(row.created, 1, 20)
    else:
        _ring(row, message)
        at = message.later(row.states[-1][0], 15, 60)
    ended: dict[str, object] = {"end_time": at, "duration": "0"} if with_end else {}
    row.change(at, status=status, **ended)


def _call_again(row: Row, message: Message, is_in_vain: bool) -> tuple[list[WrittenRecord], Row]:
    """Call again for the same dispatch, after nobody answered; returns the new rows."""
    _miss(row, message, "no-answer")
    at = message.later(row.states[-1][0], 900, 3 * 3600)
    handed_at = message.later(at, -30, -1)
    second = new_call(message, message.account, at, message.random)
    sid = str(second.states[0][1]["sid"])
    handed = dispatch_log.row(message, handed_at, "handed_over", gateway=PROVIDER, written_id=sid, leg=(sid,))
    if is_in_vain:
        _miss(second, message, "busy")
    else:
        _ring(second, message)
        second.change(message.later(second.states[-1][0], 5, 20), status="in-progress")
        _complete(second, message, 20, 120, "human")
    return [handed], second


def ignored(account: str, at: datetime, random: Random, number: int) -> Row:
    """Returns a call that is to be ignored: inbound, or the child leg of another call."""
    fields: dict[str, object] = {"direction": "inbound", "from": f"+1202555010{number % 10}"}
    if number % 2:
        fields = {"direction": "outbound-dial", "parent_call_sid": f"CA{random.randbytes(16).hex()}"}
    ended = at + timedelta(seconds=30)
    fields |= {"status": "completed", "start_time": at, "end_time": ended, "date_updated": ended, "duration": "30"}
    row = new_call(None, account, at, random, **fields)
    row.states = [(ended, row.states[0][1])]
    return row
