"""One warehouse for all tests of a file: each of them makes the tables that it validates anew."""

from collections.abc import Iterator

import pytest

from tests.conftest import Server, Warehouse, new_warehouse


@pytest.fixture(scope="module")
def warehouse(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with new_warehouse(postgres, tmp_path_factory.mktemp("warehouse")) as warehouse:
        yield warehouse
