"""The common part of all feeds: typed decoding, limits of time, recipient, redaction, keys."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Generic, TypeVar

import msgspec

from waybill.feeds import fields
from waybill.feeds.base import Feed
from waybill.feeds.legs import leg_key, own_leg_key
from waybill.feeds.records import RECIPIENT, AccountNotice, Record, Sighting
from waybill.framing.raw_record import RawRecord
from waybill.model.bounds import check_bounds
from waybill.model.columns import Holds
from waybill.model.days import EPOCH
from waybill.model.errors import RejectRecord
from waybill.model.event import COLUMNS, Event, EventDraft
from waybill.model.identity import Keyring
from waybill.model.recipients import country_of, is_international, mailbox_provider_of, normalise_address
from waybill.model.redaction import Redactor
from waybill.model.vocabulary import ACCOUNT

EARLIEST = datetime(2005, 1, 1, tzinfo=UTC)
LATEST = datetime(2101, 1, 1, tzinfo=UTC)
CLOCK_AHEAD = timedelta(days=1)
AHEAD_OF_CLOCK = "time more than a day after its landing"
_decode_object = msgspec.json.Decoder(dict[str, object]).decode
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

RecordT = TypeVar("RecordT", bound=Record)


class TypedFeed(Feed, Generic[RecordT], is_base=True):
    """The base of feeds with records of one type."""

    record_type: type[RecordT]

    def sightings(self, record: RecordT) -> Iterable[Sighting]:
        """*feed*: return what one record says about events; empty if the record is ignored. Raises RejectRecord."""
        raise NotImplementedError

    def account_notice(self, record: RecordT) -> AccountNotice | None:
        """*feed, if it has such records*: return what a record says about the account at the provider."""
        return None

    def add_ids(
        self,
        sighting: Sighting,
        arguments: dict[str, object],
        campaigns: Sequence[tuple[object, str]] = (),
        template: object = None,
    ) -> None:
        """Fill dispatch id, campaign and template from the customer's arguments, which lose them; else from the
        provider's own fields.

        :param campaigns: values and sources of the campaign, the best first
        :param template: the provider's own template
        """
        options = self.options
        sighting.dispatch_id = fields.taken(arguments, options.dispatch_id_arguments)
        sighting.campaign_id, sighting.campaign_source = fields.first_sourced(
            (fields.taken(arguments, options.campaign_id_arguments), "custom_argument"), *campaigns
        )
        sighting.template_id, sighting.template_source = fields.first_sourced(
            (fields.taken(arguments, options.template_id_arguments), "custom_argument"), (template, "provider")
        )

    def decode(self, raw: RawRecord) -> RecordT:
        """Return the typed record of a raw one, with all other fields in `other`. Raises RejectRecord; the reason names
        the field, never the value."""
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
        record = self.decode(raw)
        if self.account_words and (notice := self.account_notice(record)) is not None:
            _check_time(notice.noticed_at, read_at)
            return []
        return [self._finish(sighting, account, read_at, keyring) for sighting in self.sightings(record)]

    def notice_of(self, raw: RawRecord) -> AccountNotice | None:
        return self.account_notice(self.decode(raw))

    def _finish(self, draft: Sighting, account: str, read_at: datetime, keyring: Keyring) -> Event:
        _check_time(draft.key_at, read_at)
        if draft.event_at is None:
            draft.event_at = draft.key_at
        else:
            _check_time(draft.event_at, read_at)
        draft.account = draft.account or account
        if not ACCOUNT.fullmatch(draft.account):
            raise RejectRecord("account: not 1 to 63 letters, digits, '_', '.' or '-'")
        draft.provider = self.provider
        draft.feed = self.slug
        draft.channel = draft.channel or self.channel
        check_bounds(draft)  # as written, so that no step below works on an address of megabytes
        redactor = self._identify(draft, keyring)
        identity: Sequence[str] = draft.identity
        texts = _texts_of(draft)
        if not redactor.is_clean("\n".join(filter(None, (*identity, *texts)))):
            ids = {}  # an id is part of keys in its stored form: the same with and without its recipient
            for (name, redact, is_identifier), text in zip(_REDACTED_COLUMNS, texts, strict=True):
                if text is not None and text.lower() not in self.kept_texts:
                    redacted = redact(redactor, text)
                    setattr(draft, name, redacted)
                    if is_identifier:
                        ids[text] = redacted
            identity = [
                part if part is RECIPIENT else ids[part] if part in ids else redactor.own_as_key(part)
                for part in identity
            ]
        trees = _trees_of(draft)
        if any(trees) and not redactor.is_clean_value(trees):
            for name, tree in zip(_TREES, trees, strict=True):
                setattr(draft, name, redactor.value(tree) or None)
        check_bounds(draft)  # as stored: a normalised or redacted text may be longer
        if RECIPIENT in identity:
            identity = [redactor.key_hex if part is RECIPIENT else part for part in identity]
        at_milliseconds = (draft.key_at - EPOCH) // MILLISECOND
        draft.event_key = keyring.event_key(at_milliseconds, draft.account, self.provider, identity)
        event = self.derive(draft, keyring)
        event.own_leg_key = own_leg_key(event, draft.own_message_id, keyring)
        event.leg_key = leg_key(event, keyring)
        return event

    def _identify(self, draft: EventDraft, keyring: Keyring) -> Redactor:
        """Set the recipient, its key, mailbox provider and country; return the redactor for the recipient."""
        written = draft.recipient
        if written is None:
            return Redactor(draft.account, keyring)
        draft.recipient = normalise_address(draft.channel, written)
        draft.recipient_key = keyring.recipient_key(draft.account, draft.recipient)
        if draft.channel == "email":
            draft.mailbox_provider = mailbox_provider_of(draft.recipient)
        elif is_international(written):
            draft.country = country_of(draft.recipient)
        return Redactor(draft.account, keyring, written, draft.recipient, draft.recipient_key.hex())


def _check_time(at: datetime, read_at: datetime) -> None:
    if not EARLIEST <= at < LATEST:
        raise RejectRecord("time outside 2005-2100")
    if at > read_at + CLOCK_AHEAD:
        raise RejectRecord(AHEAD_OF_CLOCK, acceptable_at=at - CLOCK_AHEAD)
