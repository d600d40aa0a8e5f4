"""Why messages did not join: hand-overs without an event of the gateway, and messages of a gateway that are missing
from the dispatch log.

Loads count them in `fact.join_count`. This module computes their share, and finds examples and the likely cause from
samples of bounded size.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

import msgspec
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.feeds import FEEDS
from waybill.model.vocabulary import DISPATCH
from waybill.reports.id_forms import difference
from waybill.warehouse.queries import records, sql_of

DAYS = 30
"""How many of the newest days with messages that should join are used for shares and warnings."""

UNJOINED_AT_LEAST = 20
"""Up to this number, unjoined messages cause no warning, whatever their share is."""

SAMPLE = 2_000
"""How many messages of each side are compared."""

EXAMPLES = 5
UNSEEN = "handed_over_unseen"
UNDISPATCHED = "gateway_message_undispatched"


class Share(msgspec.Struct, kw_only=True):
    """The share of messages of one account and gateway that did not join, in the last DAYS days with messages.

    :ivar kind: UNSEEN or UNDISPATCHED
    :ivar count: number of messages that did not join
    :ivar of_count: number of messages that should have joined
    :ivar share: count / of_count
    :ivar from_day: the first UTC day of these
    :ivar newest_day: the last UTC day with such a message
    :ivar is_warning: whether on the days that are due, more than UNJOINED_AT_LEAST messages, and more than
        UNJOINED_CEILING allows, did not join
    """

    account: str
    feed: str
    channel: str
    gateway: str
    kind: str
    count: int
    of_count: int
    share: float
    from_day: date
    newest_day: date
    is_warning: bool

    def __str__(self) -> str:
        share = f"{self.count:,} of {self.of_count:,} ({100 * self.share:.1f} %) since {self.from_day}"
        if self.kind == UNSEEN:
            return f"handed over to {self.gateway} and never seen by it ({self.channel}): {share}"
        return f"messages of {self.gateway} without a row in the dispatch log ({self.channel}): {share}"


class _Counts(NamedTuple):
    """A row of sql/joins/shares.sql."""

    account: str
    feed: str
    channel: str
    gateway: str
    from_day: date
    unseen_day: date | None
    handed_over: int
    handed_over_unseen: int
    undispatched_day: date | None
    gateway_message: int
    gateway_message_undispatched: int
    gateway_message_due: int
    gateway_message_undispatched_due: int


class Example(msgspec.Struct, kw_only=True):
    """A message that did not join, with its ids and without addresses.

    :ivar dispatch_id: the id in the dispatch log, or in the events of the gateway
    :ivar named_message_id: the provider_message_id in the dispatch log, normalised
    :ivar provider_message_id: the provider_message_id in the events of the gateway, normalised
    :ivar sent_at: the time of its first event of the gateway, or of its hand-over (UTC)
    """

    dispatch_id: str | None
    campaign_id: str | None
    sent_at: datetime
    provider_message_id: str | None
    named_message_id: str | None


class Explained(msgspec.Struct, kw_only=True):
    """The unjoined messages of one account and gateway, and their likely cause.

    :ivar cause: a sentence; None if no cause was found
    :ivar advice: what to do next
    """

    account: str
    feed: str
    channel: str
    gateway: str
    shares: list[Share]
    cause: str | None
    advice: str
    examples: dict[str, list[Example]]


def shares(cursor: Cursor, ceiling: float, account: str | None = None) -> list[Share]:
    """Return the shares of unjoined messages that are not zero. Reads only counts by day, not messages.

    :param ceiling: share (0..1) of messages that may stay unjoined without a warning
    :param account: None: all
    """
    found = []
    for row in records(cursor, _Counts, sql_of("joins/shares"), {"days": DAYS, "account": account}):
        unseen = row.handed_over_unseen, row.handed_over
        undispatched = row.gateway_message_undispatched, row.gateway_message
        undispatched_due = row.gateway_message_undispatched_due, row.gateway_message_due
        for kind, (count, of_count), (due, of_due), newest_day in (
            (UNSEEN, unseen, unseen, row.unseen_day),
            (UNDISPATCHED, undispatched, undispatched_due, row.undispatched_day),
        ):
            if newest_day is not None:
                found.append(
                    Share(
                        account=row.account,
                        feed=row.feed,
                        channel=row.channel,
                        gateway=row.gateway,
                        kind=kind,
                        count=count,
                        of_count=of_count,
                        share=round(count / of_count, 6),
                        from_day=row.from_day,
                        newest_day=newest_day,
                        is_warning=due > UNJOINED_AT_LEAST and due > ceiling * of_due,
                    )
                )
    return found


def explain(cursor: Cursor, ceiling: float, account: str | None = None) -> list[Explained]:
    """Return the unjoined messages with examples and the likely cause. Parameters as for `shares`."""
    by_gateway: dict[tuple[str, str, str, str], list[Share]] = {}
    for one in shares(cursor, ceiling, account):
        by_gateway.setdefault((one.account, one.feed, one.channel, one.gateway), []).append(one)
    return [_explained(cursor, found) for found in by_gateway.values()]


def _explained(cursor: Cursor, found: list[Share]) -> Explained:
    first = found[0]
    by_kind = {share.kind: share for share in found}
    unseen = _sample(cursor, by_kind[UNSEEN]) if UNSEEN in by_kind else []
    undispatched = []
    if UNDISPATCHED in by_kind:
        # prefer messages from the time of the hand-overs, because these may belong to them
        if unseen:
            undispatched = _sample(cursor, by_kind[UNDISPATCHED], by_kind[UNSEEN].newest_day, unseen[0].sent_at)
        undispatched = undispatched or _sample(cursor, by_kind[UNDISPATCHED])
    cause, advice = _cause(cursor, first, unseen, undispatched, by_kind)
    return Explained(
        account=first.account,
        feed=first.feed,
        channel=first.channel,
        gateway=first.gateway,
        shares=found,
        cause=cause,
        advice=advice,
        examples={
            kind: sample[:EXAMPLES] for kind, sample in ((UNSEEN, unseen), (UNDISPATCHED, undispatched)) if sample
        },
    )


def _sample(cursor: Cursor, share: Share, day: date | None = None, from_at: datetime | None = None) -> list[Example]:
    parameters = {
        **{name: getattr(share, name) for name in ("account", "channel", "gateway")},
        "day": day or share.newest_day,
        "from_at": from_at,
        "is_unseen": share.kind == UNSEEN,
        "sample": SAMPLE,
    }
    return records(cursor, Example, sql_of("joins/sample"), parameters)


def _cause(
    cursor: Cursor,
    share: Share,
    unseen: Sequence[Example],
    undispatched: Sequence[Example],
    by_kind: dict[str, Share],
) -> tuple[str | None, str]:
    """Return the likely cause, and what to do next."""
    feed = FEEDS.get(share.feed)
    if feed is None or feed.provider == DISPATCH:
        return (
            f"Waybill has no events of {share.gateway} for account {share.account}: no feed of it was ever loaded.",
            f"Load the feed of {share.gateway}, if there is one (`waybill feeds`), or correct the column provider of "
            "the dispatch log if that is not its name. Until then these messages stay in the gateway.",
        )
    page = f"docs/feeds/{feed.slug}.md"
    if copied := sum(one.provider_message_id is not None for one in unseen):
        return (
            f"Messages of {share.gateway} with these dispatch ids went to other recipients than the dispatch log names "
            f"({copied:,} of {len(unseen):,} checked messages), so they count as copies.",
            "Write the address to which the message is sent into the column recipient of the dispatch log, and load it "
            f"again. If they really are copies, look up the ids at {share.gateway}.",
        )
    found = _differing_ids(feed.slug, unseen, undispatched)
    if found is not None:
        return found
    if undispatched and not any(one.dispatch_id for one in undispatched):
        all_of_them = by_kind[UNDISPATCHED].share == 1
        which = f"{feed.title}: events carry no dispatch_id" if all_of_them else "These messages carry no dispatch_id"
        has_arguments = feed.kind == "files"  # lists of a provider's API have no custom arguments
        names_ids = any(one.named_message_id for one in unseen)
        more = (
            ", and their message ids are not those in the dispatch log"
            if names_ids
            else ", and the dispatch log names no provider_message_id"
            if unseen
            else ""
        )
        return (
            f"{which}{more}: {'is the custom argument set? See' if has_arguments else 'see'} {page}.",
            f"{f'Send dispatch_id with each message ({page}), or write' if has_arguments else 'Write'} "
            "provider_message_id (and recipient) into the handed_over rows of the dispatch log, and load it again: "
            "this also joins older messages.",
        )
    if unseen and (newest := _newest_event(cursor, share)) is not None and newest < unseen[-1].sent_at:
        return (
            f"{feed.slug} ends before them: its newest event is from {newest:%Y-%m-%d %H:%M} UTC, the hand-overs are "
            f"from {by_kind[UNSEEN].newest_day}.",
            f"Load or pull {feed.slug} of account {share.account} up to now (see `waybill status`).",
        )
    if not undispatched:
        return (
            None,
            f"Look up one of these ids at {share.gateway}: the message never reached it, or it belongs to another "
            f"account of {share.gateway} whose events are not loaded ({page}).",
        )
    if not unseen:
        return (
            None,
            "Look up one of these ids in the campaign system: the message was sent without it, or its rows of the "
            "dispatch log are not loaded yet.",
        )
    return (
        None,
        f"Compare the examples: in a sample of {SAMPLE:,}, the ids of the two sides have nothing in common. {page} "
        "explains which ids join.",
    )


def _differing_ids(slug: str, unseen: Sequence[Example], undispatched: Sequence[Example]) -> tuple[str, str] | None:
    """Return the cause and the advice if ids of the two sides are similar but not equal."""
    for name, own, theirs in (
        ("dispatch_id", "dispatch_id", "dispatch_id"),
        ("provider_message_id", "named_message_id", "provider_message_id"),
    ):
        ones = dict.fromkeys(text for one in unseen if (text := getattr(one, own)))
        others = dict.fromkeys(text for one in undispatched if (text := getattr(one, theirs)))
        if found := difference(ones, others):
            return (
                f"The ids of the two sides ({name}) differ only by {found.what}: the dispatch log writes {found.one}, "
                f"{slug} has {found.other} ({found.pairs:,} such pairs among {len(ones):,} and {len(others):,} ids).",
                "Write the same id on both sides, in the campaign system or where it hands the message over: new "
                "messages will join. Loaded messages do not change.",
            )
    return None


def _newest_event(cursor: Cursor, share: Share) -> datetime | None:
    cursor.execute(
        "select last_event_at from report.freshness where account = %s and feed = %s", (share.account, share.feed)
    )
    row = cursor.fetchone()
    return None if row is None else row[0]
