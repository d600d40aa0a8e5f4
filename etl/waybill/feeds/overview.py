"""The overview of all feeds as a page of Markdown, from what the feeds declare."""

from collections.abc import Iterable, Iterator

from waybill.feeds import FEEDS
from waybill.feeds.base import Feed
from waybill.model.vocabulary import CAMPAIGN_SYSTEM_EVENTS, CHANNELS, DISPATCH, EVENT_TYPES

_HEAD = """# Feeds at a glance

`waybill feeds --markdown` writes this page from the feeds themselves; a test compares it. Each feed has a page with its
settings, an example, its columns and what joins what.

*API*: Waybill pulls the lists of the provider. *Files*: another program writes the provider's posts into the inbox.
*Read again* is how far back each pull of an API, and each check for late records, goes.
"""
_MATRIX = """
## Events of {channel}

`x`: some word of the feed is this event. An empty cell is what you never see by this route.
"""
_WORDS = """
## Words

How many words of the provider are mapped to events, and which are not: they give no event, or say something about the
account, which `waybill status` shows. Every other word is loaded as `unknown` and listed by `waybill status`.
"""


def markdown() -> str:
    """Return the page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    feeds = list(FEEDS.values())
    yield _HEAD
    yield from _table(
        ("feed", "provider", "channel", "route", "read again", "credentials"),
        (
            (
                f"[`{feed.slug}`](feeds/{feed.slug}.md)",
                feed.provider,
                feed.channel,
                "API" if feed.kind == "api" else "files",
                f"{feed.lateness.total_seconds() / 3600:.0f} h",
                ", ".join(f"`{name}`" for name in feed.credentials),
            )
            for feed in feeds
        ),
    )
    for channel in CHANNELS:
        yield _MATRIX.format(channel=channel)
        yield from _matrix(channel, [feed for feed in feeds if feed.channel == channel and feed.provider != DISPATCH])
    yield _WORDS
    yield from _table(
        ("feed", "mapped", "no event", "about the account"),
        (
            (f"`{feed.slug}`", str(len(_mapped(feed))), _listed(feed.ignored_words), _listed(feed.account_words))
            for feed in feeds
        ),
    )


def _matrix(channel: str, feeds: list[Feed]) -> Iterator[str]:
    named = [name for name, channels in EVENT_TYPES.items() if channel in channels]
    ours = {*CAMPAIGN_SYSTEM_EVENTS, "handed_over", "unknown"}
    types = [name for name in named if name not in ours]
    found = [set(_mapped(feed).values()) for feed in feeds]
    yield from _table(
        ("feed", *types),
        (
            (f"`{feed.slug}`", *("x" if name in given else "" for name in types))
            for feed, given in zip(feeds, found, strict=True)
        ),
    )


def _mapped(feed: Feed) -> dict[str, str]:
    return {word: event_type for word, event_type in feed.event_types.items() if word is not None}


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    cells = list(head)
    yield f"| {' | '.join(cells)} |"
    yield "|" + "---|" * len(cells)
    for row in rows:
        yield f"| {' | '.join(row)} |"
