"""Pulls from a server of the test's own, and reports of facts by hand."""

from tests.waybill.pull.conftest import server
from tests.waybill.reports.conftest import facts

__all__ = ["facts", "server"]
