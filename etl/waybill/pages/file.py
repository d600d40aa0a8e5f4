"""Writes the file of a page."""

from pathlib import Path
from tempfile import NamedTemporaryFile


def replace_file(file: Path, page: str) -> None:
    """Write the page. A reader always gets a complete page, the old or the new one."""
    with NamedTemporaryFile("w", dir=file.parent, prefix=f".{file.name}.", encoding="utf-8", delete=False) as made:
        try:
            made.write(page)
            made.flush()
            Path(made.name).chmod(0o644)
            Path(made.name).replace(file)
        except OSError:
            Path(made.name).unlink()
            raise
