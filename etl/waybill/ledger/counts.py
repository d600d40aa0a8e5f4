"""What stage counts for each object of a load. Publish counts the tables again and compares."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from waybill.feeds.records import AccountNotice
from waybill.model.identity import key_time


@dataclass
class ObjectCounts:
    """The records of one object by what became of them, and the least and the greatest event key.

    :ivar name: of the object in messages
    :ivar reasons: count of rejected records by reason
    :ivar notices: by word, the latest notice about the account at the provider
    :ivar is_cut_short: reading stopped early, because nearly all records were rejected
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
        """Count one event of a record."""
        self.sighting_count += 1
        if self.first_key is None or key < self.first_key:
            self.first_key = key
        if self.last_key is None or key > self.last_key:
            self.last_key = key

    def ignore(self, notice: AccountNotice | None) -> None:
        """Count one record without an event, and keep its notice about the account."""
        self.ignored_count += 1
        if notice is not None:
            self.notices[notice.word] = max(notice, self.notices.get(notice.word, notice), key=_by_time)

    def reject(self, reason: str, byte_count: int) -> None:
        """Count one rejected record."""
        self.rejected_count += 1
        self.rejected_bytes += byte_count
        self.reasons[reason] = self.reasons.get(reason, 0) + 1


def _by_time(notice: AccountNotice) -> tuple[datetime, str]:
    return notice.noticed_at, notice.detail or ""


@dataclass
class Staged:
    """What stage counted for a load.

    :ivar objects: counts of the objects to publish, by object_id
    :ivar held_back: object_ids that are not published, because too many of their records were rejected
    :ivar complaint: why objects are held back; None if no object is
    :ivar resolved: records that an earlier load rejected and this one mapped: (account, feed, SHA-256)
    """

    recipient_count: int = 0
    objects: dict[int, ObjectCounts] = field(default_factory=dict)
    feeds: set[str] = field(default_factory=set)
    resolved: set[tuple[str, str, str]] = field(default_factory=set)
    held_back: set[int] = field(default_factory=set)
    complaint: str | None = None

    @property
    def read_count(self) -> int:
        return sum(counts.record_count for counts in self.objects.values())

    @property
    def ignored_count(self) -> int:
        return sum(counts.ignored_count for counts in self.objects.values())

    @property
    def rejected_count(self) -> int:
        return sum(counts.rejected_count for counts in self.objects.values())

    @property
    def sighting_count(self) -> int:
        return sum(counts.sighting_count for counts in self.objects.values())

    @property
    def reasons(self) -> dict[str, int]:
        """Count of rejected records by reason."""
        total: Counter[str] = Counter()
        for counts in self.objects.values():
            total.update(counts.reasons)
        return dict(total)

    @property
    def first_key(self) -> UUID | None:
        return min((o.first_key for o in self.objects.values() if o.first_key), default=None)

    @property
    def last_key(self) -> UUID | None:
        return max((o.last_key for o in self.objects.values() if o.last_key), default=None)

    @property
    def latest(self) -> datetime | None:
        """The time in the greatest event key (aware)."""
        return None if self.last_key is None else key_time(self.last_key)

    def of(self, numbers: Collection[int]) -> "Staged":
        """The counts of these objects alone."""
        return Staged(objects={number: counts for number, counts in self.objects.items() if number in numbers})

    def hold_back(self, numbers: Collection[int], complaint: str) -> None:
        """Remove these objects from those to publish."""
        self.objects = {number: counts for number, counts in self.objects.items() if number not in numbers}
        self.held_back |= set(numbers)
        self.complaint = complaint
