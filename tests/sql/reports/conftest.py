"""The facts by hand of tests/waybill/reports."""

from tests.waybill.reports.conftest import facts

__all__ = ["facts"]
