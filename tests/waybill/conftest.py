"""Each test has its own warehouse."""

import pytest

from tests.conftest import Warehouse
from tests.waybill.load.loading import Loads


@pytest.fixture
def loads(warehouse: Warehouse) -> Loads:
    return Loads(warehouse)
