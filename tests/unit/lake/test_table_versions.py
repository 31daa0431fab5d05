"""Versions of tables and shadow tables: what a newer version wrote is refused, what an earlier one wrote is rebuilt."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambdas.execution import Execution, RunState
from lambdas.lake.storage import keys
from lambdas.lake.storage.landing import Landing, Manifest
from lambdas.lake.tables import export_runs, glue_tables, shadow_table
from lambdas.lake.tables.shadow_table import LostShadowTable
from lambdas.lake.tables.vacuum import vacuum
from lambdas.outcome import Outcome
from lambdas.schema_version import WrittenByNewer
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.lake.lakehouse import House, age, array, bag

OPENS = EXPORT_TYPES["OPENS"]
REBUILD = {"rebuild": True}


def opened(event_id: int) -> dict[str, Any]:
    return {"eventId": event_id, "timestamp": "2024-03-01T10:00:00Z"}


def set_version(house: House, version: int, export: str = "OPENS") -> None:
    """Have the table say that another version wrote it."""
    made = house.definition(export) or {}
    facts = {**made["Parameters"], "schema_version": str(version)}
    kept = {name: made[name] for name in ("Name", "TableType", "PartitionKeys", "StorageDescriptor")}
    house.glue.update_table(DatabaseName=house.settings.database, TableInput={**kept, "Parameters": facts})


# Tables


@pytest.mark.parametrize(("export", "key"), [("OPENS", "eventId"), ("LISTS", "listId")])
def test_a_table_of_a_newer_version_is_refused_and_stays_as_it_is(house: House, export: str, key: str) -> None:
    house.load(array([{**opened(1), key: 1}]), export, at=age(1))
    set_version(house, glue_tables.SCHEMA_VERSION + 1, export)
    before = house.definition(export), house.rows(export), house.objects("curated/")
    with pytest.raises(WrittenByNewer, match="written by a newer version of this stack"):
        house.load(array([{**opened(2), key: 2}]), export, at=age(2))
    assert (house.definition(export), house.rows(export), house.objects("curated/")) == before


@pytest.mark.parametrize("asked", [{}, REBUILD], ids=["replay", "rebuild"])
def test_a_replay_into_a_table_of_a_newer_version_is_refused(house: House, asked: dict[str, Any]) -> None:
    house.load(array([opened(1)]), at=age(1))
    set_version(house, glue_tables.SCHEMA_VERSION + 1)
    before = house.definition(), house.rows()
    with pytest.raises(WrittenByNewer):
        house.replay(asked)
    assert (house.definition(), house.rows()) == before


def test_a_newer_table_is_refused_also_with_kinds_that_this_version_lacks(house: House) -> None:
    house.load(array([opened(1)]), at=age(1))
    made = house.definition() or {}
    storage = dict(made["StorageDescriptor"])
    storage["Columns"] = [
        {**column, "Parameters": {**column["Parameters"], "kind": "decimal"}} if column.get("Parameters") else column
        for column in storage["Columns"]
    ]
    facts = {**made["Parameters"], "schema_version": str(glue_tables.SCHEMA_VERSION + 1)}
    kept = {name: made[name] for name in ("Name", "TableType", "PartitionKeys")}
    table_input = {**kept, "StorageDescriptor": storage, "Parameters": facts}
    house.glue.update_table(DatabaseName=house.settings.database, TableInput=table_input)
    with pytest.raises(WrittenByNewer):
        house.catalog.table(OPENS)


def test_the_vacuum_leaves_the_files_of_a_newer_table_alone(house: House) -> None:
    house.load(array([opened(1)]), at=age(1))
    house.load(array([{**opened(1), "name": "new"}]), at=age(2))
    set_version(house, glue_tables.SCHEMA_VERSION + 1)
    before = house.objects("curated/")
    later = datetime.now(UTC) + timedelta(days=30)
    assert vacuum(OPENS, house.store, house.catalog, retention=timedelta(0), now=later) == 0
    assert house.objects("curated/") == before


# Shadow tables


def begun(house: House) -> tuple[RunState, Execution]:
    """A rebuild of two batches that has merged the first."""
    for number in (1, 2):
        house.load(array([opened(number)]), at=age(number))
    run = house.execution()
    assert house.ledger(OPENS).take_lease(run, datetime.now(UTC))
    state = house.replay_once(RunState(export_type="OPENS", outcome=Outcome.REPLAY, replay=REBUILD), run)
    assert state.outcome == "partial"
    return state, run


def set_shadow_version(house: House, run: Execution, version: int, **more: Any) -> None:
    key = keys.shadow_table(OPENS, run.folder)
    found = json.loads(house.store.read(key) or b"{}")
    house.store.write(key, json.dumps({**found, **more, "schema_version": version}).encode(), "application/json")


def test_a_shadow_table_of_an_earlier_version_is_not_continued(house: House) -> None:
    state, run = begun(house)
    before = house.rows(), house.definition()
    set_shadow_version(house, run, shadow_table.SCHEMA_VERSION - 1)
    with pytest.raises(LostShadowTable, match=r"earlier version of this stack .* has to start again"):
        house.replay_once(state, run)
    assert (house.rows(), house.definition()) == before


def test_a_shadow_table_of_an_earlier_version_is_not_switched_to(house: House) -> None:
    state, run = begun(house)
    while state.cursor != "switch":
        state = house.replay_once(state, run)
    before = house.rows(), house.definition()
    set_shadow_version(house, run, shadow_table.SCHEMA_VERSION - 1)
    with pytest.raises(LostShadowTable):
        house.replay_once(state, run)
    assert (house.rows(), house.definition()) == before


def test_the_first_call_of_a_rebuild_begins_an_earlier_shadow_table_again(house: House) -> None:
    state, run = begun(house)
    stale = {"days": {"1999-01-01": "s3://nowhere/"}}
    set_shadow_version(house, run, shadow_table.SCHEMA_VERSION - 1, **stale)
    state = RunState(export_type="OPENS", outcome=Outcome.REPLAY, replay=REBUILD)
    while state.outcome in ("replay", "partial"):
        state = house.replay_once(state, run)
    assert state.outcome == "loaded"
    assert list(house.partitions()) == ["2024-03-01"]
    assert bag(house.records()) == bag([opened(1), opened(2)])


@pytest.mark.parametrize("is_first_call", [True, False])
def test_a_shadow_table_of_a_newer_version_is_refused_also_with_unknown_fields(
    house: House, is_first_call: bool
) -> None:
    state, run = begun(house)
    set_shadow_version(house, run, shadow_table.SCHEMA_VERSION + 1, more=1)
    first = RunState(export_type="OPENS", outcome=Outcome.REPLAY, replay=REBUILD)
    with pytest.raises(WrittenByNewer, match=r"The shadow table .* newer version"):
        house.replay_once(first if is_first_call else state, run)


# Run records


def test_the_table_of_run_records_has_a_version_of_its_own(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_runs, "SCHEMA_VERSION", 77)
    export_runs.write_run_record(house.store, house.catalog, "run", {"run": "run"})
    made = house.glue.get_table(DatabaseName=house.settings.database, Name=keys.RUNS_TABLE)["Table"]
    assert made["Parameters"]["schema_version"] == "77"


# Manifests


def test_the_manifest_keeps_its_name_on_disk_for_a_verified_md5(house: House) -> None:
    at = age(1)
    where = keys.raw(OPENS, *at)
    manifest = Manifest("OPENS", at[1], at[0], "LAST_3_DAYS", "run", where.result, 3, md5="0" * 32, md5_verified=True)
    landing = Landing(house.s3, house.settings.bucket)
    landing.write_manifest(manifest)
    stored = json.loads(house.store.read(where.manifest) or b"{}")
    assert stored["md5_holds"] is True
    assert "md5_verified" not in stored
    assert landing.manifest(OPENS, *at) == manifest
