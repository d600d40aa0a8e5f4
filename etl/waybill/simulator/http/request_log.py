"""Counts of requests for tests: by path, by status, concurrent and repeated ones."""

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
    :ivar at_seconds: real seconds from the start of the simulator to the request
    :ivar of_account: the number of open requests of its account, including this one
    :ivar moment: its time by the clock of the world; None until it is answered
    :ivar status: of the answer
    :ivar fault: the kind of fault that it got
    :ivar is_page: whether the answer was a complete page of the list
    """

    target: str
    at_seconds: float
    of_account: int
    moment: datetime | None = None
    status: int | None = None
    fault: str | None = None
    is_page: bool = False


class RequestLog:
    """Every request for a list, in order of arrival. Thread-safe."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._requests: list[Request] = []
        self._under_way: Counter[str] = Counter()
        self._greatest = 0
        self._lock = Lock()

    @contextmanager
    def under_way(self, target: str, account: str) -> Iterator[Request]:
        """Yields one request, from its arrival until its answer is sent.

        :param account: concurrent requests are counted by account
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
        """Returns every request so far, including open ones."""
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
        """Kind of fault to the number of requests that got it."""
        return Counter(request.fault for request in self.all() if request.fault is not None)

    @property
    def greatest_concurrency(self) -> int:
        """The greatest number of requests that were open at the same time."""
        return self._greatest

    @property
    def repeated_pages(self) -> Counter[str]:
        """Target to how often its complete page was sent again."""
        times = Counter(request.target for request in self.all() if request.is_page)
        return Counter({target: count - 1 for target, count in times.items() if count > 1})
