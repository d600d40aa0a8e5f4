"""A secret is made once, and nobody else's to read."""

import stat
from pathlib import Path

from waybill.secret_file import made_once


def test_it_is_made_at_the_first_call_and_read_at_the_others(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "secret"
    assert made_once(path, lambda: "first") == made_once(path, lambda: "second") == "first"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_of_two_that_make_it_at_once_the_second_takes_what_the_first_made(tmp_path: Path) -> None:
    path = tmp_path / "secret"

    def make() -> str:
        path.write_text("of the other process")
        return "own"

    assert made_once(path, make) == "of the other process"
    assert list(tmp_path.iterdir()) == [path]
