"""Fixtures: hand-written facts in the warehouse of a test."""

from collections.abc import Iterator

import pytest

from tests.conftest import Warehouse
from tests.waybill.reports.facts import Facts


@pytest.fixture
def facts(warehouse: Warehouse) -> Iterator[Facts]:
    connection = warehouse.connect()
    yield Facts(connection)
    connection.close()
