"""Amazon SES events, from event publishing (Firehose, SNS, EventBridge) and feedback notifications, landed as files.

Source: contents of event records and of notifications (Amazon SES developer guide). Not compared with the records of a
real account.
Files: Firehose objects (one event after another, with or without line breaks), bodies of SNS, messages of SQS, events
of EventBridge; or the bare events.

Quirks
- One record may name several recipients: each gives an event of its own.
- `Open`, `Click` and `Subscription` name no recipient. It is `mail.destination` if that has one address; else the event
  names no message. Recipients of `Complaint` may be candidates who did not complain: SES cannot tell.
- Only bounces and complaints have an id (`feedbackId`), and both routes write times in their own form. So the identity
  is the content, at whole seconds.
- `Send`, `Reject` and `Rendering Failure` have no time of their own: `mail.timestamp` counts.
- Addresses on a suppression list are reported as bounces or complaints of a mail that was never sent: `dropped`.
- Values of `mail.tags` are lists. Feedback notifications have `notificationType`, and no tags.
- Headers of the message are left out: Waybill does not store the content of messages.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import BinaryIO

from waybill.feeds import failures, fields
from waybill.feeds.records import RECIPIENT, AccountNotice, Sighting
from waybill.feeds.ses.provider import ses_message_id
from waybill.feeds.ses.record import (
    LEFT_OUT,
    WITH_OWN_TIME,
    Part,
    SesEvent,
    code_of,
    part_of,
    preference_changes,
    reason_of,
    recipients_of,
    time_of,
)
from waybill.feeds.typed_feed import TypedFeed
from waybill.framing.lines import lines_or_arrays
from waybill.framing.raw_record import RawRecord
from waybill.model import machine_rules
from waybill.model.errors import RejectRecord
from waybill.model.event import EventDraft

_text, _identifier = fields.text, fields.identifier


class SesEvents(TypedFeed[SesEvent]):
    slug = "ses_events"
    title = "Amazon SES events"
    provider = "ses"
    channel = "email"
    kind = "files"
    credentials = ()
    lateness = timedelta(days=3)
    rules_version = failures.RULES_VERSION + machine_rules.RULES_VERSION
    record_type = SesEvent

    event_types = {
        "Send": "processed",
        "DeliveryDelay": "deferred",
        "Delivery": "delivered",
        "Bounce": "bounced",
        "Reject": "dropped",
        "Rendering Failure": "dropped",
        "Open": "opened",
        "Click": "clicked",
        "Complaint": "spam_reported",
        "Subscription": "unsubscribed",
    }
    preferences = {"OptOut": "unsubscribed", "OptIn": "resubscribed"}
    suppressed_codes = (  # SES did not try to deliver
        *("permanent/suppressed", "permanent/onaccountsuppressionlist", "permanent/unsubscribedrecipient"),
        "complaint/onaccountsuppressionlist",
    )
    classes_of_type = {  # the first one, or another one of them that follows from the reason
        "permanent": ("hard_bounce", "invalid", "blocked"),
        "transient": ("soft_bounce", "blocked"),
        "undetermined": ("soft_bounce", "invalid", "blocked"),
    }
    no_complaint = "not-spam"
    test_word = "AmazonSnsSubscriptionSucceeded"  # a notification about a topic
    account_words = ("SubscriptionConfirmation", "UnsubscribeConfirmation", "Notification")  # `Type` of SNS

    def records(self, stream: BinaryIO) -> Iterator[RawRecord]:
        return lines_or_arrays(stream, own_field="mail")

    def account_notice(self, record: SesEvent) -> AccountNotice | None:
        envelope = record.other  # of SNS: a message without an event
        word = envelope.get("Type")
        if record.mail is not None or word not in self.account_words or not isinstance(envelope.get("Message"), str):
            return None
        noticed_at = fields.written_instant("Timestamp", _text(envelope.get("Timestamp")))
        return AccountNotice(str(word), _identifier(envelope.get("TopicArn")), noticed_at)

    def sightings(self, record: SesEvent) -> Iterable[Sighting]:
        word = _identifier(record.event_type) or _identifier(record.notification_type)
        if word == self.test_word:
            return ()
        if word is None:
            raise RejectRecord("eventType: missing")
        if record.mail is None:
            raise RejectRecord("mail: missing")
        name, part = part_of(record, word)
        if part.get("complaintFeedbackType") == self.no_complaint:
            return ()
        at = time_of("mail", record.mail)
        if word in WITH_OWN_TIME:
            at = time_of(name, part)
            del part["timestamp"]
        recipients = recipients_of(word, part, record.mail)
        changes = preference_changes(part) if word == "Subscription" else [(None, code_of(word, part))]
        return [
            self._sighting(record, record.mail, word, name, part | own, at, address, scope, code)
            for address, own in recipients
            for scope, code in changes
        ]

    def classify(self, event: EventDraft) -> None:
        code = (event.provider_code or "").lower()
        event.event_type = self.event_types.get(event.provider_event, "unknown")
        event.failure_class = event.failure_reason = None
        if event.provider_event == "Subscription":
            event.event_type = self.preferences.get(event.provider_code or "", "unknown")
        elif event.event_type in ("bounced", "spam_reported") and code in self.suppressed_codes:
            event.event_type = "dropped"
        if event.event_type in ("bounced", "dropped"):
            event.failure_reason = self.verdict(event).reason
            is_bounce = event.event_type == "bounced"
            event.failure_class = self._bounce_class(code, event.failure_reason) if is_bounce else "gateway_suppressed"

    def _bounce_class(self, code: str, reason: str) -> str:
        """Return the class of a bounce: by its reason, as far as its type allows that class; else by its type."""
        classes = self.classes_of_type.get(code.partition("/")[0], self.classes_of_type["undetermined"])
        return failures.class_among(classes, reason)

    def _sighting(
        self,
        record: SesEvent,
        mail: Part,
        word: str,
        name: str,
        part: Part,
        at: datetime,
        address: str | None,
        scope: str | None,
        code: str | None,
    ) -> Sighting:
        """Return the sighting of one recipient.

        :param name: of the object that describes the event
        :param part: its fields, with those of the recipient
        """
        message_id = ses_message_id(_identifier(mail.get("messageId")) or "") or None
        identity: tuple[str, ...] = (message_id or "", RECIPIENT, word, str(int(at.timestamp())))
        ip = user_agent = url = None
        if word in ("Open", "Click"):
            ip, user_agent, url = (_text(part.pop(field, None)) for field in ("ipAddress", "userAgent", "link"))
            identity += (ip or "", user_agent or "", url or "")
        elif word == "Subscription":
            identity += (scope or "", code or "")
        tags = mail.get("tags")
        tags = tags if isinstance(tags, dict) else {}
        arguments = {
            tag: values[0] if isinstance(values, list) and len(values) == 1 else values for tag, values in tags.items()
        }
        sighting = Sighting(
            identity=identity,
            key_at=at.replace(microsecond=0),
            event_at=at,
            recipient=address,
            provider_event=word,
            provider_event_id=_identifier(part.pop("feedbackId", None)),
            provider_message_id=message_id,
            provider_account=_identifier(mail.get("sendingAccountId")),
            provider_code=code,
            status_code=_identifier(part.pop("status", None)),
            provider_reason=reason_of(part),
            ip=ip,
            user_agent=user_agent,
            url=url,
            scope=scope,
        )
        self.add_ids(sighting, arguments, template=part.get("templateName"))
        rest = {field: value for field, value in mail.items() if field not in LEFT_OUT}
        extra = {name: part, "mail": rest, "tags": {tag: tags[tag] for tag in arguments}}
        sighting.extra = record.other | {field: value for field, value in extra.items() if value} or None
        return sighting
