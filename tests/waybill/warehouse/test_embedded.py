"""The embedded Postgres on a machine with other users, and in folders with any name."""

import os
import stat
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg2
import pytest

from waybill.model.errors import ConfigurationError
from waybill.warehouse import embedded

ROOT = Path(__file__).resolve().parents[3]
START_AND_STOP = """
import shutil, sys
from pathlib import Path
from waybill.warehouse import embedded
print(embedded.start(Path(sys.argv[1]), 18))
assert embedded.stop(Path(sys.argv[1]), 18)
shutil.rmtree(Path(sys.argv[1]).parent)
"""


def test_a_lock_file_of_another_user_does_not_prevent_the_start() -> None:
    with TemporaryDirectory(prefix="waybill-tests-") as name:  # not in pytest's folder: see tests/conftest.py
        shared = Path(name) / "tmp"
        (shared / ".lockfile").mkdir(parents=True)  # cannot be opened, not even by root
        environment = {"PATH": os.environ["PATH"], "TMPDIR": str(shared)}
        done = subprocess.run(
            [sys.executable, "-c", START_AND_STOP, str(Path(name) / "home" / "pg")],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("postgresql://")
        assert not (Path(name) / "home").exists(), "the end of the process made the folder again"


@pytest.mark.parametrize(
    "name", ["with a space", 'it\'s "quoted" $HOME `id`', "größe 資料, 50% & more?#", "long/" * 25 + "end"]
)
def test_a_server_starts_in_a_folder_with_any_name_which_only_its_owner_can_enter(name: str) -> None:
    with TemporaryDirectory(prefix="waybill-tests-") as parent:
        folder = Path(parent).resolve() / name / "postgres"
        url = embedded.start(folder, 18)
        try:
            assert embedded.is_running(folder)
            assert embedded.start(folder, 18) == url
            connection = psycopg2.connect(url)
            with connection, connection.cursor() as cursor:
                cursor.execute("select current_setting('data_directory'), current_setting('unix_socket_directories')")
                data, socket = map(Path, cursor.fetchone())
            connection.close()
            assert data.resolve() == socket.resolve() == folder
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        finally:
            assert embedded.stop(folder, 18)
        assert not embedded.is_running(folder)
        if data != folder:
            data.unlink()
            data.parent.rmdir()


def test_a_folder_of_another_user_at_the_short_path_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded.tempfile, "tempdir", str(tmp_path))
    place = embedded._short_path(Path("/a b")).parent
    place.chmod(0o777)
    with pytest.raises(ConfigurationError, match="belongs to another user"):
        embedded._short_path(Path("/a b"))
