"""Landing zone and inbox in an object store: the real s3fs with moto's server on the loopback interface."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
import s3fs
from moto.server import ThreadedMotoServer

from tests.conftest import Warehouse
from tests.waybill.cli.commands import environment_of, waybill
from tests.waybill.load.loading import Loads, as_file, sendgrid
from waybill.feeds import FEEDS
from waybill.landing import inbox
from waybill.landing import objects as landing
from waybill.landing.objects import LandedObject, check_writable, land, open_object, read_manifest
from waybill.landing.sources import landed_inbox, landed_paths
from waybill.model.errors import ConfigurationError, SourceError

MAIL = FEEDS["sendgrid_events"]
LANDING, INBOX = "s3://waybill/landing", "s3://waybill/inbox"
FIRST, SECOND = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
DATA = b'{"event": "open"}\n'


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def store(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[s3fs.S3FileSystem]:
    """An empty bucket `waybill`, with access by the environment as in production."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "reader")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()
    store = s3fs.S3FileSystem()
    store.mkdir("waybill")
    yield store
    urlopen(Request(f"{address}/moto-api/reset", method="POST")).close()
    s3fs.S3FileSystem.clear_instance_cache()


def put(store: s3fs.S3FileSystem, name: str, number: int) -> bytes:
    bytes_of = as_file("sendgrid_events", (sendgrid("open", f"2026-03-01 10:{number:02}"),))
    store.pipe_file(f"waybill/{name}", bytes_of)
    return bytes_of


def name_of(landed: LandedObject) -> str:
    """The file's name in its folder."""
    return landed.source.rpartition("/")[2]


def keys(store: s3fs.S3FileSystem) -> list[str]:
    store.invalidate_cache()
    return sorted(store.find("waybill"))


def test_files_are_discovered_landed_loaded_and_replayed(
    loads: Loads, store: s3fs.S3FileSystem, tmp_path: Path
) -> None:
    first = put(store, "inbox/acme/sendgrid_events/2026/03/a.json", 1)
    put(store, "inbox/beta/sendgrid_events/b.json", 2)
    put(store, "inbox/beta/sendgrid_events/c.json.part", 3)
    loads.use(landing_url=LANDING, inbox_url=INBOX)
    landed = list(landed_inbox(loads.settings, MAIL, None))
    assert [(item.account, name_of(item)) for item in landed] == [
        ("acme", "a.json"),
        ("beta", "b.json"),
    ]
    assert store.cat_file(f"waybill/landing/{landed[0].path}") == first
    done = loads.load_all("sendgrid_events", landed)
    assert [(item.row.account, item.row.loaded_count) for item in done] == [("acme", 1), ("beta", 1)]
    before = loads.rows("select event_key, event_at from fact.event order by 1")
    assert len(before) == 2
    replayed = loads.replay("sendgrid_events", "2026-03-01 00:00", "2026-03-02 00:00")
    assert [row.unchanged_count for row in replayed] == [1, 1]
    assert loads.rows("select event_key, event_at from fact.event order by 1") == before
    again = loads.load_all("sendgrid_events", list(landed_inbox(loads.settings, MAIL, None)))
    assert [item.is_new for item in again] == [False, False]


def test_a_landed_object_has_its_final_name_at_once_and_its_manifest_last(
    store: s3fs.S3FileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    write = landing._write_manifest
    monkeypatch.setattr(landing, "_write_manifest", lambda *rest: seen.append(keys(store)) or write(*rest))
    landed = land(BytesIO(DATA), "acme", "sendgrid_events", LANDING, FIRST)
    path = f"waybill/landing/{landed.path}"
    assert seen == [[path]]
    assert keys(store) == [path, f"{path}.json"]
    assert read_manifest(LANDING, landed.path) == landed
    with open_object(LANDING, landed) as stream:
        assert stream.read() == DATA


def test_the_same_bytes_keep_the_time_of_their_first_landing(
    store: s3fs.S3FileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = land(BytesIO(DATA), "acme", "sendgrid_events", LANDING, FIRST)
    assert land(BytesIO(DATA), "acme", "sendgrid_events", LANDING, SECOND) == first
    # as if both had checked the manifest before either wrote it
    looks = iter([None])
    read = landing.read_manifest
    monkeypatch.setattr(landing, "read_manifest", lambda *rest: next(looks, read(*rest)))
    assert land(BytesIO(DATA), "acme", "sendgrid_events", LANDING, SECOND) == first
    assert next(looks, "asked") == "asked"
    assert len(keys(store)) == 2


def test_an_interrupted_landing_leaves_nothing_behind(store: s3fs.S3FileSystem) -> None:
    class Breaking(BytesIO):
        def read(self, size: int = -1) -> bytes:
            if self.tell():
                raise OSError(5, "Input/output error")
            return super().read(5)

    with pytest.raises(SourceError):
        land(Breaking(DATA), "acme", "sendgrid_events", LANDING)
    assert keys(store) == []


def test_landing_a_damaged_object_again_repairs_it(store: s3fs.S3FileSystem) -> None:
    landed = land(BytesIO(DATA), "acme", "sendgrid_events", LANDING, FIRST)
    path = f"waybill/landing/{landed.path}"
    store.pipe_file(path, b"other bytes")
    with pytest.raises(SourceError, match="damaged"):
        open_object(LANDING, landed)
    store.rm(path)
    with pytest.raises(SourceError, match="is gone from s3://waybill/landing"):
        open_object(LANDING, landed)
    assert land(BytesIO(DATA), "acme", "sendgrid_events", LANDING, SECOND) == landed
    open_object(LANDING, landed).close()


def test_unreadable_objects_of_a_bucket_are_named(loads: Loads, store: s3fs.S3FileSystem) -> None:
    loads.use(landing_url=LANDING, inbox_url=INBOX)
    put(store, "inbox/acme/sendgrid/a.json", 1)
    put(store, "inbox/acme/sendgrid_events//b.json", 2)
    put(store, "inbox/acme/sendgrid_events/red\x1b[31m", 3)
    store.pipe_file("waybill/inbox/acme/sendgrid_events/folder/", b"")
    (message,) = inbox.misplaced(loads.settings)
    assert message.startswith(f"acme/sendgrid/ is the folder of no feed; feeds are: {', '.join(FEEDS)}")
    assert [name_of(item) for item in landed_inbox(loads.settings, MAIL, "acme")] == [
        "b.json",
        "red\\x1b[31m",
    ]
    assert [
        item.source.rpartition("/")[2]
        for item in landed_paths(loads.settings, MAIL, "acme", [f"{INBOX}/acme/sendgrid"])
    ] == ["a.json"]


def test_an_empty_inbox_is_no_error(loads: Loads) -> None:
    loads.use(inbox_url=INBOX)
    assert inbox.accounts(loads.settings, MAIL) == [] and inbox.misplaced(loads.settings) == []


def test_a_missing_bucket_is_named_and_not_created(loads: Loads, store: s3fs.S3FileSystem) -> None:
    loads.use(inbox_url="s3://waybil/inbox")
    with pytest.raises(ConfigurationError, match="There is no inbox at s3://waybil/inbox"):
        inbox.accounts(loads.settings, MAIL)
    with pytest.raises(ConfigurationError, match="cannot write to the landing zone s3://waybil/landing"):
        check_writable("s3://waybil/landing")
    assert store.ls("", refresh=True) == ["waybill"]


def test_the_command_line_reads_and_lands_files_in_a_bucket(warehouse: Warehouse, store: s3fs.S3FileSystem) -> None:
    put(store, "inbox/acme/sendgrid_events/a.json", 1)
    settings = environment_of(warehouse, LANDING_URL=LANDING, INBOX_URL=INBOX)
    answer = waybill("pull", "sendgrid_events", "--json", settings=settings)
    assert (answer.code, [row["loaded_count"] for row in json.loads(answer.out)]) == (0, [1])
    answer = waybill("load", "sendgrid_events", "s3://waybill/nothing", settings=settings)
    assert answer.code == 2 and "s3://waybill/nothing: no such file or folder" in answer.err
    assert len([key for key in keys(store) if key.startswith("waybill/landing/")]) == 2


def test_an_unreachable_store_is_a_source_error(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3fs.S3FileSystem.clear_instance_cache()
    for setting in ("LANDING_URL", "INBOX_URL"):
        answer = waybill(
            "pull", "sendgrid_events", settings=environment_of(warehouse, **{setting: "s3://waybill/place"})
        )
        assert answer.code == 3, answer.err
        assert "s3://waybill/place: " in answer.err and "bug" not in answer.err and "hunter2" not in answer.err
