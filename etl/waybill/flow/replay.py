"""Replay: stage, validate and publish landed objects again after a mapping changed."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from psycopg2.extensions import connection as Connection  # noqa: N812

from waybill.feeds import FEEDS
from waybill.feeds.base import Feed
from waybill.flow.accounts import check_known
from waybill.flow.results import Loaded, loaded
from waybill.flow.steps import prepare, publish_load, stage_load, validate_load
from waybill.ledger.objects import RecordedObject
from waybill.load.publish import KeyRange, OvertakenError, objects_of_range
from waybill.model.counted import counted
from waybill.model.days import EPOCH
from waybill.model.errors import UsageError
from waybill.model.identity import key_floor
from waybill.model.vocabulary import DISPATCH
from waybill.warehouse.connection import Warehouse

ATTEMPTS = 5
"""How often a replay starts, because other loads published objects of its range meanwhile."""


log = logging.getLogger("waybill.flow")


def replay(
    warehouse: Warehouse,
    feed: Feed,
    from_at: datetime,
    until_at: datetime,
    account: str | None = None,
) -> list[Loaded]:
    """Derive the events of the feed's provider with from_at <= time in the key < until_at again from landed objects.

    Every landed object with keys of the range is read again. Events that no object reports any more are removed. All
    feeds of the provider are replayed, because they report the same events.

    :raises UsageError: an unknown account, or an empty range
    """
    if from_at.tzinfo is None or until_at.tzinfo is None:
        raise UsageError("--from and --until need a time zone: add Z or +02:00.")
    if until_at <= from_at:
        raise UsageError(f"--until {until_at.isoformat()} must be later than --from {from_at.isoformat()}.")
    first, until = (key_floor((at - EPOCH) // timedelta(milliseconds=1)) for at in (from_at, until_at))
    slugs = [other.slug for other in FEEDS.values() if other.provider == feed.provider]
    done = []
    with warehouse.connected(f"replay:{feed.slug}") as connection:
        prepare(connection, warehouse.settings, [FEEDS[slug] for slug in slugs])
        owner = None if feed.provider == DISPATCH else account
        with connection, connection.cursor() as cursor:
            if account is not None:
                check_known(cursor, warehouse.settings, account)
            objects = objects_of_range(cursor, KeyRange(owner, feed.provider, first, until))
        for owner in _owners(objects, feed.provider):
            replaced = KeyRange(owner, feed.provider, first, until)
            done.append(_replay_range(connection, warehouse, feed, replaced))
    return done


def _replay_range(connection: Connection, warehouse: Warehouse, feed: Feed, replaced: KeyRange) -> Loaded:
    """Replay one range. Starts again if other loads of it were published meanwhile; raises OvertakenError at last."""
    for attempt in range(1, ATTEMPTS + 1):
        with connection, connection.cursor() as cursor:
            objects = objects_of_range(cursor, replaced)
        of = counted(len(objects), "object", "objects")
        about = {"feed": feed.slug, "account": replaced.account, "object_count": len(objects)}
        log.info("replay %s %s: %s", feed.slug, replaced.account or "all accounts", of, extra=about)
        load_id = stage_load(connection, warehouse, feed, objects, "replay", account=replaced.account)
        validate_load(connection, warehouse, load_id)
        try:
            published = publish_load(connection, warehouse, load_id, replaced)
            for complaint in published.held_back:
                log.info("still held back: %s", complaint, extra={"load_id": load_id, **about})
            return loaded(connection, load_id, published)
        except OvertakenError as error:
            if attempt == ATTEMPTS:
                raise
            log.info("%s", error, extra={"load_id": load_id, **about})
    raise AssertionError("unreachable: the last attempt returns or raises")


def _owners(objects: Sequence[RecordedObject], provider: str) -> list[str | None]:
    """Return the accounts that are replayed one by one; None for all together, because an object of a dispatch log may
    contain rows of several accounts."""
    if provider == DISPATCH:
        return [None] if objects else []
    return [*sorted({o.landed.account for o in objects})]
