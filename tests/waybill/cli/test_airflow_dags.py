"""airflow dags: writes the DAG files, and never overwrites changes unasked."""

from pathlib import Path

import pytest

from tests.waybill.cli.commands import ROOT, Answer, waybill
from waybill import __version__, installed_files

NAMES = sorted(file.name for file in (ROOT / "dags").glob("waybill_*.py"))


def write(folder: Path, *options: str) -> Answer:
    return waybill("airflow", "dags", str(folder), *options, settings={})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "their" / "dags"
    assert write(folder).code == 0
    return folder


def test_every_dag_file_is_written_and_named(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "dags"
    answer = write(folder)
    assert len(NAMES) >= 4
    assert answer.err.splitlines() == [f"wrote {folder / name}" for name in NAMES]
    assert sorted(file.name for file in folder.iterdir()) == NAMES, "a draft is left behind"


def test_the_first_line_names_the_version_and_the_rest_is_the_file_of_this_release(folder: Path) -> None:
    for name in NAMES:
        first, rest = (folder / name).read_text().split("\n", 1)
        assert first.startswith("#") and __version__ in first
        assert rest == (ROOT / "dags" / name).read_text()


def test_a_second_call_changes_nothing(folder: Path) -> None:
    before = {name: (folder / name).stat().st_mtime_ns for name in NAMES}
    answer = write(folder)
    assert answer.code == 0 and answer.err.count("unchanged") == len(NAMES)
    assert {name: (folder / name).stat().st_mtime_ns for name in NAMES} == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text + "x = 1\n", "changed since it was written"),
        (lambda text: text.replace(__version__, "0.0.1", 1), "of Waybill 0.0.1"),
        (lambda text: "their own\n", "not written by Waybill"),
        (lambda text: "", "not written by Waybill"),
    ],
)
def test_if_a_file_differs_nothing_is_written_without_force(folder: Path, change, says: str) -> None:
    theirs, missing = folder / NAMES[-1], folder / NAMES[0]
    theirs.write_text(change(theirs.read_text()))
    missing.unlink()
    text = theirs.read_text()
    answer = write(folder)
    assert answer.code == 3
    assert f"{theirs.name} ({says})" in answer.err and f"This is Waybill {__version__}" in answer.err
    assert "--force" in answer.err
    assert theirs.read_text() == text and not missing.exists()
    answer = write(folder, "--force")
    assert answer.code == 0
    assert f"replaced {theirs}" in answer.err and f"wrote {missing}" in answer.err
    assert write(folder).err.count("unchanged") == len(NAMES)


def test_other_files_of_the_folder_do_not_change(folder: Path) -> None:
    (folder / "theirs.py").write_text("their own\n")
    assert write(folder, "--force").code == 0
    assert (folder / "theirs.py").read_text() == "their own\n"


def test_an_installation_without_dag_files_is_reported_as_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed_files, "_NEEDED", {installed_files.DAGS: "no_such_*.py"})
    answer = write(tmp_path / "dags")
    assert answer.code == 3
    assert "This installation of Waybill is broken: dags missing" in answer.err
    assert "Install Waybill again" in answer.err
    assert not (tmp_path / "dags").exists()
