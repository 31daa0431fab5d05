"""Versions of tables and shadow tables: newer ones are refused, earlier ones are rebuilt."""

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
from tests.unit.lake.in_process_lake import InProcessLake, age, array, bag

OPENS = EXPORT_TYPES["OPENS"]
REBUILD = {"rebuild": True}


def opened(event_id: int) -> dict[str, Any]:
    return {"eventId": event_id, "timestamp": "2024-03-01T10:00:00Z"}


def set_version(lake: InProcessLake, version: int, export: str = "OPENS") -> None:
    """Mark the table as written by another version."""
    definition = lake.definition(export) or {}
    parameters = {**definition["Parameters"], "schema_version": str(version)}
    kept = {name: definition[name] for name in ("Name", "TableType", "PartitionKeys", "StorageDescriptor")}
    lake.glue.update_table(DatabaseName=lake.settings.database, TableInput={**kept, "Parameters": parameters})


# Tables


@pytest.mark.parametrize(("export", "key"), [("OPENS", "eventId"), ("LISTS", "listId")])
def test_a_table_of_a_newer_version_is_refused_and_unchanged(lake: InProcessLake, export: str, key: str) -> None:
    lake.load(array([{**opened(1), key: 1}]), export, at=age(1))
    set_version(lake, glue_tables.SCHEMA_VERSION + 1, export)
    before = lake.definition(export), lake.rows(export), lake.objects("curated/")
    with pytest.raises(WrittenByNewer, match="written by a newer version of this stack"):
        lake.load(array([{**opened(2), key: 2}]), export, at=age(2))
    assert (lake.definition(export), lake.rows(export), lake.objects("curated/")) == before


@pytest.mark.parametrize("selection", [{}, REBUILD], ids=["replay", "rebuild"])
def test_a_replay_into_a_table_of_a_newer_version_is_refused(lake: InProcessLake, selection: dict[str, Any]) -> None:
    lake.load(array([opened(1)]), at=age(1))
    set_version(lake, glue_tables.SCHEMA_VERSION + 1)
    before = lake.definition(), lake.rows()
    with pytest.raises(WrittenByNewer):
        lake.replay(selection)
    assert (lake.definition(), lake.rows()) == before


def test_a_newer_table_with_unknown_kinds_is_refused(lake: InProcessLake) -> None:
    lake.load(array([opened(1)]), at=age(1))
    definition = lake.definition() or {}
    storage = dict(definition["StorageDescriptor"])
    storage["Columns"] = [
        {**column, "Parameters": {**column["Parameters"], "kind": "decimal"}} if column.get("Parameters") else column
        for column in storage["Columns"]
    ]
    parameters = {**definition["Parameters"], "schema_version": str(glue_tables.SCHEMA_VERSION + 1)}
    kept = {name: definition[name] for name in ("Name", "TableType", "PartitionKeys")}
    table_input = {**kept, "StorageDescriptor": storage, "Parameters": parameters}
    lake.glue.update_table(DatabaseName=lake.settings.database, TableInput=table_input)
    with pytest.raises(WrittenByNewer):
        lake.catalog.table(OPENS)


def test_the_vacuum_leaves_the_files_of_a_newer_table_alone(lake: InProcessLake) -> None:
    lake.load(array([opened(1)]), at=age(1))
    lake.load(array([{**opened(1), "name": "new"}]), at=age(2))
    set_version(lake, glue_tables.SCHEMA_VERSION + 1)
    before = lake.objects("curated/")
    later = datetime.now(UTC) + timedelta(days=30)
    assert vacuum(OPENS, lake.store, lake.catalog, retention=timedelta(0), now=later) == 0
    assert lake.objects("curated/") == before


def refuse_a_night(lake: InProcessLake, night: int) -> None:
    """A night of this version beside a newer table: its result lands, and is not loaded."""
    lake.land(array([opened(night)]), OPENS, age(night))
    run = lake.execution()
    with pytest.raises(WrittenByNewer):
        lake.load_again("OPENS", age(night), run=run)
    lake.ledger(OPENS).release_lease(run)


def test_what_has_landed_beside_a_newer_table_is_merged_by_a_replay_once_that_version_is_back(
    lake: InProcessLake,
) -> None:
    lake.load(array([opened(1)]), at=age(1))
    set_version(lake, glue_tables.SCHEMA_VERSION + 1)
    refuse_a_night(lake, 2)
    refuse_a_night(lake, 3)
    set_version(lake, glue_tables.SCHEMA_VERSION)
    assert lake.replay({}).outcome == "loaded"
    assert bag(lake.records()) == bag([opened(1), opened(2), opened(3)])


def test_an_older_version_makes_its_own_table_of_raw_when_the_newer_one_is_deleted(lake: InProcessLake) -> None:
    lake.load(array([opened(1)]), at=age(1))
    set_version(lake, glue_tables.SCHEMA_VERSION + 1)
    refuse_a_night(lake, 2)
    lake.glue.delete_table(DatabaseName=lake.settings.database, Name="opens")
    assert lake.replay({}).outcome == "loaded"
    assert bag(lake.records()) == bag([opened(1), opened(2)])


# Shadow tables


def start_rebuild(lake: InProcessLake) -> tuple[RunState, Execution]:
    """Rebuild two batches, and stop after the first is merged."""
    for number in (1, 2):
        lake.load(array([opened(number)]), at=age(number))
    run = lake.execution()
    assert lake.ledger(OPENS).take_lease(run, datetime.now(UTC))
    state = lake.replay_once(RunState(export_type="OPENS", outcome=Outcome.REPLAY, replay=REBUILD), run)
    assert state.outcome == "partial"
    return state, run


def set_shadow_version(lake: InProcessLake, run: Execution, version: int, **more: Any) -> None:
    key = keys.shadow_table(OPENS, run.folder)
    found = json.loads(lake.store.read(key) or b"{}")
    lake.store.write(key, json.dumps({**found, **more, "schema_version": version}).encode(), "application/json")


def test_a_shadow_table_of_an_earlier_version_is_not_resumed(lake: InProcessLake) -> None:
    state, run = start_rebuild(lake)
    before = lake.rows(), lake.definition()
    set_shadow_version(lake, run, shadow_table.SCHEMA_VERSION - 1)
    with pytest.raises(LostShadowTable, match=r"earlier version of this stack .* has to start again"):
        lake.replay_once(state, run)
    assert (lake.rows(), lake.definition()) == before


def test_a_shadow_table_of_an_earlier_version_is_not_switched_to(lake: InProcessLake) -> None:
    state, run = start_rebuild(lake)
    while state.cursor != "switch":
        state = lake.replay_once(state, run)
    before = lake.rows(), lake.definition()
    set_shadow_version(lake, run, shadow_table.SCHEMA_VERSION - 1)
    with pytest.raises(LostShadowTable):
        lake.replay_once(state, run)
    assert (lake.rows(), lake.definition()) == before


def test_the_first_call_of_a_rebuild_restarts_an_earlier_shadow_table(lake: InProcessLake) -> None:
    state, run = start_rebuild(lake)
    stale = {"days": {"1999-01-01": "s3://nowhere/"}}
    set_shadow_version(lake, run, shadow_table.SCHEMA_VERSION - 1, **stale)
    state = RunState(export_type="OPENS", outcome=Outcome.REPLAY, replay=REBUILD)
    while state.outcome in ("replay", "partial"):
        state = lake.replay_once(state, run)
    assert state.outcome == "loaded"
    assert list(lake.partitions()) == ["2024-03-01"]
    assert bag(lake.records()) == bag([opened(1), opened(2)])


@pytest.mark.parametrize("is_first_call", [True, False])
def test_a_shadow_table_of_a_newer_version_with_unknown_fields_is_refused(
    lake: InProcessLake, is_first_call: bool
) -> None:
    state, run = start_rebuild(lake)
    set_shadow_version(lake, run, shadow_table.SCHEMA_VERSION + 1, more=1)
    first = RunState(export_type="OPENS", outcome=Outcome.REPLAY, replay=REBUILD)
    with pytest.raises(WrittenByNewer, match=r"The shadow table .* newer version"):
        lake.replay_once(first if is_first_call else state, run)


# Run records


def test_the_table_of_run_records_has_its_own_version(lake: InProcessLake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_runs, "SCHEMA_VERSION", 77)
    export_runs.write_run_record(lake.store, lake.catalog, "run", {"run": "run"})
    definition = lake.glue.get_table(DatabaseName=lake.settings.database, Name=keys.RUNS_TABLE)["Table"]
    assert definition["Parameters"]["schema_version"] == "77"


# Manifests


def test_the_manifest_keeps_its_name_on_disk_for_a_verified_md5(lake: InProcessLake) -> None:
    at = age(1)
    where = keys.raw(OPENS, *at)
    manifest = Manifest("OPENS", at[1], at[0], "LAST_3_DAYS", "run", where.result, 3, md5="0" * 32, md5_verified=True)
    landing = Landing(lake.s3, lake.settings.bucket)
    landing.write_manifest(manifest)
    stored = json.loads(lake.store.read(where.manifest) or b"{}")
    assert stored["md5_holds"] is True
    assert "md5_verified" not in stored
    assert landing.manifest(OPENS, *at) == manifest
