"""The base of every feed: what a feed declares, and everything that is the same for all of them.

A feed is one stream of one provider: a file of pure functions with no clock, socket, environment or state. It says
what its records look like and what one record means (`sightings`) and how derived columns follow from copied ones
(`classify`). This class owns the rest: typed decoding, limits of time, recipient, redaction, keys.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from copy import copy
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import BinaryIO, ClassVar

import msgspec

from waybill.feeds.legs import gateway_leg_key, leg_key, own_leg_key
from waybill.feeds.options import FeedOptions
from waybill.feeds.records import RECIPIENT, AccountNotice, Record, Sighting
from waybill.framing.raw_record import RawRecord
from waybill.model import failures
from waybill.model.bounds import check_bounds
from waybill.model.columns import Holds
from waybill.model.errors import RejectRecord
from waybill.model.event import COLUMNS, Event
from waybill.model.identity import Keyring
from waybill.model.machine_rules import machine_rule
from waybill.model.providers import PROVIDERS
from waybill.model.recipients import country_of, is_international, mailbox_provider_of, normalise_address
from waybill.model.redaction import Redactor
from waybill.model.vocabulary import ACCOUNT, DISPATCH, ENGAGEMENT_EVENTS

EARLIEST = datetime(2005, 1, 1, tzinfo=UTC)
LATEST = datetime(2101, 1, 1, tzinfo=UTC)
CLOCK_AHEAD = timedelta(days=1)
AHEAD_OF_CLOCK = "time more than a day after its landing"
_decode_object = msgspec.json.Decoder(dict[str, object]).decode
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

_REDACT = {
    Holds.IDENTIFIER: Redactor.identifier,
    Holds.LABEL: Redactor.label,
    Holds.CODE: Redactor.code,
    Holds.TEXT: Redactor.text,
}
_REDACTED_COLUMNS = [
    (name, _REDACT[column.holds], column.holds is Holds.IDENTIFIER)
    for name, column in COLUMNS.items()
    if column.holds in _REDACT
]
_texts_of = attrgetter(*(name for name, _, _ in _REDACTED_COLUMNS))
_TREES = [name for name, column in COLUMNS.items() if column.holds is Holds.TREE]
_trees_of = attrgetter(*_TREES)


class Feed:
    """Subclasses set the class attributes and the three methods marked *feed*; nothing else."""

    slug: ClassVar[str]
    title: ClassVar[str]
    provider: ClassVar[str]
    channel: ClassVar[str]  # "all" where the record says which
    kind: ClassVar[str]  # "api" or "files"
    credentials: ClassVar[tuple[str, ...]]  # names of settings; empty for files
    lateness: ClassVar[timedelta]  # how far back each run re-reads
    rules_version: ClassVar[int]  # raise it whenever a derived column may come out otherwise
    identity_since: ClassVar[int] = 1  # the first rules version under which keys are what they are now
    record_type: ClassVar[type[Record]]
    event_types: ClassVar[dict[str | None, str]]
    reasons_from: ClassVar[tuple[str, ...]] = failures.COLUMNS  # columns that tell why it failed
    kept_texts: ClassVar[frozenset[str]] = frozenset()  # the provider's own, in lower case: they name nobody
    account_words: ClassVar[tuple[str, ...]] = ()  # about the account at the provider: no event, shown by `status`
    options = FeedOptions()

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all fields that the feed reads, as records have them."""
        return tuple(field.encode_name for field in msgspec.structs.fields(self.record_type))

    def with_options(self, options: FeedOptions) -> Feed:
        """This feed, reading records as an installation wants it."""
        configured = copy(self)
        configured.options = options
        return configured

    def records(self, stream: BinaryIO) -> Iterator[RawRecord]:
        """*feed*: the records of one landed object, in order; blank lines are none."""
        raise NotImplementedError

    def sightings(self, record: Record) -> Iterable[Sighting]:
        """*feed*: what one typed record tells; none: the record is ignored. Raises RejectRecord."""
        raise NotImplementedError

    def fields_of(self, values: dict[str, object]) -> Collection[str]:
        """*feed, where it depends on the record*: names of the fields that such a record has at the provider. A field
        of another name is the customer's, also where other records of the provider have it."""
        return self._known_fields

    def account_notice(self, record: Record) -> AccountNotice | None:
        """*feed, where it has such records*: what one says about the account at the provider. It tells no event."""
        return None

    def classify(self, event: Event) -> None:
        """*feed*: fill event_type, failure_class, failure_reason, not_sent_category from the copied columns of a merged
        event, and from nothing else."""
        raise NotImplementedError

    def __init_subclass__(cls, is_base: bool = False) -> None:
        if is_base:
            return
        missing = [
            name for base in cls.__mro__ for name in getattr(base, "__annotations__", ()) if not hasattr(cls, name)
        ]
        if missing:
            raise TypeError(f"{cls.__module__}.{cls.__name__} must set {', '.join(missing)}")
        cls._known_fields = frozenset(field.encode_name for field in msgspec.structs.fields(cls.record_type))

    def decode(self, raw: RawRecord) -> Record:
        """The typed record of a raw one; what is no field of such a record is in its `other`. Raises RejectRecord;
        its reason names the field, never the value."""
        if raw.problem is not None:
            raise RejectRecord(raw.problem)
        try:
            values = raw.value if raw.value is not None else _decode_object(raw.raw)
            names = self.fields_of(values)
            other = {name: value for name, value in values.items() if name not in names}
            if names is not self._known_fields and not self._known_fields.isdisjoint(other):
                values = {name: value for name, value in values.items() if name in names}
            record = msgspec.convert(values, self.record_type)
        except msgspec.ValidationError as error:
            raise RejectRecord(f"mistyped: {error}") from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise RejectRecord("not JSON") from None
        except RecursionError:
            raise RejectRecord("nested too deeply") from None
        record.other = other
        return record

    def normalise(self, raw: RawRecord, account: str, read_at: datetime, keyring: Keyring) -> list[Event]:
        """The canonical events of one record, all of them or none; an empty list: the record is ignored.

        :param account: account of the feed; a record may name another (dispatch log)
        :param read_at: aware time, the later of the object's landing and this reading; no event may lie more than a
            day ahead of it. What is ahead today is not in a few days, so a later reading takes the same or more
        :raises RejectRecord: with a reason that holds no value of a person
        """
        record = self.decode(raw)
        if self.account_words and (notice := self.account_notice(record)) is not None:
            _check_time(notice.noticed_at, read_at)
            return []
        return [self._finish(sighting, account, read_at, keyring) for sighting in self.sightings(record)]

    def verdict(self, event: Event) -> failures.Verdict:
        """Why a (merged) event failed, by the table of reasons."""
        told = (getattr(event, name) if name in self.reasons_from else None for name in failures.COLUMNS)
        return failures.verdict(self.provider, *told)

    def derive(self, event: Event, keyring: Keyring) -> Event:
        """Fill the derived columns of a (merged) event, by the rules of this release."""
        self.classify(event)
        event.machine_rule = machine_rule(event.user_agent) if event.event_type in ENGAGEMENT_EVENTS else None
        event.named_leg_key = None
        gateway = PROVIDERS.get(event.gateway or "")
        if event.provider == DISPATCH and gateway is not None and event.provider_message_id:
            event.named_leg_key = gateway_leg_key(event, event.gateway, keyring)
        return event

    def _finish(self, sighting: Sighting, account: str, read_at: datetime, keyring: Keyring) -> Event:
        event = sighting.event
        _check_time(event.event_at, read_at)
        if sighting.key_at is not event.event_at:
            _check_time(sighting.key_at, read_at)
        event.account = event.account or account
        if not ACCOUNT.fullmatch(event.account):
            raise RejectRecord("account: not 1 to 63 letters, digits, '_', '.' or '-'")
        event.provider = self.provider
        event.feed = self.slug
        if event.channel is None:
            event.channel = self.channel
        check_bounds(event)  # as written, so that nothing works on an address of megabytes
        redactor = self._identify(event, keyring)
        identity = sighting.identity
        texts = _texts_of(event)
        if not redactor.is_clean("\n".join(filter(None, (*identity, *texts)))):
            ids = {}  # an id enters keys as it is stored: the same with its recipient beside it and without
            for (name, redact, is_identifier), text in zip(_REDACTED_COLUMNS, texts, strict=True):
                if text is not None and text.lower() not in self.kept_texts:
                    redacted = redact(redactor, text)
                    setattr(event, name, redacted)
                    if is_identifier:
                        ids[text] = redacted
            identity = [
                part if part is RECIPIENT else ids[part] if part in ids else redactor.own_as_key(part)
                for part in identity
            ]
        trees = _trees_of(event)
        if any(trees) and not redactor.is_clean_value(trees):
            for name, tree in zip(_TREES, trees, strict=True):
                setattr(event, name, redactor.value(tree) or None)
        check_bounds(event)  # as stored: a normalised or redacted text may be longer
        if RECIPIENT in identity:
            identity = [event.recipient_key.hex() if part is RECIPIENT else part for part in identity]
        at_milliseconds = (sighting.key_at - EPOCH) // MILLISECOND
        event.event_key = keyring.event_key(at_milliseconds, event.account, self.provider, identity)
        event.own_leg_key = own_leg_key(event, sighting.own_message_id, keyring)
        if sighting.leg:
            event.leg_key = leg_key(event, keyring)
        return self.derive(event, keyring)

    def _identify(self, event: Event, keyring: Keyring) -> Redactor:
        """Set recipient, its key, mailbox provider and country; return the redactor that knows the recipient."""
        written = event.recipient
        if written is None:
            return Redactor(None, None, None, event.account, keyring)
        event.recipient = normalise_address(event.channel, written)
        event.recipient_key = keyring.recipient_key(event.account, event.recipient)
        if event.channel == "email":
            event.mailbox_provider = mailbox_provider_of(event.recipient)
        elif is_international(written):
            event.country = country_of(event.recipient)
        return Redactor(written, event.recipient, event.recipient_key.hex(), event.account, keyring)


def _check_time(at: datetime, read_at: datetime) -> None:
    if not EARLIEST <= at < LATEST:
        raise RejectRecord("time outside 2005-2100")
    if at > read_at + CLOCK_AHEAD:
        raise RejectRecord(AHEAD_OF_CLOCK, acceptable_at=at - CLOCK_AHEAD)
