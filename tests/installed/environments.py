"""The built package in environments of its own, outside the checkout, with the pins and hashes of the locks."""

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
"""What the package is built from; the Dockerfile copies the same."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment. Programs run in it with the settings that are given, and with no others of this process.

    :ivar home: folder of whoever uses it, and of the programs that it runs
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
        surroundings = {"PATH": f"{self.folder / 'bin'}:/usr/bin:/bin", "HOME": str(self.home), "LANG": "C.UTF-8"}
        command = [str(self.folder / "bin" / program), *arguments]
        return subprocess.run(command, cwd=self.home, env=surroundings | settings, capture_output=True, text=True)

    def versions(self) -> dict[str, str]:
        """The version of each installed package by its name."""
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
    """An empty virtual environment, with an empty folder to use it from."""
    home = folder / "home"
    home.mkdir(parents=True)
    uv("venv", "--quiet", "--no-config", "--python", python, str(folder / "environment"))
    return Environment(folder / "environment", home)


def interpreter(version: str) -> str | None:
    """The path of an interpreter such as 3.12 on this machine: on the PATH or pyenv's; None: there is none."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = (shutil.which(f"python{version}"), *sorted(pyenv.glob(f"{version}.*/bin/python{version}")))
    for path in found:
        # what pyenv puts on the PATH may be a program that only says where the interpreter is
        if path and subprocess.run([path, "-c", "import ssl"], capture_output=True).returncode == 0:
            return str(path)
    return None


def copy_into(folder: Path, names: Sequence[str]) -> None:
    """Copy files and folders of the checkout, without what programs have left in them."""
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
