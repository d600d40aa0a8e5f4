"""feed new: writes the files of a feed into a checkout; the contract then names what is missing."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waybill.cli.commands import ROOT

FILES = [
    "docs/feeds/pigeons_letters.md",
    "etl/waybill/feeds/pigeons/__init__.py",
    "etl/waybill/feeds/pigeons/letters.py",
    "etl/waybill/feeds/pigeons/provider.py",
    "tests/waybill/feeds/golden/pigeons_letters/case.py",
    "tests/waybill/feeds/golden/pigeons_letters/records.json",
]


def run(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    places = {"PYTHONPATH": f"{root / 'etl'}:{root}", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, *command], cwd=root, env=places, capture_output=True, text=True)


def new(root: Path, slug: str) -> subprocess.CompletedProcess[str]:
    return run(root, "-c", "from waybill.cli.main import run; run()", "feed", "new", slug)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for place in ("etl", "tests/waybill/feeds", "docs/feeds"):
        shutil.copytree(ROOT / place, tmp_path / place, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for place in ("pyproject.toml", "tests/__init__.py", "tests/waybill/__init__.py", "tests/docs/test_feeds.py"):
        if (ROOT / place).exists():
            (tmp_path / place).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / place, tmp_path / place)
    return tmp_path


def state(root: Path) -> dict[str, bytes]:
    return {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()}


def test_a_new_feed_is_its_folders_and_its_page(checkout: Path) -> None:
    before = state(checkout)
    done = new(checkout, "pigeons_letters")
    assert done.returncode == 0, done.stderr
    after = state(checkout)
    assert sorted(name for name in after if after[name] != before.get(name)) == FILES
    assert before.keys() <= after.keys()
    found = run(checkout, "-c", "from waybill.feeds import FEEDS; print(*FEEDS)").stdout.split()
    assert "pigeons_letters" in found and len(found) >= 5
    style = [str(checkout / name) for name in FILES if name.endswith(".py")]
    for command in ("check", "format --check"):
        done = subprocess.run([Path(sys.executable).with_name("ruff"), *command.split(), *style], capture_output=True)
        assert done.returncode == 0, done.stdout
    contract = run(
        checkout, "-m", "pytest", "tests/waybill/feeds/test_contract.py", "tests/docs", "-q", "-k", "pigeons_letters"
    )
    assert contract.returncode == 1, contract.stdout + contract.stderr
    assert "The case of pigeons_letters has no record. Write a good one in" in contract.stdout
    assert "no golden file of pigeons_letters gives an event" in contract.stdout
    assert "The feed pigeons_letters has no NAMED_WORDS. Write them in" in contract.stdout


def test_a_feed_of_a_known_provider_is_one_more_file_in_its_folder(checkout: Path) -> None:
    sheet = (checkout / "etl/waybill/feeds/aws_sms/provider.py").read_bytes()
    assert new(checkout, "aws_sms_opt_outs").returncode == 0
    assert (checkout / "etl/waybill/feeds/aws_sms/opt_outs.py").exists()
    assert (checkout / "etl/waybill/feeds/aws_sms/provider.py").read_bytes() == sheet


@pytest.mark.parametrize(
    ("slug", "message"),
    [("Pigeons", "is not a slug"), ("../../x_y", "is not a slug"), ("twilio_calls", "There is a feed twilio_calls")],
)
def test_a_wrong_slug_changes_nothing(checkout: Path, slug: str, message: str) -> None:
    before = state(checkout)
    done = new(checkout, slug)
    assert done.returncode == 2 and message in done.stderr
    assert state(checkout) == before


def test_an_installation_that_is_no_checkout_is_refused(checkout: Path) -> None:
    shutil.rmtree(checkout / "tests")
    done = new(checkout, "pigeons_letters")
    assert done.returncode == 3 and "is not a checkout" in done.stderr
