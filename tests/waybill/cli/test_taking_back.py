"""unload, and load after it."""

from pathlib import Path

from tests.conftest import Warehouse
from tests.waybill.cli.commands import environment_of, waybill
from tests.waybill.load.loading import as_file, sendgrid


def test_an_unloaded_file_stays_out_until_it_is_loaded_again(warehouse: Warehouse, tmp_path: Path) -> None:
    settings = environment_of(warehouse)
    file = tmp_path / "wrong.ndjson"
    file.write_bytes(as_file("sendgrid_events", (sendgrid("unheard_of", "2026-03-01 10:00"),)))
    load = ("load", "sendgrid_events", str(file))
    assert waybill(*load, settings=settings).code == 0
    before = waybill("status", settings=settings)
    assert "load 1: event_staging.event_type_mapped" in before.out + before.err
    done = waybill("unload", "1", "--because", "wrong account", "--by", "ann", settings=settings)
    assert done.code == 0 and "Load 1 was unloaded." in done.err
    after = waybill("status", settings=settings)
    assert "event_type_mapped" not in after.out + after.err
    assert "unloaded by ann: wrong account before" in waybill("unload", "1", "--because", "x", settings=settings).err

    skipped = waybill(*load, settings=settings)
    assert skipped.code == 0 and skipped.out == ""
    assert "Nothing was loaded: 1 file was unloaded before." in skipped.err and "no file in" not in skipped.err
    assert warehouse.rows("select count(*) from fact.event") == [(0,)]
    assert waybill(*load, "--again", settings=settings).code == 0
    assert warehouse.rows("select count(*) from fact.event") == [(1,)]
