"""The package, built once for each process of pytest, and a folder for the environments of each module."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.installed.environments import SOURCES, build, copy_into


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    sources = folder / "sources"
    sources.mkdir()
    copy_into(sources, SOURCES)  # a build leaves files in its sources
    return build(sources, folder / "out")[1]


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """Yields a folder outside pytest's own, which another user cannot read: as root, Postgres runs as another user."""
    with TemporaryDirectory(prefix="waybill-installed-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
