"""Files and folders that nobody else may read, whatever the umask; and secrets that are made once, each in one."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO


def private_folder(path: Path) -> None:
    """Make a folder and what is missing above it (mode 0700); folders that are there stay as they are."""
    for folder in (*reversed(path.parents), path):
        with suppress(FileExistsError):
            if not folder.is_dir():
                folder.mkdir(mode=0o700)


def private_file(path: Path) -> BinaryIO:
    """A new file to write to (mode 0600)."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def made_once(path: Path, make: Callable[[], str]) -> str:
    """Read a secret, or make it (mode 0600; of two processes at once both get the same)."""
    private_folder(path.parent)
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)  # fails if another process was first
        draft.unlink()
    return path.read_text().strip()
