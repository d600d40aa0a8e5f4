"""A secret is created once, and only its owner can read it."""

import stat
from pathlib import Path

from waybill.secret_file import read_or_create


def test_the_first_call_creates_the_secret_and_later_calls_read_it(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "secret"
    assert read_or_create(path, lambda: "first") == read_or_create(path, lambda: "second") == "first"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_two_processes_at_the_same_time_get_the_same_secret(tmp_path: Path) -> None:
    path = tmp_path / "secret"

    def make() -> str:
        path.write_text("of the other process")
        return "own"

    assert read_or_create(path, make) == "of the other process"
    assert list(tmp_path.iterdir()) == [path]
