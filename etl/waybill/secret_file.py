"""Files and folders that only their owner may read, whatever the umask is; and secrets, each in such a file."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO


def private_folder(path: Path) -> None:
    """Create a folder and its missing parents (mode 0700). Existing folders keep their mode."""
    for folder in (*reversed(path.parents), path):
        with suppress(FileExistsError):
            if not folder.is_dir():
                folder.mkdir(mode=0o700)


def private_file(path: Path) -> BinaryIO:
    """Create a file (mode 0600) and open it for writing."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def read_or_create(path: Path, make: Callable[[], str]) -> str:
    """Return the secret in a file; if the file is missing, create it (mode 0600). Two processes at the same time get
    the same secret."""
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
