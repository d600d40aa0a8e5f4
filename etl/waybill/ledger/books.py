"""What stage counts of a load, object by object; publish counts again in the tables and compares."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from waybill.feeds.records import AccountNotice

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class ObjectBooks:
    """What one object held: its records, what became of them, and the least and greatest event key.

    :ivar name: the object as messages name it
    :ivar reasons: rejected records by reason
    :ivar notices: by word, the latest of what its records say about the account at the provider
    :ivar is_cut_short: it was read no further, because nearly all of it was rejected
    """

    name: str
    record_count: int = 0
    ignored_count: int = 0
    rejected_count: int = 0
    rejected_bytes: int = 0
    sighting_count: int = 0
    first_key: UUID | None = None
    last_key: UUID | None = None
    reasons: dict[str, int] = field(default_factory=dict)
    notices: dict[str, AccountNotice] = field(default_factory=dict)
    is_cut_short: bool = False

    def add(self, key: UUID) -> None:
        """Count one event that a record tells."""
        self.sighting_count += 1
        if self.first_key is None or key < self.first_key:
            self.first_key = key
        if self.last_key is None or key > self.last_key:
            self.last_key = key

    def ignore(self, notice: AccountNotice | None) -> None:
        """Count one record that tells no event, and keep what it says about the account."""
        self.ignored_count += 1
        if notice is not None:
            self.notices[notice.word] = max(notice, self.notices.get(notice.word, notice), key=_in_time)

    def reject(self, reason: str, byte_count: int) -> None:
        """Count one rejected record."""
        self.rejected_count += 1
        self.rejected_bytes += byte_count
        self.reasons[reason] = self.reasons.get(reason, 0) + 1


def _in_time(notice: AccountNotice) -> tuple[datetime, str]:
    return notice.noticed_at, notice.detail or ""


@dataclass
class Staged:
    """What stage counted of a load.

    :ivar objects: by object_id, those that are to be published
    :ivar held_back: object_ids of those that are not, because too much of them was rejected
    :ivar complaint: why they are held back, in words; None: none is
    :ivar resolved: records that were rejected once and could be mapped now: account, feed, SHA-256
    """

    recipient_count: int = 0
    objects: dict[int, ObjectBooks] = field(default_factory=dict)
    feeds: set[str] = field(default_factory=set)
    resolved: set[tuple[str, str, str]] = field(default_factory=set)
    held_back: set[int] = field(default_factory=set)
    complaint: str | None = None

    @property
    def read_count(self) -> int:
        return sum(books.record_count for books in self.objects.values())

    @property
    def ignored_count(self) -> int:
        return sum(books.ignored_count for books in self.objects.values())

    @property
    def rejected_count(self) -> int:
        return sum(books.rejected_count for books in self.objects.values())

    @property
    def sighting_count(self) -> int:
        return sum(books.sighting_count for books in self.objects.values())

    @property
    def reasons(self) -> dict[str, int]:
        """Rejected records by reason."""
        total: Counter[str] = Counter()
        for books in self.objects.values():
            total.update(books.reasons)
        return dict(total)

    @property
    def first_key(self) -> UUID | None:
        return min((o.first_key for o in self.objects.values() if o.first_key), default=None)

    @property
    def last_key(self) -> UUID | None:
        return max((o.last_key for o in self.objects.values() if o.last_key), default=None)

    @property
    def latest(self) -> datetime | None:
        """The time in the greatest event key, aware."""
        return None if self.last_key is None else EPOCH + timedelta(milliseconds=self.last_key.int >> 80)

    def of(self, numbers: Collection[int]) -> "Staged":
        """The books of these objects alone."""
        return Staged(objects={number: books for number, books in self.objects.items() if number in numbers})

    def hold_back(self, numbers: Collection[int], complaint: str) -> None:
        """Take these objects out."""
        self.objects = {number: books for number, books in self.objects.items() if number not in numbers}
        self.held_back |= set(numbers)
        self.complaint = complaint
