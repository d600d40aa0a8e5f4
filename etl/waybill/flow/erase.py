"""Erase: removes the clear addresses of people, and keeps everything that counts.

The order makes a killed erase safe to repeat. First the keys of the people are noted, in one transaction with the
removal of their addresses: from then on no load stores them. Then rejected records, staging tables and landed objects
are searched and rewritten, each in one step. A repeated erase searches everything again, and finds what is left.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from waybill.feeds import FEEDS
from waybill.feeds.base import Feed
from waybill.landing.objects import LandedObject, landed_objects, mask_source, source_of
from waybill.landing.rewritten import ErasedRecord, Record, records_of, rewrite
from waybill.ledger import erasures, loads
from waybill.model.errors import RejectRecord, SourceError, UsageError
from waybill.model.event import Event
from waybill.model.identity import Keyring
from waybill.model.mentions import Wanted
from waybill.model.recipients import normalise_address
from waybill.model.vocabulary import DISPATCH
from waybill.settings import Settings
from waybill.warehouse.connection import Warehouse

log = logging.getLogger("waybill.flow")


@dataclass
class Erased:
    """What an erase removed, or would remove.

    :ivar recipient_count: clear addresses in private.recipient
    :ivar rejected_count: rejected records whose bytes contain one of the people
    :ivar object_count: landed objects that were rewritten
    :ivar searched_count: landed objects that were searched
    :ivar event_count: events of facts whose texts still contain one of the people; a replay redacts them
    :ivar unread: landed objects that could not be searched, and why
    """

    recipient_count: int = 0
    rejected_count: int = 0
    object_count: int = 0
    searched_count: int = 0
    event_count: int = 0
    unread: list[str] = field(default_factory=list)


def erase(
    warehouse: Warehouse, recipients: Sequence[str], account: str | None = None, is_dry_run: bool = False
) -> Erased:
    """Remove people from recipients, rejected records, staging tables and landed objects.

    Events, keys and counts stay, also after a replay.

    :param recipients: addresses and numbers, in any spelling; empty: everybody who was erased before
    :param account: only in this account; None: in all
    :raises UsageError: a recipient is empty or is several addresses; the message does not contain it
    """
    found = Erased()
    keyring = warehouse.settings.keyring
    with warehouse.connected("erase") as connection:
        with connection, connection.cursor() as cursor:
            loads.check_key(cursor, keyring)
            accounts = erasures.accounts(cursor) if account is None else [account]
            new = {
                keyring.recipient_key(owner, form): owner
                for recipient in recipients
                for form in _forms_of(recipient)
                for owner in accounts
            }
            found.recipient_count = erasures.recipient_count(cursor, new)
            if not is_dry_run:
                erasures.note(cursor, new)
            wanted = Wanted(keyring, new) if recipients else erasures.everybody(cursor, keyring)
        if not is_dry_run:
            erasures.clear_staging(connection, wanted)
        found.rejected_count = erasures.clear_rejected(connection, wanted, is_dry_run)
        for landed in landed_objects(warehouse.settings.landing_url):
            if landed.account in wanted.accounts or _may_hold_others(landed):
                found.searched_count += 1
                try:
                    found.object_count += _erase_from(warehouse.settings, landed, wanted, is_dry_run)
                except SourceError as error:
                    found.unread.append(str(error))
        found.event_count = erasures.event_count(connection, wanted)
    return found


def _forms_of(recipient: str) -> set[str]:
    """Return a recipient as an email address and as a number: only its channel says which it is."""
    try:
        forms = {normalise_address(channel, recipient) for channel in ("email", "sms")}
    except RejectRecord as rejection:
        raise UsageError(f"One of the recipients cannot be erased: {rejection.reason}. Nothing was erased.") from None
    return {form for form in forms if form}


def _may_hold_others(landed: LandedObject) -> bool:
    """Whether an object may contain rows of accounts other than its own."""
    return landed.feed in FEEDS and FEEDS[landed.feed].provider == DISPATCH


def _erase_from(settings: Settings, landed: LandedObject, wanted: Wanted, is_dry_run: bool) -> bool:
    """Rewrite a landed object if a record of it contains one of the people; return whether one does."""
    if landed.feed not in FEEDS:
        raise SourceError(f"{landed.path} is of a feed that this release does not have.")
    feed = FEEDS[landed.feed].with_options(settings.feed_options)
    search = Search(feed, landed, settings.keyring, wanted)
    records = records_of(settings.landing_url, landed, feed)
    is_found = any(search.erased(record) is not record for record in records)
    if is_found and not is_dry_run:
        records = records_of(settings.landing_url, landed, feed)
        rewrite(settings.landing_url, landed, map(search.erased, records))
    name = (landed.source or landed.request or "").encode()
    # A file name may join an address to other characters (`ana@inbox.example.csv`), so no address stays in one.
    if wanted.are_in(name, "", [landed.account]) or (landed.source is not None and landed.source != source_of(landed)):
        is_found = True
        if not is_dry_run:
            mask_source(settings.landing_url, landed)
    if is_found:
        log.info("%s: %s", landed.path, "would be rewritten" if is_dry_run else "rewritten")
    return is_found


class Search:
    """Searches the records of one landed object, and returns what is kept of them."""

    def __init__(self, feed: Feed, landed: LandedObject, keyring: Keyring, wanted: Wanted) -> None:
        self._feed = feed
        self._landed = landed
        self._keyring = keyring
        self._wanted = wanted
        self._owners = wanted.accounts if _may_hold_others(landed) else [landed.account]
        self._read_at = max(landed.landed_at, datetime.now(UTC))

    def erased(self, record: Record) -> Record:
        """Return what is kept of a record; the record itself if it contains nobody."""
        if isinstance(record, ErasedRecord):
            if not any(self._is_wanted(event) for event in record.events):
                return record
            for event in record.events:
                event.recipient = None if event.recipient_key in self._wanted.keys else event.recipient
            return ErasedRecord(record.position, record.events)
        events: list[Event] = []
        rejection = None
        try:
            events = self._feed.normalise(record, self._landed.account, self._read_at, self._keyring)
        except RejectRecord as error:
            rejection = error
        accounts = {event.account for event in events} or self._owners
        is_named = any(event.recipient_key in self._wanted.keys for event in events)
        if not (is_named or self._wanted.are_in(record.raw, record.value, accounts)):
            return record
        if rejection is not None:
            sha256 = erasures.hash_of(self._keyring, self._landed.account, record.raw)
            return ErasedRecord(
                record.position, reason=rejection.reason, acceptable_at=rejection.acceptable_at, sha256=sha256
            )
        for event in events:
            if event.recipient_key in self._wanted.keys:
                event.recipient = None
        return ErasedRecord(record.position, events, None if events else self._feed.notice_of(record))

    def _is_wanted(self, event: Event) -> bool:
        return event.recipient is not None and event.recipient_key in self._wanted.keys
