"""The image: from the lock, pinned, without root and without secrets."""

import re

from deploy.airflow_settings import ROOT
from tests.deploy.dockerfile import stages, values
from tests.installed.environments import SOURCES

IGNORED = (ROOT / ".dockerignore").read_text().splitlines()


def test_the_base_is_pinned() -> None:
    bases = [base.split(" ")[0] for base in values("FROM") if not base.startswith("production")]
    assert len(bases) == 2 and len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", bases[0])


def test_every_package_comes_from_a_lock_or_is_built_here() -> None:
    installs = [part for step in values("RUN") for part in step.split("&&") if "pip install" in part]
    assert len(installs) == 3
    for install in installs:
        from_lock = re.search(r"--require-hashes -r (bootstrap|image)\.lock", install)
        assert from_lock or "--no-deps --no-index out/*.whl" in install
    (built,) = [part for step in values("RUN") for part in step.split("&&") if "uv build" in part]
    assert "--no-build-isolation --offline" in built


def test_the_package_is_built_from_the_same_files_as_in_the_tests() -> None:
    copied = {word for step in stages()["packages"] if step[0] == "COPY" for word in step[1].split(" ")[:-1]}
    assert copied == {"bootstrap.lock", "image.lock", *SOURCES}


def test_only_its_own_target_contains_the_simulator() -> None:
    found = stages()
    assert list(found) == ["packages", "production", "simulated", ""]
    assert "mv /app/venv/lib/python3.11/site-packages/waybill/simulator simulator" in found["packages"][-1][1]
    assert not any("simulator" in text for _, text in found["production"])
    assert found["simulated"] == [
        ["FROM", "production AS simulated"],
        ["COPY", "--from=packages /build/simulator venv/lib/python3.11/site-packages/waybill/simulator"],
    ]
    assert found[""] == [["FROM", "production"]], "the default target"


def test_the_image_does_not_run_as_root() -> None:
    assert stages()["production"][-1] == ["USER", "waybill"]
    assert values("USER") == ["waybill"]
    assert any("useradd --system --uid 50000" in step for step in values("RUN"))


def test_no_secret_is_copied_into_the_image() -> None:
    assert not values("ARG") and not values("ADD")
    for copied in values("COPY"):
        *sources, _ = [word for word in copied.split() if not word.startswith("--")]
        assert sources and "." not in sources, "the whole folder would include secrets"
        assert not any(source.startswith(".") or source.endswith(".env") for source in sources)
    assert {".env", "*.env", ".git", "var"} <= set(IGNORED)
    for setting in values("ENV"):
        assert not re.search("KEY|SECRET|PASSWORD|TOKEN", setting)


def test_all_copied_files_exist() -> None:
    for copied in values("COPY"):
        if "--from" not in copied:
            for source in copied.split()[:-1]:
                assert (ROOT / source).exists(), source
