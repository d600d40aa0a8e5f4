"""The places of settings and paths: this machine, an object store, or an error."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from upath import UPath

from waybill.landing.objects import check_writable, land
from waybill.landing.places import EXTRAS, is_object_store, place
from waybill.model.errors import ConfigurationError, SourceError

MISSING = """
import sys
for package in ("s3fs", "gcsfs", "adlfs"):
    sys.modules[package] = None
from waybill.landing.places import place
from waybill.model.errors import ConfigurationError
try:
    place(sys.argv[1])
except ConfigurationError as error:
    print(error)
"""


@pytest.mark.parametrize("url", ["{}", "file://{}", "local://{}"])
def test_a_place_on_this_machine_is_a_path_in_all_spellings(tmp_path: Path, url: str) -> None:
    found = place(url.format(tmp_path))
    assert isinstance(found, Path) and found == tmp_path


@pytest.mark.parametrize("scheme", EXTRAS)
def test_object_stores_by_scheme(scheme: str) -> None:
    assert is_object_store(place(f"{scheme}://bucket/inbox"))


def test_other_places_are_no_object_stores() -> None:
    assert not is_object_store(place("memory://x")) and isinstance(place("memory://x"), UPath)


@pytest.mark.parametrize(("url", "extra"), [("s3://a/b", "s3"), ("gs://a/b", "gcs"), ("abfs://a/b", "azure")])
def test_a_missing_package_is_named_with_its_extra(url: str, extra: str) -> None:
    message = subprocess.run([sys.executable, "-c", MISSING, url], capture_output=True, text=True, check=True).stdout
    scheme = url.partition(":")[0]
    assert message.startswith(f"{url}: the package for {scheme}:// is not installed. Install Waybill with its extra: ")
    assert f"pip install 'waybill[{extra}]'" in message


@pytest.mark.parametrize("url", ["nothing://reader:hunter2@host/x", "s4://bucket/x"])
def test_an_unknown_scheme_is_named_without_the_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match=url.partition(":")[0]) as message:
        place(url)
    assert "hunter2" not in str(message.value)


@pytest.mark.parametrize("url", ["sftp://reader:hunter2@host/x", "s4://reader:hunter2@host/x"])
def test_a_landing_zone_that_cannot_be_used_is_named_with_its_setting(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "paramiko", None)
    for use in (check_writable, lambda zone: land(BytesIO(b"{}"), "acme", "sendgrid_events", zone)):
        with pytest.raises(ConfigurationError, match=r"^LANDING_URL=s\w+://reader:\*\*\*@host/x") as message:
            use(url)
        assert "hunter2" not in str(message.value)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1:1/x", "http://127.0.0.1:1/x"])
def test_a_landing_zone_that_cannot_be_written_is_named_with_its_setting(url: str) -> None:
    with pytest.raises(ConfigurationError, match="Set LANDING_URL to a place that can be written"):
        check_writable(url)
    with pytest.raises(SourceError, match=r"\(LANDING_URL\)"):
        land(BytesIO(b"{}"), "acme", "sendgrid_events", url)
