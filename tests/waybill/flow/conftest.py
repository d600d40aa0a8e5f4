"""Pulls from a server of the test's own."""

from tests.waybill.pull.conftest import server

__all__ = ["server"]
