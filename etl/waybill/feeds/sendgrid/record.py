"""The content of SendGrid events: the fields of each event word, the customer's arguments, and fixed texts.

Source: Event Webhook reference (twilio.com/docs/sendgrid/for-developers/tracking-events/event), read in 2026.

Custom arguments are beside SendGrid's own fields, and customers use names such as `type`, `status` or `reason`, too. So
a field is read only for the words that have it; for every other word it is an argument of the customer.
"""

import msgspec

from waybill.feeds.records import Record

EVERY_WORD = (
    "email",
    "timestamp",
    "event",
    "sg_event_id",
    "sg_message_id",
    "smtp-id",
    "category",
    "singlesend_id",
    "marketing_campaign_id",
    "sg_template_id",
    "unique_args",
    "custom_args",
)

FIELDS_OF_WORD: dict[str, tuple[str, ...]] = {
    "processed": (),
    "deferred": ("response", "ip"),
    "delivered": ("response", "ip"),
    "bounce": ("type", "bounce_classification", "status", "reason", "ip"),
    "dropped": ("reason",),
    "cancel_drop": ("reason",),
    "open": ("ip", "useragent", "sg_machine_open"),
    "click": ("ip", "useragent", "sg_machine_open", "url", "url_offset"),
    "spamreport": (),
    "unsubscribe": (),
    "group_unsubscribe": ("ip", "useragent", "url", "asm_group_id"),
    "group_resubscribe": ("ip", "useragent", "url", "asm_group_id"),
    "account_status_change": ("type",),
}
"""Fields that become columns, beside EVERY_WORD. `attempt`, `tls`, `pool` and `domain` have no column: they are stored
in `extra`, like the customer's arguments."""

ACCOUNT_WORDS = ("account_status_change",)
"""Events about the sender's account at SendGrid, without a recipient. `type` says what happened to the account."""

DROP_REASONS = frozenset(
    (
        "invalid smtpapi header",
        "spam content",
        "unsubscribed address",
        "bounced address",
        "spam reporting address",
        "invalid",
        "recipient list over package quota",
    )
)
"""SendGrid's reasons of a drop, in lower case."""


class SendgridEvent(Record):
    """One event. A field of type `object` is read if it has the documented type, else it counts as absent."""

    event: str | None = None
    timestamp: int | float | str | None = None
    email: str | None = None
    sg_message_id: object = None
    smtp_id: object = msgspec.field(name="smtp-id", default=None)
    sg_event_id: object = None
    category: object = None
    sg_template_id: object = None
    singlesend_id: object = None
    marketing_campaign_id: object = None
    unique_args: object = None
    custom_args: object = None
    reason: object = None
    response: object = None
    status: object = None
    type: object = None
    bounce_classification: object = None
    ip: object = None
    useragent: object = None
    url: object = None
    url_offset: object = None
    asm_group_id: object = None
    sg_machine_open: object = None


def arguments_of(record: SendgridEvent) -> dict[str, object]:
    """Return the customer's arguments and SendGrid's fields without a column; the top level wins over nested ones."""
    arguments = record.other
    if record.unique_args is record.custom_args is None:
        return arguments
    for name, nested in (("unique_args", record.unique_args), ("custom_args", record.custom_args)):
        if isinstance(nested, dict):
            arguments = {**nested, **arguments}
        elif nested is not None:
            arguments[name] = nested
    return arguments
