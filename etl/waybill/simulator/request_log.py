"""What was asked, for tests that count: per path, per status, at the same time, and twice."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from urllib.parse import urlsplit


@dataclass
class Request:
    """One request for a list.

    :ivar target: path and query
    :ivar at_seconds: when it came, in real seconds since the stand-in began
    :ivar of_account: requests of its account that were under way with it, itself included
    :ivar moment: what time the clock of the world showed it; None until it is answered
    :ivar status: of the answer
    :ivar fault: the kind of the fault that it met
    :ivar is_page: whether the answer was a page of the list that came whole
    """

    target: str
    at_seconds: float
    of_account: int
    moment: datetime | None = None
    status: int | None = None
    fault: str | None = None
    is_page: bool = False


class RequestLog:
    """Every request for a list, in order of coming. Safe between threads."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._requests: list[Request] = []
        self._under_way: Counter[str] = Counter()
        self._greatest = 0
        self._lock = Lock()

    @contextmanager
    def under_way(self, target: str, account: str) -> Iterator[Request]:
        """One request, from its coming until its answer is sent.

        :param account: what limits of concurrency count by
        """
        with self._lock:
            self._under_way[account] += 1
            self._greatest = max(self._greatest, self._under_way.total())
            request = Request(target, time.monotonic() - self._began, self._under_way[account])
            self._requests.append(request)
        try:
            yield request
        finally:
            with self._lock:
                self._under_way[account] -= 1

    def all(self) -> list[Request]:
        """Every request so far, those under way too."""
        with self._lock:
            return list(self._requests)

    @property
    def by_path(self) -> Counter[str]:
        """Path, without the query, to the number of requests."""
        return Counter(urlsplit(request.target).path for request in self.all())

    @property
    def by_status(self) -> Counter[int]:
        """Status to the number of answers."""
        return Counter(request.status for request in self.all() if request.status is not None)

    @property
    def by_fault(self) -> Counter[str]:
        """Kind of fault to the number of requests that met it."""
        return Counter(request.fault for request in self.all() if request.fault is not None)

    @property
    def greatest_concurrency(self) -> int:
        """The most requests that were under way at the same time."""
        return self._greatest

    @property
    def repeated_pages(self) -> Counter[str]:
        """Target to how often its page came whole again after the first time."""
        times = Counter(request.target for request in self.all() if request.is_page)
        return Counter({target: count - 1 for target, count in times.items() if count > 1})
