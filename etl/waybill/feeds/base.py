"""What callers know of a feed.

A feed is one stream of one provider: pure functions without clock, socket, environment or state. It declares the type
of its records, what one record means (`sightings`), and how derived columns follow from copied ones (`classify`).
`TypedFeed` does the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from copy import copy
from datetime import datetime, timedelta
from typing import BinaryIO, ClassVar

import msgspec

from waybill.feeds import failures
from waybill.feeds.legs import gateway_leg_key
from waybill.feeds.options import FeedOptions
from waybill.feeds.providers import MESSAGE_IDS
from waybill.feeds.records import AccountNotice, Record
from waybill.framing.raw_record import RawRecord
from waybill.model.event import Event, EventDraft, finished
from waybill.model.identity import Keyring
from waybill.model.machine_rules import machine_rule
from waybill.model.vocabulary import DISPATCH, ENGAGEMENT_EVENTS


class Feed:
    """What callers know of a feed. Feeds derive from `TypedFeed`, and set the class attributes and the methods marked
    *feed*; nothing else."""

    slug: ClassVar[str]
    title: ClassVar[str]
    provider: ClassVar[str]
    channel: ClassVar[str]  # "all" if each record names its channel
    kind: ClassVar[str]  # "api" or "files"
    credentials: ClassVar[tuple[str, ...]]  # names of settings; empty for files
    lateness: ClassVar[timedelta]  # how far back each run re-reads
    rules_version: ClassVar[int]  # raise it whenever a derived column may change
    identity_since: ClassVar[int] = 1  # the first rules version with the present keys
    record_type: type[Record]
    nested_fields: ClassVar[tuple[str, ...]] = ()  # read in an object of the record that the type does not describe
    event_types: ClassVar[dict[str | None, str]]
    reasons_from: ClassVar[tuple[str, ...]] = failures.COLUMNS  # columns that say why it failed
    kept_texts: ClassVar[frozenset[str]] = frozenset()  # the provider's own, in lower case, never redacted
    ignored_words: ClassVar[tuple[str, ...]] = ()  # no event: not about a message that was sent
    account_words: ClassVar[tuple[str, ...]] = ()  # about the account at the provider: no event, shown by `status`
    _known_fields: ClassVar[frozenset[str]] = frozenset()
    options = FeedOptions()

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all fields that the feed reads, as in the records."""
        return (*(field.encode_name for field in msgspec.structs.fields(self.record_type)), *self.nested_fields)

    def with_options(self, options: FeedOptions) -> Feed:
        """Return this feed with the options of an installation."""
        configured = copy(self)
        configured.options = options
        return configured

    def records(self, stream: BinaryIO) -> Iterator[RawRecord]:
        """*feed*: yield the records of one landed object in order, without blank lines."""
        raise NotImplementedError

    def fields_of(self, values: dict[str, object]) -> Collection[str]:
        """*feed, if they differ between records*: return the names of the provider's fields in such a record. All other
        fields are the customer's, even if other records of the provider have them."""
        return self._known_fields

    def classify(self, event: EventDraft) -> None:
        """*feed*: fill event_type, failure_class, failure_reason and not_sent_category from the copied columns of a
        merged event, and from nothing else."""
        raise NotImplementedError

    def normalise(self, raw: RawRecord, account: str, read_at: datetime, keyring: Keyring) -> list[Event]:
        """Return the canonical events of one record, all or none; an empty list if the record is ignored.

        :param account: account of the feed; a record may name another (dispatch log)
        :param read_at: aware time, the later of the object's landing and this reading. Events more than a day later are
            rejected; a later reading accepts the same events or more
        :raises RejectRecord: with a reason that contains no value of a person
        """
        raise NotImplementedError

    def notice_of(self, raw: RawRecord) -> AccountNotice | None:
        """Return what a record without events says about the account at the provider. Raises RejectRecord."""
        raise NotImplementedError

    def verdict(self, event: EventDraft) -> failures.Verdict:
        """Return why a (merged) event failed, by the table of reasons."""
        given = (getattr(event, name) if name in self.reasons_from else None for name in failures.COLUMNS)
        return failures.verdict(self.provider, *given)

    def derive(self, draft: EventDraft, keyring: Keyring) -> Event:
        """Return the finished event of (merged) copied columns, derived by the rules of this release."""
        self.classify(draft)
        event = finished(draft)
        event.machine_rule = machine_rule(event.user_agent) if event.event_type in ENGAGEMENT_EVENTS else None
        event.named_leg_key = None
        if event.provider == DISPATCH and event.gateway in MESSAGE_IDS:
            event.named_leg_key = gateway_leg_key(event, event.gateway, keyring)
        return event

    def __init_subclass__(cls, is_base: bool = False) -> None:
        super().__init_subclass__()
        if is_base:
            return
        missing = [
            name for base in cls.__mro__ for name in getattr(base, "__annotations__", ()) if not hasattr(cls, name)
        ]
        if missing:
            raise TypeError(f"{cls.__module__}.{cls.__name__} must set {', '.join(missing)}")
        cls._known_fields = frozenset(field.encode_name for field in msgspec.structs.fields(cls.record_type))
