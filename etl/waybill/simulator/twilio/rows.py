"""Twilio's rows of messages and calls, which change over time, and the events of each state.

A row has one status at a time. A seen row contains `processed` at the creation of the row, and an event for its status
at the time that docs/model.md defines.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Protocol

from waybill.simulator.message import Message
from waybill.simulator.records import NO_KEY, EventName, Files, leg_key
from waybill.simulator.truth.reports import Happening

MESSAGES = "twilio_messages"
CALLS = "twilio_calls"
PROVIDER = "twilio"

PENDING = ("accepted", "queued", "scheduled", "sending")
"""Statuses without an event of their own."""

_EVENT_TYPES = {
    "sent": "sent",
    "delivered": "delivered",
    "partially_delivered": "delivered",
    "undelivered": "undelivered",
    "failed": "undelivered",
    "read": "opened",
    "canceled": "canceled",
    "ringing": "ringing",
    "in-progress": "answered",
    "completed": "completed",
    "no-answer": "no_answer",
    "busy": "busy",
}
_AT_START = ("ringing", "in-progress")

OPTED_OUT = 21610
"""The recipient has opted out: Twilio refuses to send."""

ERRORS: dict[int | None, tuple[str, str]] = {
    21211: ("invalid", "address_malformed"),
    21214: ("invalid", "handset_unreachable"),
    21217: ("invalid", "address_malformed"),
    21614: ("invalid", "number_not_mobile"),
    30005: ("invalid", "address_not_found"),
    30006: ("invalid", "number_not_mobile"),
    30014: ("invalid", "address_malformed"),
    63003: ("invalid", "address_not_found"),
    63024: ("invalid", "address_malformed"),
    30003: ("soft_bounce", "handset_unreachable"),
    30001: ("soft_bounce", "carrier_congested"),
    30008: ("soft_bounce", "unclassified"),
    30017: ("soft_bounce", "carrier_congested"),
    30022: ("soft_bounce", "rate_limited"),
    30023: ("soft_bounce", "rate_limited"),
    30027: ("soft_bounce", "rate_limited"),
    30036: ("soft_bounce", "expired"),
    30012: ("soft_bounce", "expired"),
    30410: ("soft_bounce", "timed_out"),
    21611: ("soft_bounce", "carrier_congested"),
    30004: ("blocked", "recipient_blocked"),
    30007: ("blocked", "carrier_filtered"),
    30032: ("blocked", "carrier_filtered"),
    30033: ("blocked", "carrier_filtered"),
    30034: ("blocked", "carrier_filtered"),
    30450: ("blocked", "policy_rejected"),
    21408: ("blocked", "region_not_permitted"),
    21610: ("gateway_suppressed", "prior_unsubscribe"),
    30002: ("gateway_suppressed", "account_suspended"),
    30010: ("gateway_suppressed", "price_limit"),
    30019: ("unknown", "message_too_large"),
    None: ("unknown", "unclassified"),
}
"""Error code of a message to its class (docs/model.md) and reason; 30019 is an example of any other code."""


class Row:
    """One row over time.

    :ivar message: the message it belongs to; None if the row is to be ignored (inbound, or a child leg of a call)
    :ivar states: (time, fields of the row from then on), in order of time; dates are datetimes
    """

    def __init__(self, feed: str, message: Message | None, first: dict[str, object]) -> None:
        created = first["date_created"]
        assert isinstance(created, datetime)
        self.feed = feed
        self.message = message
        self.created: datetime = created
        self.states: list[tuple[datetime, dict[str, object]]] = [(created, first)]

    def change(self, at: datetime, **fields: object) -> None:
        """Change fields of the row from `at` on, and its `date_updated`."""
        self.states.append((at, {**self.states[-1][1], "date_updated": at, **fields}))

    @property
    def sid(self) -> str:
        """The provider's id of the row."""
        return str(self.states[0][1]["sid"])

    def state_index_at(self, moment: datetime) -> int | None:
        """Returns the index of its state at a moment; None if the row does not exist yet."""
        return next((i for i in range(len(self.states) - 1, -1, -1) if self.states[i][0] <= moment), None)

    def seen_at(self, moment: datetime) -> dict[str, object] | None:
        """Returns the fields of the row at a moment; None if the row does not exist yet."""
        index = self.state_index_at(moment)
        return None if index is None else self.states[index][1]

    def events(self, state: dict[str, object]) -> tuple[tuple[EventName, Happening], ...]:
        """Returns the events that the row contains in this state."""
        if self.message is None:
            return ()
        status = str(state["status"])
        is_pending = status in PENDING
        processed = self._event("processed", self.created, "processed", state if is_pending else {})
        if is_pending:
            return (processed,)
        event_type = _EVENT_TYPES[status]
        if self.feed == CALLS and status == "failed":
            event_type = "failed"
        elif state.get("error_code") == OPTED_OUT:
            event_type = "dropped"
        return (processed, self._event(status, _own_time(self.feed, state), event_type, state))

    def _event(
        self, status: str, at: datetime, event_type: str, state: dict[str, object]
    ) -> tuple[EventName, Happening]:
        message = self.message
        assert message is not None
        leg = (self.sid,)
        code = state.get("error_code")
        assert code is None or isinstance(code, int)
        failure_class = failure_reason = None
        if event_type in ("undelivered", "dropped"):
            failure_class, failure_reason = ERRORS[code]
        elif event_type == "failed":
            failure_class, failure_reason = ERRORS[None]
        price, unit, duration = state.get("price"), state.get("price_unit"), state.get("duration")
        segments = state.get("num_segments")
        answered_by = state.get("answered_by")
        happening = Happening(
            key=NO_KEY,
            at=at,
            account=message.account,
            channel=message.channel,
            provider=PROVIDER,
            event_type=event_type,
            leg=leg,
            leg_key=leg_key(message.account, PROVIDER, leg),
            recipient=message.recipient.phone,
            country=message.recipient.country,
            failure_class=failure_class,
            failure_reason=failure_reason,
            provider_code=str(code) if code is not None else None,
            price=-Decimal(str(price)) if price is not None else None,
            currency=str(unit).upper() if unit else None,
            segments=int(str(segments)) if segments is not None else None,
            duration_seconds=int(str(duration)) if duration else None,
            answered_by=str(answered_by) if answered_by else None,
        )
        return (message.account, self.feed, *leg, status), happening


class TwilioWorld(Files, Protocol):
    """What the lists ask the world."""

    def rows(self, account: str, feed: str) -> Sequence[Row]:
        """Returns every row of an account's messages or calls, as `World.rows`."""


def _own_time(feed: str, state: dict[str, object]) -> datetime:
    """Returns the time of the row's own status."""
    status = state["status"]
    named = "date_updated"
    if feed == MESSAGES and status == "sent":
        named = "date_sent"
    elif feed == CALLS:
        named = "start_time" if status in _AT_START else "end_time"
    at = state[named] or state["date_updated"]
    assert isinstance(at, datetime)
    return at


def account_sid(account: str) -> str:
    """Returns the provider's id of an account."""
    return f"AC{Random(f'{account}/sid').randbytes(16).hex()}"


def auth_token(account: str) -> str:
    """Returns the token of an account; it is valid in the simulator only."""
    return Random(f"{account}/token").randbytes(16).hex()


def new_message(message: Message | None, account: str, created: datetime, random: Random, **fields: object) -> Row:
    """Returns a row of Messages.json in its first state."""
    sid = f"SM{random.randbytes(16).hex()}"
    uri = f"/2010-04-01/Accounts/{account_sid(account)}/Messages/{sid}"
    first: dict[str, object] = {
        "account_sid": account_sid(account),
        "api_version": "2010-04-01",
        "body": f"Hello from {account}: see https://{account}.example/s/{random.randrange(9999)}",
        "date_created": created,
        "date_sent": None,
        "date_updated": created,
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": "+15005550006",
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": "USD",
        "sid": sid,
        "status": "queued",
        "subresource_uris": {"media": f"{uri}/Media.json", "feedback": f"{uri}/Feedback.json"},
        "to": message.recipient.phone if message else "+15005550006",
        "uri": f"{uri}.json",
    }
    return Row(MESSAGES, message, {**first, **fields})


def new_call(message: Message | None, account: str, created: datetime, random: Random, **fields: object) -> Row:
    """Returns a row of Calls.json in its first state."""
    sid = f"CA{random.randbytes(16).hex()}"
    uri = f"/2010-04-01/Accounts/{account_sid(account)}/Calls/{sid}"
    to = message.recipient.phone if message else "+15005550006"
    first: dict[str, object] = {
        "account_sid": account_sid(account),
        "annotation": None,
        "answered_by": None,
        "api_version": "2010-04-01",
        "caller_name": None,
        "date_created": created,
        "date_updated": created,
        "direction": "outbound-api",
        "duration": "",
        "end_time": None,
        "forwarded_from": None,
        "from": "+15005550006",
        "from_formatted": "(500) 555-0006",
        "group_sid": None,
        "parent_call_sid": None,
        "phone_number_sid": f"PN{Random(f'{account}/number').randbytes(16).hex()}",
        "price": None,
        "price_unit": "USD",
        "queue_time": "0",
        "sid": sid,
        "start_time": None,
        "status": "queued",
        "subresource_uris": {"events": f"{uri}/Events.json", "recordings": f"{uri}/Recordings.json"},
        "to": to,
        "to_formatted": to,
        "trunk_sid": None,
        "uri": f"{uri}.json",
    }
    return Row(CALLS, message, {**first, **fields})
