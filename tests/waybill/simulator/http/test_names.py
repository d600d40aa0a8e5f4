"""The HTTP side of the simulator serves every API, so it names none."""

import re
from pathlib import Path

from waybill.feeds.providers import PROVIDERS
from waybill.simulator import http


def test_no_module_names_a_provider() -> None:
    names = re.compile(rf"\b({'|'.join(PROVIDERS)})\b", re.IGNORECASE)
    files = sorted(Path(http.__path__[0]).glob("*.py"))
    assert len(files) > 9
    assert len(PROVIDERS) > 5
    assert [file.name for file in files if names.search(file.read_text())] == []
