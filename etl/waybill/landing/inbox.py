"""The inbox `INBOX_URL/<account>/<feed>/…`, where other programs put files, and entries in it that no feed reads."""

import os
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from upath import UPath

from waybill.feeds import FEEDS
from waybill.feeds.base import Feed
from waybill.landing.entries import Entry, Skipped, entries_below, is_finished, shown
from waybill.landing.places import Place, failures_as, is_object_store, place
from waybill.model.errors import ConfigurationError, SourceError, UsageError
from waybill.model.vocabulary import ACCOUNT
from waybill.secret_file import private_folder
from waybill.settings import Settings
from waybill.warehouse.connection import without_password

MOST_NAMED = 3
"""Names in a message about files in a wrong folder."""

FOLDER, FILE, LINK = "folder", "file", "link"


class _Child(NamedTuple):
    name: str
    kind: str


def is_yet_to_be_made(settings: Settings) -> bool:
    """Whether this is the default inbox and does not exist yet: the first use creates it."""
    inbox = place(settings.inbox_url, "INBOX_URL")
    return isinstance(inbox, Path) and inbox == settings.var / "inbox" and not inbox.exists()


def accounts(settings: Settings, feed: Feed, account: str | None = None) -> list[str]:
    """Return the accounts with a folder of this feed in the inbox, also if it cannot be read.

    :param account: only this account
    :raises ConfigurationError: there is no inbox
    :raises UsageError: the inbox has no such account
    """
    inbox = _opened(settings)
    known = account_folders(settings)
    if account is not None and account not in known:
        there_are = f"accounts there: {', '.join(known)}" if known else "it has no folder of an account yet"
        raise UsageError(f"There is no folder {account}/{feed.slug} in the inbox {_shown(settings)}; {there_are}.")
    return [name for name in known if account in (None, name) and _may_have(inbox / name, feed.slug)]


def account_folders(settings: Settings) -> list[str]:
    """Return the folders of the inbox whose names can be accounts. Raises ConfigurationError if there is no inbox."""
    return [child.name for child in _children(_opened(settings)) if _is_account(child)]


def entries(settings: Settings, feed: Feed, account: str) -> Iterator[Entry]:
    """Yield the entries of an account's folder of a feed, as `entries_below`."""
    yield from entries_below(place(settings.inbox_url, "INBOX_URL"), account, feed.slug)


def misplaced(settings: Settings) -> list[str]:
    """Return one sentence for each entry that no feed reads, with what is expected in its place.

    :raises ConfigurationError: there is no inbox
    """
    inbox = _opened(settings)
    found: list[str] = []
    beside: dict[str, list[str]] = defaultdict(list)
    for child in _children(inbox):
        if child.kind != FOLDER:
            _note(child, "", found, beside)
        elif not _is_account(child):
            found.append(
                f"{shown(child.name)}/ is no name of an account (1 to 63 letters, digits, '_', '.' or '-'), so nothing "
                "in it is read"
            )
        else:
            try:
                _look_at_account(child.name, _children(inbox / child.name), found, beside)
            except SourceError as error:
                found.append(str(error))
    for folder, names in beside.items():
        first = ", ".join(names[:MOST_NAMED]) + (", …" if len(names) > MOST_NAMED else "")
        found.append(
            f"{first}: {len(names)} {'file is' if len(names) == 1 else 'files are'} in {folder or 'the inbox itself'}"
            ", where nothing is read: files belong in <account>/<feed>/"
        )
    return [f"{sentence} (inbox {_shown(settings)})." for sentence in found]


def unread(settings: Settings, most: int) -> list[Skipped]:
    """Return the entries that a load would skip, among the first `most` entries of the inbox."""
    found = (
        entry
        for slug in FEEDS
        for account in accounts(settings, FEEDS[slug])
        for entry in entries(settings, FEEDS[slug], account)
    )
    return [entry for entry in islice(found, most) if isinstance(entry, Skipped)]


def _look_at_account(account: str, children: list[_Child], found: list[str], beside: dict[str, list[str]]) -> None:
    slugs = ", ".join(FEEDS)
    has_feed = any(child.kind == FOLDER and child.name in FEEDS for child in children)
    if account in FEEDS and not has_feed:
        if children:
            found.append(f"{account}/ has no account above it: its files belong in <account>/{account}/")
        return
    for child in children:
        if child.kind != FOLDER:
            _note(child, f"{account}/", found, beside)
        elif child.name not in FEEDS:
            found.append(f"{account}/{shown(child.name)}/ is the folder of no feed; feeds are: {slugs}")


def _note(child: _Child, folder: str, found: list[str], beside: dict[str, list[str]]) -> None:
    if child.kind == LINK:
        found.append(f"{folder}{shown(child.name)} is a link, and links are not followed: mount or copy what it names")
    else:
        beside[folder].append(shown(child.name))


def _opened(settings: Settings) -> Place:
    """Return the inbox. The default one is created; another one may be a volume that is not mounted."""
    inbox, written = place(settings.inbox_url, "INBOX_URL"), _shown(settings)
    with failures_as(lambda why: ConfigurationError(f"Cannot look into the inbox {written}: {why}."), inbox):
        if isinstance(inbox, Path):
            if is_yet_to_be_made(settings):
                private_folder(inbox)
            is_there = inbox.is_dir()
        else:
            is_there = _has_bucket(inbox) if is_object_store(inbox) else inbox.is_dir()
    if not is_there:
        raise ConfigurationError(
            f"There is no inbox at {written}, which INBOX_URL names. Mount or create it; files belong in "
            "<account>/<feed>/ below it."
        )
    return inbox


def _has_bucket(inbox: UPath) -> bool:
    """Whether the bucket of an inbox exists. An object store has no empty folders."""
    try:
        inbox.fs.info(inbox.path.split("/")[0])
        return True
    except FileNotFoundError:
        return False


def _shown(settings: Settings) -> str:
    return shown(without_password(settings.inbox_url))


def _is_account(child: _Child) -> bool:
    return child.kind == FOLDER and ACCOUNT.fullmatch(child.name) is not None


def _may_have(folder: Place, name: str) -> bool:
    try:
        return any(child == (name, FOLDER) for child in _children(folder))
    except SourceError:
        return True  # reading it reports the error


def _children(folder: Place) -> list[_Child]:
    """Return the entries of a folder in order of name, without hidden and unfinished ones. Raises SourceError."""
    written = shown(without_password(str(folder)))
    with failures_as(lambda why: SourceError(f"{written} cannot be read: {why}"), folder):
        children = _on_disk(folder) if isinstance(folder, Path) else _in_store(folder)
    return sorted(child for child in children if is_finished(child.name))


def _on_disk(folder: Path) -> list[_Child]:
    with os.scandir(folder) as found:
        return [_Child(entry.name, _kind_of(entry)) for entry in found]


def _in_store(folder: UPath) -> list[_Child]:
    folder.fs.invalidate_cache()
    try:
        found = folder.fs.ls(folder.path, detail=True)
    except FileNotFoundError:
        return []
    own = folder.path.rstrip("/")  # some stores list an object for the folder itself
    named = [(info["name"].rstrip("/"), FOLDER if info["type"] == "directory" else FILE) for info in found]
    return [_Child(name.rpartition("/")[2], kind) for name, kind in named if name != own]


def _kind_of(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return LINK
    return FOLDER if entry.is_dir(follow_symlinks=False) else FILE
