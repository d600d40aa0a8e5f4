"""Virtual environments with the built package, outside the checkout, with the pins and hashes of the locks."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UV = str(Path(sys.executable).parent / "uv")
LOCK, IMAGE_LOCK = ROOT / "requirements.lock", ROOT / "image.lock"
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "etl", "sql", "expectations", "dags")
"""The sources of the package; the Dockerfile copies the same."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment, whose programs run with the given settings only.

    :ivar home: home and working directory of the programs
    """

    folder: Path
    home: Path

    @property
    def packages(self) -> Path:
        """Its site-packages."""
        (found,) = self.folder.glob("lib/python3.*/site-packages")
        return found

    def run(self, program: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a program of this environment in the home folder."""
        environment = {"PATH": f"{self.folder / 'bin'}:/usr/bin:/bin", "HOME": str(self.home), "LANG": "C.UTF-8"}
        command = [str(self.folder / "bin" / program), *arguments]
        return subprocess.run(command, cwd=self.home, env=environment | settings, capture_output=True, text=True)

    def versions(self) -> dict[str, str]:
        """Returns the version of each installed package by its name."""
        listed = json.loads(uv("pip", "list", "--format", "json", "--python", str(self.folder)))
        return {package["name"]: package["version"] for package in listed}

    def install(self, *arguments: str) -> None:
        """Install packages."""
        uv("pip", "install", "--quiet", "--python", str(self.folder), *arguments)

    def install_built(self, wheel: Path, extras: str = "") -> None:
        """Install the built package with extras such as `[demo]`, all pinned and with hashes."""
        requirement = self.home / "requirement.txt"
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        requirement.write_text(f"waybill{extras} @ {wheel.as_uri()} --hash=sha256:{digest}\n")
        self.install("--require-hashes", "--constraint", str(LOCK), "--requirement", str(requirement))


def uv(*arguments: str, where: Path | None = None) -> str:
    """Run uv; returns what it prints."""
    done = subprocess.run([UV, *arguments], cwd=where, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def make_environment(folder: Path, python: str = sys.executable) -> Environment:
    """Make an empty virtual environment with an empty home."""
    home = folder / "home"
    home.mkdir(parents=True)
    uv("venv", "--quiet", "--no-config", "--python", python, str(folder / "environment"))
    return Environment(folder / "environment", home)


def interpreter(version: str) -> str | None:
    """Returns the path of an interpreter such as 3.12, from PATH or pyenv; None: this machine has no such one."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = (shutil.which(f"python{version}"), *sorted(pyenv.glob(f"{version}.*/bin/python{version}")))
    for path in found:
        # pyenv may put a program on the PATH that only prints a message
        if path and subprocess.run([path, "-c", "import ssl"], capture_output=True).returncode == 0:
            return str(path)
    return None


def copy_into(folder: Path, names: Sequence[str]) -> None:
    """Copy files and folders of the checkout, without generated files."""
    for name in names:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignored)
        else:
            shutil.copy(ROOT / name, folder / name)


def build(sources: Path, out: Path) -> tuple[Path, Path]:
    """Build the source distribution, and the wheel from it."""
    uv("build", "--quiet", "--no-build-isolation", "--python", sys.executable, "--out-dir", str(out), str(sources))
    (source,), (wheel,) = out.glob("*.tar.gz"), out.glob("*.whl")
    return source, wheel
