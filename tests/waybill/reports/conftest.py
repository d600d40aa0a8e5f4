"""Facts by hand in a warehouse of the test's own."""

from collections.abc import Iterator

import pytest

from tests.conftest import Warehouse
from tests.waybill.reports.facts import Facts


@pytest.fixture
def facts(warehouse: Warehouse) -> Iterator[Facts]:
    connection = warehouse.connect()
    yield Facts(connection)
    connection.close()
