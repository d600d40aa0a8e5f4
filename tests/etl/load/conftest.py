"""Loads into a warehouse of the test's own."""

import pytest

from tests.conftest import Warehouse
from tests.etl.load.loading import Loads


@pytest.fixture
def loads(warehouse: Warehouse) -> Loads:
    return Loads(warehouse)
