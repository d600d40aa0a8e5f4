"""The embedded Postgres beside other people's."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[3]
START_AND_STOP = """
import sys
from pathlib import Path
from etl.warehouse import embedded
print(embedded.start(Path(sys.argv[1]), 18))
assert embedded.stop(Path(sys.argv[1]), 18)
"""


def test_a_file_that_another_user_has_in_the_temporary_folder_keeps_nobody_from_starting() -> None:
    with TemporaryDirectory(prefix="waybill-tests-") as name:  # not below pytest's folder: see tests/conftest.py
        shared = Path(name) / "tmp"
        (shared / ".lockfile").mkdir(parents=True)  # cannot be opened, not even by root
        environment = {"PATH": os.environ["PATH"], "TMPDIR": str(shared)}
        done = subprocess.run(
            [sys.executable, "-c", START_AND_STOP, str(Path(name) / "pg")],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("postgresql://")
