"""Fixtures: pulls from a server of the test, and reports from hand-written facts."""

from tests.waybill.pull.conftest import server
from tests.waybill.reports.conftest import facts

__all__ = ["facts", "server"]
