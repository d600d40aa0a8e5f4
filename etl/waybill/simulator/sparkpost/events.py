"""SparkPost's events, as its webhooks post them and its Events API lists them."""

from collections.abc import Sequence

from waybill.simulator.email.sheet import Event, Failure, Fields, Sent, Sheet
from waybill.simulator.message import Message

_ENVELOPES = {
    "open": "track_event",
    "click": "track_event",
    "initial_open": "track_event",
    "list_unsubscribe": "unsubscribe_event",
    "link_unsubscribe": "unsubscribe_event",
    "generation_failure": "gen_event",
}
"""Word to the envelope of its event; of other words, `message_event`."""


def _bounce(failure_class: str, failure_reason: str, code: str, text: str, word: str = "bounce") -> Failure:
    """Returns a failure; `code` is its bounce class."""
    event_type = "dropped" if failure_class == "gateway_suppressed" else "bounced"
    return Failure(failure_class, failure_reason, code, event_type, word, text, {"bounce_class": code})


_FAILURES = {
    "address": _bounce("invalid", "address_not_found", "10", "550 5.1.1 user unknown"),
    "no_recipient": _bounce("hard_bounce", "address_not_found", "30", "550 no such recipient here"),
    "dns": _bounce("soft_bounce", "dns_failure", "21", "554 5.4.4 the name was not found"),
    "mailbox_full": _bounce("soft_bounce", "mailbox_full", "22", "552 5.2.2 mailbox full"),
    "too_large": _bounce("soft_bounce", "message_too_large", "23", "552 5.3.4 too large"),
    "timed_out": _bounce("soft_bounce", "timed_out", "24", "the session had no answer"),
    "blocked": _bounce("blocked", "ip_blocked", "51", "550 not accepted from here"),
    "content": _bounce("blocked", "content_rejected", "52", "554 not accepted"),
    "unclear": _bounce("unknown", "unclassified", "1", "554 transaction failed"),
    "out_of_band": _bounce("invalid", "address_not_found", "10", "550 5.1.1 user unknown", "out_of_band"),
    "policy": _bounce("gateway_suppressed", "policy_rejected", "25", "550 not accepted", "policy_rejection"),
    "generation": Failure(
        *("gateway_suppressed", "invalid_request", "generation_failure", "dropped", "generation_failure"),
        text="the template has an error",
        fields={},
    ),
}


def _new_message_id(message: Message) -> str:
    return f"73{message.random.randrange(10**17):017d}"


def _event(sent: Sent, event: Event) -> Fields:
    random, failure = sent.message.random, event.failure
    fields: Fields = {
        "type": event.word,
        "event_id": str(random.getrandbits(62)),
        "timestamp": str(int(event.at.timestamp())),
        "customer_id": "42",
        "transmission_id": sent.message_id,
        "message_id": f"65a1{sent.message_id[2:]}",
        "campaign_id": sent.message.campaign.id,
        "rcpt_to": sent.email,
        "raw_rcpt_to": sent.email,
        "recipient_domain": sent.email.rpartition("@")[2],
        "rcpt_meta": dict(sent.arguments),
        "rcpt_tags": sent.tags,
        "subject": "News",
        "friendly_from": sent.sender,
        "msg_size": "1337",
        "num_retries": "0",
    }
    if failure:
        return {**fields, **failure.fields, "error_code": failure.text[:3], "raw_reason": failure.text}
    if event.event_type == "deferred":
        return {**fields, "bounce_class": "20", "error_code": "451", "raw_reason": "451 4.7.1 try again later"}
    if event.program is None:
        return fields
    fields |= {"ip_address": event.ip, "user_agent": event.program}
    if event.url:
        return {**fields, "target_link_url": event.url, "target_link_name": "offer"}
    return {**fields, "user_agent_parsed": {"is_proxy": event.is_machine, "is_prefetched": event.is_machine}}


def _posted(event: Fields) -> Fields:
    return {"msys": {_ENVELOPES.get(str(event["type"]), "message_event"): event}}


def _beside(sent: Sent, event: Event) -> Sequence[Fields]:
    """Returns the second pixel of an open, which reports the same view."""
    return [_event(sent, event._replace(word="initial_open"))] if event.event_type == "opened" else ()


SPARKPOST = Sheet(
    slug="sparkpost",
    feed="sparkpost_webhooks",
    words={
        "processed": "injection",
        "deferred": "delay",
        "delivered": "delivery",
        "opened": "open",
        "clicked": "click",
        "spam_reported": "spam_complaint",
        "unsubscribed": "link_unsubscribe",
    },
    failures=_FAILURES,
    late_kind="out_of_band",
    new_message_id=_new_message_id,
    event=_event,
    posted=_posted,
    beside=_beside,
    flagged=("opened",),
    has_tags=True,
    has_campaign=True,
    has_fractions=False,
)
