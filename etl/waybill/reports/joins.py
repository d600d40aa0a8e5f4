"""Why messages did not join: hand-overs that no gateway has told of, messages of a gateway that were never dispatched.

How many there are, loads keep (`fact.join_count`). Here: their share, examples of each, and the likely cause, from
samples of bounded size.
"""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.feeds import FEEDS
from waybill.model.vocabulary import DISPATCH
from waybill.reports.id_forms import difference
from waybill.warehouse.queries import sql_of

DAYS = 30
"""Days on which anything should have joined, the newest, that shares and warnings look at."""

UNJOINED_AT_LEAST = 20
"""So many messages may be without their other side before anything warns, whatever their share."""

SAMPLE = 2_000
"""Messages of each side that are compared."""

EXAMPLES = 5
UNSEEN = "handed_over_unseen"
UNDISPATCHED = "gateway_message_undispatched"


class Share(msgspec.Struct, kw_only=True):
    """Messages of one account and gateway that have one side only, of the last DAYS days on which there were any.

    :ivar kind: UNSEEN or UNDISPATCHED
    :ivar count: messages
    :ivar of_count: messages that should have joined
    :ivar share: count of of_count, 0..1
    :ivar from_day: first UTC day that was looked at
    :ivar newest_day: last UTC day with such a message
    :ivar is_warning: more than UNJOINED_CEILING allows, and more than UNJOINED_AT_LEAST, of days that are due
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
        told = f"{self.count:,} of {self.of_count:,} ({100 * self.share:.1f} %) since {self.from_day}"
        if self.kind == UNSEEN:
            return f"handed over to {self.gateway} and never seen by it ({self.channel}): {told}"
        return f"messages of {self.gateway} without a row in the dispatch log ({self.channel}): {told}"


class Example(msgspec.Struct, kw_only=True):
    """One message that did not join, with its ids as they are written; no address.

    :ivar dispatch_id: of the dispatch log, or that the gateway's events carry
    :ivar named_message_id: the provider_message_id that the dispatch log names, as it was normalised
    :ivar provider_message_id: the gateway's own, likewise
    :ivar sent_at: of its first event of the gateway or hand-over (UTC)
    """

    dispatch_id: str | None
    campaign_id: str | None
    sent_at: datetime
    provider_message_id: str | None
    named_message_id: str | None


class Explained(msgspec.Struct, kw_only=True):
    """What did not join of one account and gateway, and the likely cause.

    :ivar cause: in a sentence; None: nothing was found
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
    """What did not join, where anything did not. Reads counts by the day, no message.

    :param ceiling: share (0..1) of messages that may be without their other side
    :param account: None: all
    """
    cursor.execute(sql_of("joins/shares"), {"days": DAYS, "account": account})
    names = [column.name for column in cursor.description]
    found = []
    for values in cursor.fetchall():
        row = dict(zip(names, values, strict=True))
        due = {
            UNSEEN: (row[UNSEEN], row["handed_over"]),
            UNDISPATCHED: (row[f"{UNDISPATCHED}_due"], row["gateway_message_due"]),
        }
        for kind, of, day in (
            (UNSEEN, "handed_over", "unseen_day"),
            (UNDISPATCHED, "gateway_message", "undispatched_day"),
        ):
            if row[kind]:
                count, of_count = due[kind]
                found.append(
                    Share(
                        **{name: row[name] for name in ("account", "feed", "channel", "gateway", "from_day")},
                        kind=kind,
                        count=row[kind],
                        of_count=row[of],
                        share=round(row[kind] / row[of], 6),
                        newest_day=row[day],
                        is_warning=count > UNJOINED_AT_LEAST and count > ceiling * of_count,
                    )
                )
    return found


def explain(cursor: Cursor, ceiling: float, account: str | None = None) -> list[Explained]:
    """What did not join, with examples and the likely cause. Parameters as `shares`; samples are of bounded size."""
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
        # beside the hand-overs, where that day has any: the messages that may be theirs
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
    cursor.execute(
        sql_of("joins/sample"),
        {
            **{name: getattr(share, name) for name in ("account", "channel", "gateway")},
            "day": day or share.newest_day,
            "from_at": from_at,
            "is_unseen": share.kind == UNSEEN,
            "sample": SAMPLE,
        },
    )
    names = [column.name for column in cursor.description]
    return [Example(**dict(zip(names, values, strict=True))) for values in cursor.fetchall()]


def _cause(
    cursor: Cursor,
    share: Share,
    unseen: Sequence[Example],
    undispatched: Sequence[Example],
    by_kind: dict[str, Share],
) -> tuple[str | None, str]:
    """The likely cause, and what to do next."""
    feed = FEEDS.get(share.feed)
    if feed is None or feed.provider == DISPATCH:
        return (
            f"Waybill has no events of {share.gateway} for account {share.account}: no feed of it was ever loaded.",
            f"Load the feed of {share.gateway}, if there is one (`waybill feeds`), or mend the column provider of the "
            "dispatch log if that is not its name. Until then these messages stay in the gateway.",
        )
    page = f"docs/feeds/{feed.slug}.md"
    if copied := sum(one.provider_message_id is not None for one in unseen):
        return (
            f"Messages of {share.gateway} of these dispatch ids went to other recipients than the dispatch log names "
            f"({copied:,} of {len(unseen):,} looked at): they count as copies.",
            "Write into the column recipient of the dispatch log the address that the message is sent to, and load it "
            f"again. Where they are copies indeed: look the ids up at {share.gateway}.",
        )
    found = _differing_ids(feed.slug, unseen, undispatched)
    if found is not None:
        return found
    if undispatched and not any(one.dispatch_id for one in undispatched):
        all_of_them = by_kind[UNDISPATCHED].share == 1
        which = f"{feed.title}: events carry no dispatch_id" if all_of_them else "These messages carry no dispatch_id"
        has_arguments = feed.kind == "files"  # lists of a provider's API show none
        names_ids = any(one.named_message_id for one in unseen)
        more = (
            ", and the message ids that the dispatch log names are not among theirs"
            if names_ids
            else ", and the dispatch log names no provider_message_id"
            if unseen
            else ""
        )
        return (
            f"{which}{more}: {'is the custom argument set? See' if has_arguments else 'see'} {page}.",
            f"{f'Send dispatch_id with each message ({page}), or write' if has_arguments else 'Write'} "
            "provider_message_id (and recipient) into the handed_over rows of the dispatch log, and load it again: "
            "that joins the past, too.",
        )
    if unseen and (newest := _newest_event(cursor, share)) is not None and newest < unseen[-1].sent_at:
        return (
            f"{feed.slug} ends before them: its newest event is of {newest:%Y-%m-%d %H:%M} UTC, the hand-overs are of "
            f"{by_kind[UNSEEN].newest_day}.",
            f"Load or pull {feed.slug} of account {share.account} up to now (`waybill status` shows how far it is).",
        )
    if not undispatched:
        return (
            None,
            f"Look one of these ids up at {share.gateway}: the message never reached it, or it is of another account "
            f"of {share.gateway}, whose events are not loaded ({page}).",
        )
    if not unseen:
        return (
            None,
            "Look one of these ids up in the campaign system: the message was sent past it, or its rows of the "
            "dispatch log are not loaded yet.",
        )
    return (
        None,
        f"Compare the examples: the ids of the two sides have nothing in common in a sample of {SAMPLE:,}. What joins "
        f"them is in {page}.",
    )


def _differing_ids(slug: str, unseen: Sequence[Example], undispatched: Sequence[Example]) -> tuple[str, str] | None:
    """The cause and the advice where ids of the two sides are alike, and not the same."""
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
                "Write the id alike where it is made, in the campaign system or where it hands the message over: from "
                "then on messages join. What is loaded stays as it is.",
            )
    return None


def _newest_event(cursor: Cursor, share: Share) -> datetime | None:
    cursor.execute(
        "select last_event_at from report.freshness where account = %s and feed = %s", (share.account, share.feed)
    )
    row = cursor.fetchone()
    return None if row is None else row[0]
