"""The records of SendGrid's Event Webhook for an email, as the provider writes them.

Field names and forms are those of the Event Webhook reference (custom arguments are fields at the top level).
"""

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple
from urllib.parse import quote

from waybill.simulator.dispatch_log import rows as dispatch_log
from waybill.simulator.message import Message
from waybill.simulator.people import ARCHIVE, Recipient
from waybill.simulator.records import NO_KEY, WrittenRecord, leg_key
from waybill.simulator.sendgrid.fates import (
    BATCH,
    BOUNCES,
    COPY_JOURNEY,
    DROPS,
    JOURNEYS,
    PLURAL_FATES,
    SECOND_JOURNEYS,
    UNKNOWN_GATEWAY_ONLY,
    WITH_COPY,
    Step,
)
from waybill.simulator.truth.reports import Happening

FEED = "sendgrid_events"
PROVIDER = "sendgrid"

_EVENT_TYPES = {
    "processed": "processed",
    "deferred": "deferred",
    "delivered": "delivered",
    "bounce": "bounced",
    "dropped": "dropped",
    "open": "opened",
    "click": "clicked",
    "spamreport": "spam_reported",
    "unsubscribe": "unsubscribed",
    "group_unsubscribe": "unsubscribed",
    "group_resubscribe": "resubscribed",
}
_DELIVERY_WORDS = ("processed", "deferred", "delivered", "bounce", "dropped")
_APPLE_PROXY = "Mozilla/5.0"
_GOOGLE_PROXY = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
_GOOGLE_PREFETCH = "Mozilla/5.0 (Windows NT 10.0) Chrome/42.0 Safari/537.36 Edge/12.246 Mozilla/5.0"
_SCANNER = "Barracuda Sentinel (EE)"
_MACHINES = {_APPLE_PROXY: "mozilla_alone", _GOOGLE_PREFETCH: "google_image_prefetch", _SCANNER: "security_scanner"}
_BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/134.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Safari/605",
)
_OPENED_WITH = (*_BROWSERS, _GOOGLE_PROXY, _GOOGLE_PREFETCH)
_CLICKED_WITH = (*_BROWSERS, _SCANNER)


BATCH_SIZE = 4


class Leg(NamedTuple):
    """One SendGrid message for one recipient.

    :ivar receiver: the suffix of the id in records: the host that received it
    :ivar own_id: the Message-ID that the sender's own program gave, if it did
    """

    message_id: str
    receiver: str
    host: str
    recipient: Recipient
    own_id: str | None = None

    @property
    def email(self) -> str:
        return self.recipient.email

    @property
    def sendgrid_smtp_id(self) -> str:
        return f"<{self.message_id}@{self.host}>"

    @property
    def smtp_id(self) -> str:
        return f"<{self.own_id}>" if self.own_id else self.sendgrid_smtp_id

    @property
    def own_leg(self) -> tuple[str, str, str] | None:
        return ("own", self.own_id, self.email) if self.own_id else None

    @property
    def key(self) -> tuple[str, str]:
        return self.message_id, self.email


class SendGrid:
    """The SendGrid account of one Waybill account."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._shared: dict[str, tuple[Leg, set[str]]] = {}
        self._batches: dict[str, tuple[str, set[str]]] = {}

    def records(self, message: Message) -> list[WrittenRecord]:
        """Returns all records of one email, of the webhook and of the dispatch log."""
        if message.fate_name == UNKNOWN_GATEWAY_ONLY:
            return [_to_unknown_gateway(message, message.starts)]
        if message.fate_name == BATCH:
            self._join_batch(message)
        elif message.fate_name in WITH_COPY:
            message.link = "both"
        leg = self._leg(message)
        _, steps = JOURNEYS.get(message.fate_name) or PLURAL_FATES[message.fate_name]
        records = dispatch_log.hand_over_rows(message, PROVIDER, _id_in_log(message, leg), leg.key)
        events = self._events(message, leg, steps, message.starts)
        records += events
        if message.fate_name in SECOND_JOURNEYS:
            records += self._second_leg(message, SECOND_JOURNEYS[message.fate_name], _last(events))
        elif message.fate_name == "retried_through_unknown_gateway":
            records.append(_to_unknown_gateway(message, message.later(_last(events), 60, 3600)))
        elif message.fate_name in WITH_COPY:
            records += self._events(message, leg._replace(recipient=ARCHIVE), COPY_JOURNEY, message.starts)
        return records

    def _join_batch(self, message: Message) -> None:
        """Give the message the dispatch id of the open batch, or of a new one if that is full or has this recipient."""
        dispatch_id, recipients = self._batches.get(message.campaign.id, (None, set()))
        if dispatch_id is None or len(recipients) >= BATCH_SIZE or message.recipient.email in recipients:
            dispatch_id, recipients = str(message.dispatch_id), set()
            self._batches[message.campaign.id] = (dispatch_id, recipients)
        recipients.add(message.recipient.email)
        message.dispatch_id = dispatch_id

    def _second_leg(self, message: Message, steps: Sequence[Step], after: datetime) -> list[WrittenRecord]:
        leg = _new_leg(message)
        at = message.later(after, 60, 3600)
        handed = dispatch_log.row(
            message, at, "handed_over", gateway=PROVIDER, written_id=_id_in_log(message, leg), leg=leg.key
        )
        return [handed, *self._events(message, leg, steps, at)]

    def _leg(self, message: Message) -> Leg:
        """Returns a leg with its own message id; sometimes with the id of a send to several recipients."""
        leg, recipients = self._shared.get(message.campaign.id, (None, set()))
        if leg is not None and message.recipient.email not in recipients and message.random.random() < 0.08:
            recipients.add(message.recipient.email)
            return leg._replace(recipient=message.recipient)
        leg = _new_leg(message)
        if message.fate_name == "asynchronous_bounce_by_own_id":
            own_id = f"{int(message.starts.timestamp())}.{message.number}@mail.{self._account}.example"
            return leg._replace(own_id=own_id)
        self._shared[message.campaign.id] = (leg, {leg.email})
        return leg

    def _events(self, message: Message, leg: Leg, steps: Sequence[Step], starts: datetime) -> list[WrittenRecord]:
        records: list[WrittenRecord] = []
        at = starts
        for attempt, step in enumerate(steps):
            at = message.later(at, step.least_seconds, step.most_seconds)
            record = _record(message, leg, step, at, attempt)
            first = self._written_record(message, leg, step, record, at)
            records.append(first)
            again = _second_sighting(message.random, step, record)
            if again is not None:
                records.append(self._written_record(message, leg, step, again, at))
        return records

    def _written_record(
        self, message: Message, leg: Leg, step: Step, fields: dict[str, object], at: datetime
    ) -> WrittenRecord:
        random = message.random
        delay = random.uniform(3600, 20 * 3600) if random.random() < 0.025 else random.uniform(2, 45)
        happening = _happening(message, leg, step, fields, at)
        name = (self._account, FEED, *(happening.leg or ("", leg.email)), step.word, at.isoformat())
        return WrittenRecord(self._account, FEED, at + timedelta(seconds=delay), fields, ((name, happening),))


def _happening(message: Message, sent: Leg, step: Step, record: dict[str, object], at: datetime) -> Happening:
    """Returns the event of one record."""
    own_leg = sent.own_leg if "smtp-id" in record else None
    is_named = "sg_message_id" in record or ("smtp-id" in record and own_leg is None)
    leg = sent.key if is_named else own_leg
    failure_class = failure_reason = None
    if step.word == "bounce":
        failure_class, failure_reason, _ = BOUNCES[_bounce_kind(step.detail)]
    elif step.word == "dropped":
        failure_class, failure_reason = DROPS[step.detail]
    is_machine = record.get("sg_machine_open")
    return Happening(
        key=NO_KEY,
        at=at,
        account=message.account,
        channel="email",
        provider=PROVIDER,
        event_type=_EVENT_TYPES.get(step.word, "unknown"),
        leg=leg,
        leg_key=leg_key(message.account, PROVIDER, leg) if leg else None,
        own_leg_key=leg_key(message.account, PROVIDER, own_leg) if own_leg else None,
        recipient=sent.email,
        dispatch_id=_text(record.get("dispatch_id")),
        campaign=_campaign(record),
        template=_template(record),
        mailbox_provider=sent.recipient.mailbox_provider,
        failure_class=failure_class,
        failure_reason=failure_reason,
        provider_code=_code(record),
        url=_stored_url(sent, record) if step.word == "click" else None,
        is_machine=is_machine if isinstance(is_machine, bool) else None,
        machine_rule=_MACHINES.get(str(record.get("useragent"))) if step.word in ("open", "click") else None,
    )


def _campaign(record: dict[str, object]) -> tuple[int, str] | None:
    categories = record.get("category")
    if isinstance(categories, list):
        categories = next(iter(categories), None)
    ranked = ((2, record.get("campaign_id")), (3, record.get("singlesend_id")), (4, categories))
    return next(((rank, str(value)) for rank, value in ranked if _text(value)), None)


def _template(record: dict[str, object]) -> tuple[int, str] | None:
    ranked = ((2, record.get("template_id")), (3, record.get("sg_template_id")))
    return next(((rank, str(value)) for rank, value in ranked if _text(value)), None)


def _code(record: dict[str, object]) -> str | None:
    parts = [_text(record.get(name)) or "" for name in ("type", "bounce_classification")]
    return "/".join(parts) if any(parts) else None


def _stored_url(leg: Leg, record: dict[str, object]) -> str:
    """Returns the link as Waybill stores it: without the address."""
    url, email = str(record["url"]), leg.email
    return url.replace(email, "<recipient>").replace(quote(email, safe=""), "<recipient>")


def _text(value: object) -> str | None:
    return str(value) if value not in (None, "") else None


def _record(message: Message, leg: Leg, step: Step, at: datetime, attempt: int) -> dict[str, object]:
    """Returns one event as a record of the webhook."""
    random, word = message.random, step.word
    record: dict[str, object] = {"email": leg.email, "timestamp": int(at.timestamp()), "event": word}
    record["sg_event_id"] = event_id(random)
    record["sg_message_id"] = leg.message_id + leg.receiver
    if word in _DELIVERY_WORDS:
        record["smtp-id"] = leg.smtp_id
    if step.detail == "asynchronous":
        del record["sg_message_id"], record["smtp-id"]
    elif step.detail.startswith("asynchronous_with"):
        del record["sg_message_id"]
    if message.campaign.categories is not None:
        record["category"] = message.campaign.categories
    record.update(_sender_fields(message))
    if message.campaign.named_by == "single_send" and random.random() < 0.4:
        record["timestamp"] = int(at.timestamp()) * 1000
    record.update(_word_fields(message, leg, step, attempt))
    return record


def _word_fields(message: Message, leg: Leg, step: Step, attempt: int) -> dict[str, object]:
    """Returns the fields that only this kind of event has."""
    random, word = message.random, step.word
    if word == "processed":
        return {"pool": {"name": "main", "id": random.choice((210, "210"))}} if random.random() < 0.3 else {}
    if word == "deferred":
        response = "451 4.7.1 try again later, greylisted" if attempt % 2 else "421 4.7.0 too many connections"
        return {"response": response, "attempt": str(attempt), "domain": leg.email.partition("@")[2]}
    if word == "delivered":
        return {"response": "250 2.0.0 OK gsmtp", "ip": "198.51.100.24", "tls": 1}
    if word == "bounce":
        fields: dict[str, object] = dict(BOUNCES[_bounce_kind(step.detail)].fields)
        fields["reason"] = str(fields["reason"]).format(email=leg.email)
        return fields if "asynchronous" in step.detail else {**fields, "ip": "198.51.100.24", "tls": 1}
    if word == "dropped":
        return {"reason": step.detail, "status": "5.0.0"}
    if word == "spamreport":
        return {}
    programs = {"open": _OPENED_WITH, "click": _CLICKED_WITH}.get(word, _BROWSERS)
    seen_by = {"useragent": random.choice(programs), "ip": f"192.0.2.{random.randrange(1, 255)}"}
    if word == "open":
        if step.detail == "machine":
            return {"useragent": _APPLE_PROXY, "ip": "203.0.113.9", "sg_content_type": "html", "sg_machine_open": True}
        flag = {"sg_machine_open": False} if step.detail == "flag_false" else {}
        return {**seen_by, "sg_content_type": "html", **flag}
    if word == "click":
        index = random.randrange(4)
        return {**seen_by, "url": _url(message, leg, index), "url_offset": {"index": index, "type": "html"}}
    if word.startswith("group_"):
        return {**seen_by, "asm_group_id": 21, "url": f"https://www.{message.account}.example/preferences"}
    return {}


def _url(message: Message, leg: Leg, index: int) -> str:
    """Returns a link of the campaign; some contain the address, plain or percent-encoded, some have a fragment."""
    link = f"https://www.{message.account}.example/{message.campaign.id}/offer-{index}"
    way = message.random.randrange(6)
    if way == 0:
        return f"{link}?to={leg.email}"
    if way == 1:
        return f"{link}?utm_source=mail&to={quote(leg.email, safe='')}"
    return link + ("?utm_source=mail", "#details?utm_source=mail", "", "")[way - 2]


def _sender_fields(message: Message) -> dict[str, object]:
    """Returns custom arguments, which some events lack, or the fields of a Single Send."""
    random, named_by = message.random, message.campaign.named_by
    fields: dict[str, object] = {}
    if named_by == "single_send":
        fields["singlesend_id"] = f"ss-{message.campaign.id}"
        fields["singlesend_name"] = message.campaign.id.title()
        fields["sg_template_id"] = f"d-{message.campaign.id}"
        fields["mc_stats"] = "singlesend"
    elif named_by == "empty_argument":
        fields["campaign_id"] = ""
    elif named_by in ("argument", "number") and random.random() < 0.85:
        fields["campaign_id"] = int(message.campaign.id) if named_by == "number" else message.campaign.id
        if random.random() < 0.8:
            fields["template_id"] = message.campaign.template
    if message.link in ("argument", "both", "contradiction") and random.random() < 0.55:
        fields["dispatch_id"] = message.id_in_arguments
    if random.random() < 0.1:
        fields["order_id"] = f"o-{message.number}"
    return fields


def _second_sighting(random: Random, step: Step, record: dict[str, object]) -> dict[str, object] | None:
    """Returns a repeated record of the same event, sometimes with other fields; mostly None."""
    if step.detail == "flagged_once":
        return {**record, "sg_machine_open": True}
    way = random.random()
    if way < 0.010:
        return record
    if way < 0.022:
        return {**record, "sg_event_id": event_id(random)}
    if way < 0.028:
        return {name: value for name, value in record.items() if name != "sg_event_id"}
    if way < 0.034:
        return {name: value for name, value in record.items() if name not in ("campaign_id", "dispatch_id")}
    if way < 0.038:
        return {**record, "email": str(record["email"]).upper()}
    return None


def event_id(random: Random) -> str:
    """Returns an id in the form of SendGrid: URL-safe base64."""
    return base64.urlsafe_b64encode(random.randbytes(16)).rstrip(b"=").decode()


def _new_leg(message: Message) -> Leg:
    random = message.random
    receiver = f".recvd-{random.randbytes(4).hex()}-1-{random.randbytes(4).hex().upper()}-{random.randrange(90)}.0"
    return Leg(event_id(random), receiver, f"geopod-ismtpd-{random.randrange(30)}", message.recipient)


def _id_in_log(message: Message, leg: Leg) -> str:
    return leg.sendgrid_smtp_id if message.link == "log_smtp" else leg.message_id + leg.receiver


def _to_unknown_gateway(message: Message, at: datetime) -> WrittenRecord:
    return dispatch_log.row(
        message,
        message.clock.at(at) if message.fate_name == UNKNOWN_GATEWAY_ONLY else at,
        "handed_over",
        gateway=dispatch_log.UNKNOWN_GATEWAY,
        written_id=f"pigeon-{message.number}",
    )


def _bounce_kind(detail: str) -> str:
    return "mailbox_unavailable" if detail.startswith("asynchronous") else detail


def _last(records: Sequence[WrittenRecord]) -> datetime:
    return max(happening.at for record in records for _, happening in record.events)
