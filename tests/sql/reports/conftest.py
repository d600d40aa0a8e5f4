"""The hand-written facts of tests/waybill/reports."""

from tests.waybill.reports.conftest import facts

__all__ = ["facts"]
