"""The content of SES events: the object of each word, recipients, codes, and changes of subscriptions.

Source: contents of event records and of notifications (Amazon SES developer guide).
"""

from datetime import datetime

from waybill.feeds import fields
from waybill.feeds.records import Record
from waybill.model.errors import RejectRecord

Part = dict[str, object]

PARTS = {"Rendering Failure": "failure", "DeliveryDelay": "deliveryDelay"}
"""The object of a word; of other words: `Bounce` has `bounce`."""

RECIPIENTS = {
    "Bounce": "bouncedRecipients",
    "Complaint": "complainedRecipients",
    "Delivery": "recipients",
    "DeliveryDelay": "delayedRecipients",
}
"""The list of recipients in that object. For other words, or without the list, `mail.destination` counts."""

WITHOUT_RECIPIENT = ("Open", "Click", "Subscription")
WITH_OWN_TIME = (*RECIPIENTS, *WITHOUT_RECIPIENT)

LEFT_OUT = (
    *("timestamp", "messageId", "sendingAccountId", "destination", "tags"),
    *("headers", "headersTruncated", "commonHeaders"),
)
"""Fields of `mail` that are not in `extra`: those with a column, and the headers, which are content of the message."""


class SesEvent(Record, rename="camel"):
    """One event: `mail` describes the message, and one other object the event."""

    event_type: str | None = None
    notification_type: str | None = None
    mail: Part | None = None
    bounce: Part | None = None
    complaint: Part | None = None
    delivery: Part | None = None
    send: Part | None = None
    reject: Part | None = None
    open: Part | None = None
    click: Part | None = None
    failure: Part | None = None
    delivery_delay: Part | None = None
    subscription: Part | None = None


PART_ATTRIBUTES = frozenset(SesEvent.__struct_fields__) - {"event_type", "notification_type", "mail"}


def part_of(record: SesEvent, word: str) -> tuple[str, Part]:
    """Return name and fields of the object that describes the event; of an unknown word, the object of its name."""
    name = PARTS.get(word, word[:1].lower() + word[1:])
    if isinstance(unknown := record.other.get(name), dict):
        del record.other[name]
        return name, dict(unknown)
    attribute = "delivery_delay" if name == "deliveryDelay" else name
    return name, dict(getattr(record, attribute) or {}) if attribute in PART_ATTRIBUTES else {}


def time_of(name: str, part: Part) -> datetime:
    """Return `timestamp` of an object of this name. Raises RejectRecord."""
    value = part.get("timestamp")
    if not isinstance(value, str | int | float):
        raise RejectRecord(f"{name}.timestamp: missing")
    return fields.instant(f"{name}.timestamp", value)


def recipients_of(word: str, part: Part, mail: Part) -> list[tuple[str | None, Part]]:
    """Take the recipients out of the object; return each address with its own fields. Raises RejectRecord."""
    name = RECIPIENTS.get(word, "")
    listed = part.pop(name, None)
    if not isinstance(listed, list) or not listed:
        name, destination = "mail.destination", mail.get("destination")
        listed = destination if isinstance(destination, list) else [destination] if destination else []
        if word in WITHOUT_RECIPIENT and len(listed) != 1:
            return [(None, {})]
    if not listed:
        raise RejectRecord("mail.destination: missing")
    return [_recipient(name, entry) for entry in listed]


def _recipient(name: str, entry: object) -> tuple[str, Part]:
    own = dict(entry) if isinstance(entry, dict) else {"emailAddress": entry}
    address = fields.text(own.pop("emailAddress", None))
    if address is None:
        raise RejectRecord(f"{name}: an address is missing")
    return address, own


def code_of(word: str, part: Part) -> str | None:
    """Take the failure code out of the object and return it."""
    if word == "Bounce":
        return "/".join(fields.identifier(part.pop(name, None)) or "" for name in ("bounceType", "bounceSubType"))
    if word == "Complaint":
        code = fields.identifier(part.pop("complaintSubType", None)) or fields.identifier(
            part.pop("complaintFeedbackType", None)
        )
        return code and f"complaint/{code}"
    if word == "Reject":
        return f"reject/{fields.identifier(part.get('reason')) or ''}"
    if word == "Rendering Failure":
        return "failure"
    return fields.identifier(part.pop("delayType", None)) if word == "DeliveryDelay" else None


def reason_of(part: Part) -> str | None:
    """Take the text of the remote server or of SES out of the object and return it."""
    found = [fields.text(part.pop(name, None)) for name in ("diagnosticCode", "smtpResponse", "reason", "errorMessage")]
    return next(filter(None, found), None)


def preference_changes(part: Part) -> list[tuple[str | None, str | None]]:
    """Return scope and new status (OptIn, OptOut) of each changed preference of a subscription; of all topics if the
    earlier preferences are missing."""
    new, old = (_preferences(part.get(name)) for name in ("newTopicPreferences", "oldTopicPreferences"))
    if not new:
        return [(None, None)]
    everything = new.pop("global"), old.pop("global", "OptIn")
    if everything[0] != everything[1]:
        return [("global", everything[0])]
    return [(scope, status) for scope, status in new.items() if old.get(scope) != status]


def _preferences(preferences: object) -> dict[str | None, str | None]:
    """Return the status of each scope: `global` and `topic:<name>`; empty if there are no preferences."""
    if not isinstance(preferences, dict):
        return {}
    found: dict[str | None, str | None] = {"global": "OptOut" if preferences.get("unsubscribeAll") is True else "OptIn"}
    topics = preferences.get("topicSubscriptionStatus")
    for topic in topics if isinstance(topics, list) else ():
        if isinstance(topic, dict):
            name, status = (fields.identifier(topic.get(key)) for key in ("topicName", "subscriptionStatus"))
            found[f"topic:{name or ''}"] = status
    return found
