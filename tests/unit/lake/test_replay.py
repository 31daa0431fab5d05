"""Replay: tables from raw/ alone, merged into the visible table or rebuilt in a shadow table."""

from dataclasses import replace
from typing import Any

import pytest

from lambdas.execution import BadInput, RunState
from lambdas.lake.storage import keys
from lambdas.lake.tables.shadow_table import LostShadowTable
from lambdas.ledger.orders import DEAD, LOADED, Order
from lambdas.outcome import Outcome
from lambdas.steps.replay_request import Selection
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.lake.in_process_lake import Age, InProcessLake, age, array, bag, lines

OPENS = EXPORT_TYPES["OPENS"]
REBUILD = {"rebuild": True}


def opened(event_id: int, day: int = 1, **more: Any) -> dict[str, Any]:
    return {"eventId": event_id, "contactId": f"k{event_id}", "timestamp": f"2024-03-0{day}T10:00:00Z", **more}


def on(day: int) -> Age:
    """The age of a batch ordered on that day of March."""
    return f"2024-03-0{day}T03:30:00.000000+00:00", f"batch-{day}"


NIGHTS = {
    1: [opened(1), opened(2, name="old")],
    2: [opened(2, name="new"), opened(3, 2)],
    3: [opened(3, 2), opened(4, 3, more=0.5)],
}
UNION = [opened(1), opened(2, name="new"), opened(3, 2), opened(4, 3, more=0.5)]


def load_nights(lake: InProcessLake, export: str = "OPENS", **changed: Any) -> None:
    for day, records in NIGHTS.items():
        order(lake, export, on(day))
        keyed = [{"listId": record["eventId"], **record} for record in records] if export == "LISTS" else records
        assert lake.load(array(keyed), export, on(day), **changed).outcome == "loaded"


def order(lake: InProcessLake, export: str, at: Age) -> None:
    """Record a batch in the ledger, as ordering it does."""
    lake.ledger(EXPORT_TYPES[export]).write_order(lake.execution(), Order(at[0], 0, at[1], at[0]), "LAST_3_DAYS")


def refusal(lake: InProcessLake, state: RunState, before: Any) -> str:
    """The reason of a replay that was refused and changed nothing."""
    assert state.outcome == "failed"
    assert (lake.rows(), lake.partitions(), lake.columns()) == before
    return str(state.reason)


def visible(lake: InProcessLake) -> Any:
    return lake.rows(), lake.partitions(), lake.columns()


# Without a rebuild


def test_replaying_loaded_batches_is_idempotent(lake: InProcessLake) -> None:
    load_nights(lake)
    before = visible(lake)
    state = lake.replay({})
    assert state.outcome == "loaded"
    assert state.tally is not None
    assert (state.tally["batches"], state.tally["new"], state.tally["updated"]) == (3, 0, 0)
    assert visible(lake) == before


def test_a_replay_restores_a_dropped_table(lake: InProcessLake) -> None:
    load_nights(lake)
    lake.glue.delete_table(DatabaseName=lake.settings.database, Name="opens")
    assert lake.replay({}).outcome == "loaded"
    assert bag(lake.records()) == bag(UNION)


def test_batches_are_selected_by_the_day_they_were_ordered(lake: InProcessLake) -> None:
    load_nights(lake)
    lake.glue.delete_table(DatabaseName=lake.settings.database, Name="opens")
    state = lake.replay({"from": "2024-03-02", "to": "2024-03-02"})
    assert state.tally is not None
    assert state.tally["batches"] == 1
    assert bag(lake.records()) == bag(NIGHTS[2])
    lake.replay({"from": "2024-03-02"})
    assert bag(lake.records()) == bag([*NIGHTS[2], opened(4, 3, more=0.5)])
    lake.replay({"to": "2024-03-01"})
    assert bag(lake.records()) == bag(UNION)


def test_a_selection_without_batches_is_refused(lake: InProcessLake) -> None:
    load_nights(lake)
    state = lake.replay({"from": "2025-01-01"})
    assert state.outcome == "failed"
    assert "No batch of OPENS" in str(state.reason)


def test_a_dead_batch_is_loaded_by_a_replay_that_succeeds(lake: InProcessLake) -> None:
    order(lake, "OPENS", on(1))
    records = lines([opened(1), opened(2)]) + b"oops\n" * 11
    assert lake.load(records, at=on(1)).outcome == "failed"
    ledger = lake.ledger(OPENS)
    run = lake.execution()
    ledger.adopt(ledger.unloaded_batches()[0], run)
    assert ledger.mark_batch_failed("batch-1", run, final=True) == DEAD
    assert lake.replay({}).outcome == "failed"
    assert lake.replay({}, quarantine_ratio=0.9).outcome == "loaded"
    assert len(lake.rows()) == 2
    assert [batch.status for batch in ledger.loaded_batches()] == [LOADED]


def test_a_replayed_day_never_overwrites_a_visible_file(lake: InProcessLake) -> None:
    load_nights(lake)
    lake.glue.delete_table(DatabaseName=lake.settings.database, Name="opens")
    lake.replay({})
    assert len(lake.objects("curated/opens/dt=2024-03-01/")) == 4


# A rebuild


@pytest.mark.parametrize("export", ["OPENS", "LISTS"])
def test_a_rebuild_reproduces_the_table(lake: InProcessLake, export: str) -> None:
    load_nights(lake, export)
    before = lake.rows(export)
    state = lake.replay(REBUILD, export)
    assert state.outcome == "loaded", state.reason
    assert state.tally is not None
    assert state.tally["batches"] == 3
    by_row = lambda row: str(sorted(row.items(), key=str))  # noqa: E731
    assert sorted(lake.rows(export), key=by_row) == sorted(before, key=by_row)


def test_a_rebuild_without_a_batch_removes_its_rows_permanently(lake: InProcessLake) -> None:
    load_nights(lake)
    state = lake.replay({"except": ["batch-3"], "rebuild": True})
    assert state.outcome == "loaded", state.reason
    assert bag(lake.records()) == bag(UNION[:3])
    assert sorted(lake.partitions()) == ["2024-03-01", "2024-03-02"]
    assert "more" not in lake.columns()
    assert lake.replay({}).outcome == "loaded"
    again = lake.load_again("OPENS", on(3))
    assert again.outcome == "failed"
    assert "without batch batch-3" in str(again.reason)
    assert bag(lake.records()) == bag(UNION[:3])
    assert lake.replay(REBUILD).outcome == "loaded"
    assert bag(lake.records()) == bag(UNION)


def test_a_rebuild_adopts_another_time_zone(lake: InProcessLake) -> None:
    late = {"eventId": 1, "timestamp": "2024-03-01T23:30:00Z"}
    lake.load(array([late]), at=on(1))
    assert lake.load(array([late]), at=on(2), time_zone="Europe/Stockholm").outcome == "failed"
    assert lake.replay(REBUILD, time_zone="Europe/Stockholm").outcome == "loaded"
    assert [row["dt"] for row in lake.rows()] == ["2024-03-02"]
    assert lake.load(array([opened(2)]), at=on(3), time_zone="Europe/Stockholm").outcome == "loaded"


def test_a_rebuild_that_decides_the_profile_anew_adopts_other_identity_fields_and_kinds(lake: InProcessLake) -> None:
    lake.load(array([opened(1, contactId="a", size=1)]), at=on(2))
    lake.load(array([opened(1, contactId="b", size="x")]), at=on(1))
    chosen: dict[str, Any] = {"identity_fields": {"OPENS": ("eventId", "contactId")}}
    assert lake.replay({**REBUILD, "reprofile": True}, **chosen).outcome == "loaded"
    table = lake.catalog.table(OPENS)
    assert table is not None
    assert table.profile.identity == ("eventId", "contactId")
    assert {(row["contact_id"], row["size"]) for row in lake.rows()} == {("a", "1"), ("b", "x")}
    assert lake.columns()["size"] == "string"


def test_manual_changes_to_a_table_survive_a_rebuild(lake: InProcessLake) -> None:
    load_nights(lake)
    definition = dict(lake.definition() or {})
    kept = {name: definition[name] for name in ("Name", "TableType", "PartitionKeys", "StorageDescriptor")}
    kept |= {"Description": "Ours", "Parameters": definition["Parameters"] | {"owner": "team"}}
    lake.glue.update_table(DatabaseName=lake.settings.database, TableInput=kept)
    lake.replay(REBUILD)
    after = lake.definition() or {}
    assert (after["Description"], after["Parameters"]["owner"]) == ("Ours", "team")


def test_a_rebuild_without_retention_leaves_one_file_per_day(lake: InProcessLake) -> None:
    load_nights(lake)
    lake.replay(REBUILD, superseded_retention_hours=0)
    assert len(lake.objects("curated/opens/")) == len(lake.partitions()) == 3
    assert lake.objects("curated/_drafts/") == []


@pytest.mark.parametrize("gone", ["result", "manifest.json"])
def test_a_rebuild_from_incomplete_raw_is_refused_and_changes_nothing(lake: InProcessLake, gone: str) -> None:
    load_nights(lake)
    before = visible(lake)
    lake.store.delete([key for key in lake.objects("raw/") if "batch-2" in key and key.endswith(gone)])
    reason = refusal(lake, lake.replay(REBUILD), before)
    assert "batch-2 (2024-03-02)" in reason
    assert "--except" in reason
    assert lake.replay({"except": ["batch-2"], "rebuild": True}).outcome == "loaded"
    assert bag(lake.records()) == bag([opened(1), opened(2, name="old"), *NIGHTS[3]])


def test_a_raw_object_lost_during_a_rebuild_is_detected_before_the_switch(lake: InProcessLake) -> None:
    load_nights(lake)
    before = visible(lake)
    run = lake.execution()
    lake.ledger(OPENS).take_lease(run, run.started_at)
    state = RunState(export_type="OPENS", outcome=Outcome.REPLAY, replay=REBUILD)
    while state.cursor != "switch":
        state = lake.replay_once(state, run)
    lake.store.delete([key for key in lake.objects("raw/") if "batch-1" in key])
    assert "batch-1" in refusal(lake, lake.replay_once(state, run), before)


def test_a_rebuild_with_an_unreadable_file_names_it_and_changes_nothing(lake: InProcessLake) -> None:
    load_nights(lake)
    before = visible(lake)
    lake.land(b'[{"eventId":5', OPENS, on(4))
    reason = refusal(lake, lake.replay(REBUILD), before)
    assert "Batch batch-4, ordered 2024-03-04" in reason
    assert "--except batch-4" in reason


def test_an_unknown_batch_to_exclude_is_refused(lake: InProcessLake) -> None:
    load_nights(lake)
    before = visible(lake)
    assert "batch-9: no such batch" in refusal(lake, lake.replay({"except": ["batch-9"], "rebuild": True}), before)


def test_a_rebuild_without_rows_is_refused(lake: InProcessLake) -> None:
    lake.load(array([opened(1)]), at=on(1))
    before = visible(lake)
    assert "no rows" in refusal(lake, lake.replay({"except": ["batch-1"], "rebuild": True}), before)


def test_a_deleted_shadow_table_is_never_published_in_part(lake: InProcessLake) -> None:
    load_nights(lake)
    before = visible(lake)
    run = lake.execution()
    lake.ledger(OPENS).take_lease(run, run.started_at)
    state = lake.replay_once(RunState(export_type="OPENS", outcome=Outcome.REPLAY, replay=REBUILD), run)
    lake.store.delete([keys.shadow_table(OPENS, run.folder)])
    with pytest.raises(LostShadowTable):
        lake.replay_once(state, run)
    assert visible(lake) == before


def test_state_of_a_replay_does_not_grow_with_its_batches(lake: InProcessLake) -> None:
    for day in range(1, 9):
        lake.load(array([opened(day, day, **{f"field{day}": 1})]), at=on(day))
    for request_json in ({}, REBUILD):
        state = lake.replay(request_json)
        assert state.tally is not None
        assert state.tally["batches"] == 8
        assert len(str(replace(state, replay=None).to_json())) < 700


# The request


@pytest.mark.parametrize(
    ("request_json", "words"),
    [
        ({"form": "2024-03-01"}, "'form'"),
        ({"from": "yesterday"}, "replay.from must be a day"),
        ({"to": 20240301}, "replay.to must be a day"),
        ({"from": "2024-03-02", "to": "2024-03-01"}, "is after"),
        ({"except": "batch-1"}, "list of batch ids"),
        ({"except": [5], "rebuild": True}, "list of batch ids"),
        ({"except": ["1"]}, "use --except together with --rebuild"),
        ({"except": [str(n) for n in range(501)], "rebuild": True}, "at most 500"),
        ({"rebuild": "yes"}, "true or false"),
        ({"rebuild": True, "from": "2024-03-01"}, "A rebuild takes all of raw"),
        ({"reprofile": True}, "use --reprofile with --rebuild"),
        ({"rebuild": True, "reprofile": 1}, "true or false"),
    ],
)
def test_an_invalid_request_is_refused_with_one_sentence(request_json: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput) as caught:
        Selection.from_json(request_json)
    assert words in str(caught.value)
    assert str(caught.value).endswith(".") or str(caught.value).endswith(").")


def test_a_replay_keeps_the_age_of_a_batch(lake: InProcessLake) -> None:
    lake.load(array([opened(1, name="new")]), at=age(2))
    lake.load(array([opened(1, name="old")]), at=age(1))
    lake.replay(REBUILD)
    assert bag(lake.records()) == bag([opened(1, name="new")])
