"""The landing zone: landing is atomic, objects are named by content, the same bytes are stored once."""

import hashlib
import os
import stat
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from upath import UPath

from tests.acceptance.warehouses import at_once, forked
from waybill.landing.entries import entries_of
from waybill.landing.objects import LandedObject, check_account, land, open_object, read_manifest
from waybill.model.errors import SourceError, UsageError

DATA = b'{"event": "open"}\n'
SHA256 = hashlib.sha256(DATA).hexdigest()
FIRST, SECOND = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)


def everything_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_an_object_is_named_by_its_content_with_a_manifest_beside_it(tmp_path: Path) -> None:
    landed = land(BytesIO(DATA), "acme", "sendgrid_events", str(tmp_path), FIRST)
    path = f"acme/sendgrid_events/{SHA256[:2]}/{SHA256}"
    assert landed == LandedObject("acme", "sendgrid_events", SHA256, path, len(DATA), FIRST)
    assert everything_below(tmp_path) == [path, f"{path}.json"]
    assert (tmp_path / path).read_bytes() == DATA
    assert msgspec.json.decode((tmp_path / f"{path}.json").read_bytes(), type=LandedObject) == landed
    with open_object(str(tmp_path), landed) as stream:
        assert stream.read() == DATA


def test_the_same_bytes_keep_the_time_of_their_first_landing(tmp_path: Path) -> None:
    first = land(BytesIO(DATA), "acme", "sendgrid_events", str(tmp_path), FIRST)
    before = everything_below(tmp_path)
    assert land(BytesIO(DATA), "acme", "sendgrid_events", str(tmp_path), SECOND) == first
    assert everything_below(tmp_path) == before
    for account, feed in (("beta", "sendgrid_events"), ("acme", "dispatch_log")):
        assert land(BytesIO(DATA), account, feed, str(tmp_path), SECOND).landed_at == SECOND


def test_four_processes_that_land_the_same_bytes_agree_on_one_landing_time(tmp_path: Path) -> None:
    zone, times_folder = str(tmp_path / "zone"), tmp_path / "times_folder"
    times_folder.mkdir()

    def work(number: int) -> None:
        for turn in range(20):
            landed_at = FIRST.replace(hour=number, minute=turn)
            landed = land(BytesIO(b"%d" % turn), "acme", "dispatch_log", zone, landed_at)
            (times_folder / f"{turn}-{number}").write_text(landed.landed_at.isoformat())

    assert at_once(*[lambda number=number: work(number) for number in range(4)]) == [0, 0, 0, 0]
    for turn in range(20):
        times = {(times_folder / f"{turn}-{number}").read_text() for number in range(4)}
        assert len(times) == 1, times
    assert len(everything_below(tmp_path / "zone")) == 40


def test_an_interrupted_landing_leaves_nothing_behind(tmp_path: Path) -> None:
    class Breaking(BytesIO):
        def read(self, size: int = -1) -> bytes:
            if self.tell():
                raise OSError(5, "Input/output error")
            return super().read(5)

    with pytest.raises(SourceError):
        land(Breaking(DATA), "acme", "sendgrid_events", str(tmp_path))
    assert everything_below(tmp_path) == []


def test_an_object_without_a_manifest_was_never_landed(tmp_path: Path) -> None:
    first = land(BytesIO(DATA), "acme", "sendgrid_events", str(tmp_path), FIRST)
    (tmp_path / f"{first.path}.json").unlink()
    assert read_manifest(str(tmp_path), first.path) is None
    assert land(BytesIO(DATA), "acme", "sendgrid_events", str(tmp_path), SECOND).landed_at == SECOND


def test_a_process_killed_while_landing_leaves_no_object(tmp_path: Path) -> None:
    class Killing(BytesIO):
        def read(self, size: int = -1) -> bytes:
            if self.tell():
                os.kill(os.getpid(), 9)
            return super().read(5)

    assert forked(lambda: land(Killing(DATA), "acme", "sendgrid_events", str(tmp_path))) == -9
    (draft,) = everything_below(tmp_path)
    assert Path(draft).name.startswith(".")
    assert list(entries_of(str(tmp_path))) == []
    assert land(BytesIO(DATA), "acme", "sendgrid_events", str(tmp_path), FIRST).landed_at == FIRST


@pytest.mark.parametrize(
    "account", ["..", "../beta", "/etc", ".hidden", "a/b", "a\\b", "", " ", "a b", "a\n", "ä", "a" * 64]
)
def test_account_names_that_leave_the_folder_are_refused(tmp_path: Path, account: str) -> None:
    with pytest.raises(UsageError, match="expected 1 to 63"):
        land(BytesIO(DATA), account, "sendgrid_events", str(tmp_path / "zone"))
    assert everything_below(tmp_path) == []


@pytest.mark.parametrize("account", ["a", "Acme-2.eu_x", "0", "a" * 63, "a..b"])
def test_account_names_within_the_folder_are_accepted(account: str) -> None:
    assert check_account(account) == account


def test_landing_in_another_filesystem(tmp_path: Path) -> None:
    zone = f"memory://landing-{uuid4().hex}"
    landed = land(BytesIO(DATA), "acme", "sendgrid_events", zone, FIRST)
    with open_object(zone, landed) as stream:
        assert stream.read() == DATA
    assert land(BytesIO(DATA), "acme", "sendgrid_events", zone, SECOND) == landed
    assert read_manifest(zone, landed.path) == landed
    found = [path.name for path in UPath(zone).rglob("*") if path.is_file()]
    assert sorted(found) == [SHA256, f"{SHA256}.json"]
    (UPath(zone) / landed.path).unlink()
    with pytest.raises(SourceError, match="gone"):
        open_object(zone, landed)


def test_a_landing_zone_that_cannot_be_written_is_a_source_error(tmp_path: Path) -> None:
    (tmp_path / "zone").write_text("a file, no folder")
    with pytest.raises(SourceError, match="Cannot write to the landing zone"):
        land(BytesIO(DATA), "acme", "sendgrid_events", str(tmp_path / "zone"))


def test_only_the_owner_can_read_landed_objects_with_any_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        zone = tmp_path / "var" / "landing"
        land(BytesIO(b"somebody@example.com"), "acme", "sendgrid_events", str(zone))
    finally:
        os.umask(before)
    found = [tmp_path / "var", *(tmp_path / "var").rglob("*")]
    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in found}
    assert len(found) == 7
    assert modes == {(True, 0o700), (False, 0o600)}
