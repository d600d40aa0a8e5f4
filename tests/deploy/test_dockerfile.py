"""The image: from the lock, pinned, without root and without secrets."""

import re

from deploy.airflow_settings import ROOT

TEXT = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
STEPS = [line.split(" ", 1) for line in TEXT.splitlines() if line and not line.startswith("#")]
IGNORED = (ROOT / ".dockerignore").read_text().splitlines()


def values(word: str) -> list[str]:
    return [rest for name, rest in STEPS if name == word]


def test_the_base_is_pinned() -> None:
    bases = values("FROM")
    assert len(bases) == 2
    for base in bases:
        assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+( AS \w+)?", base)


def test_every_package_comes_from_the_lock() -> None:
    installs = [part for step in values("RUN") for part in step.split("&&") if "pip install" in part]
    assert len(installs) == 3
    for install in installs:
        from_lock = re.search(r"--require-hashes -r (bootstrap|requirements)\.lock", install)
        assert from_lock or "--no-deps --no-build-isolation --no-index -e ." in install


def test_it_does_not_run_as_root() -> None:
    assert STEPS[-1] == ["USER", "waybill"]
    assert any("useradd --system --uid 50000" in step for step in values("RUN"))


def test_nothing_secret_goes_into_it() -> None:
    assert not values("ARG") and not values("ADD")
    for copied in values("COPY"):
        *sources, _ = [word for word in copied.split() if not word.startswith("--")]
        assert sources and "." not in sources, "a whole folder would take what lies around in it"
        assert not any(source.startswith(".") or source.endswith(".env") for source in sources)
    assert {".env", "*.env", ".git", "var"} <= set(IGNORED)
    for setting in values("ENV"):
        assert not re.search("KEY|SECRET|PASSWORD|TOKEN", setting)


def test_what_it_copies_is_there() -> None:
    for copied in values("COPY"):
        if "--from" not in copied:
            for source in copied.split()[:-1]:
                assert (ROOT / source).exists(), source
