"""Replay: the tables again from raw/ alone, merged in, or made anew beside what readers see."""

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
from tests.unit.lake.lakehouse import Age, House, age, array, bag

OPENS = EXPORT_TYPES["OPENS"]
REBUILD = {"rebuild": True}


def opened(event_id: int, day: int = 1, **more: Any) -> dict[str, Any]:
    return {"eventId": event_id, "timestamp": f"2024-03-0{day}T10:00:00Z", **more}


def on(day: int) -> Age:
    """The age of a batch that was ordered on that day of March."""
    return f"2024-03-0{day}T03:30:00.000000+00:00", f"batch-{day}"


NIGHTS = {
    1: [opened(1), opened(2, name="old")],
    2: [opened(2, name="new"), opened(3, 2)],
    3: [opened(3, 2), opened(4, 3, more=0.5)],
}
UNION = [opened(1), opened(2, name="new"), opened(3, 2), opened(4, 3, more=0.5)]


def load_nights(house: House, export: str = "OPENS", **changed: Any) -> None:
    for day, records in NIGHTS.items():
        order(house, export, on(day))
        assert house.load(array(records), export, on(day), **changed).outcome == "loaded"


def order(house: House, export: str, at: Age) -> None:
    """Have the ledger know a batch, as ordering it does."""
    house.ledger(EXPORT_TYPES[export]).write_order(house.execution(), Order(at[0], 0, at[1], at[0]), "LAST_3_DAYS")


def unchanged(house: House, state: RunState, before: Any) -> str:
    """The sentence of a replay that was refused and changed nothing."""
    assert state.outcome == "failed"
    assert (house.rows(), house.partitions(), house.columns()) == before
    return str(state.reason)


def seen(house: House) -> Any:
    return house.rows(), house.partitions(), house.columns()


# Without a rebuild


def test_replaying_what_is_loaded_changes_nothing(house: House) -> None:
    load_nights(house)
    before = seen(house)
    state = house.replay({})
    assert state.outcome == "loaded"
    assert state.tally is not None
    assert (state.tally["batches"], state.tally["new"], state.tally["updated"]) == (3, 0, 0)
    assert seen(house) == before


def test_replay_brings_back_what_a_table_has_lost(house: House) -> None:
    load_nights(house)
    house.glue.delete_table(DatabaseName=house.settings.database, Name="opens")
    assert house.replay({}).outcome == "loaded"
    assert bag(house.records()) == bag(UNION)


def test_days_of_order_choose_the_batches(house: House) -> None:
    load_nights(house)
    house.glue.delete_table(DatabaseName=house.settings.database, Name="opens")
    state = house.replay({"from": "2024-03-02", "to": "2024-03-02"})
    assert state.tally is not None
    assert state.tally["batches"] == 1
    assert bag(house.records()) == bag(NIGHTS[2])
    house.replay({"from": "2024-03-02"})
    assert bag(house.records()) == bag([*NIGHTS[2], opened(4, 3, more=0.5)])
    house.replay({"to": "2024-03-01"})
    assert bag(house.records()) == bag(UNION)


def test_no_batch_in_that_time_is_told(house: House) -> None:
    load_nights(house)
    state = house.replay({"from": "2025-01-01"})
    assert state.outcome == "failed"
    assert "No batch of OPENS" in str(state.reason)


def test_batch_that_once_failed_is_loaded_when_it_can_be(house: House) -> None:
    order(house, "OPENS", on(1))
    doubled = array([opened(1, name="a"), opened(1, name="b")])
    assert house.load(doubled, at=on(1)).outcome == "failed"
    ledger = house.ledger(OPENS)
    run = house.execution()
    ledger.adopt(ledger.unloaded_batches()[0], run)
    assert ledger.mark_batch_failed("batch-1", run, final=True) == DEAD
    assert house.replay({}).outcome == "failed"
    assert house.replay({}, identity_fields={"OPENS": ("eventId", "name")}).outcome == "loaded"
    assert len(house.rows()) == 2
    assert [batch.status for batch in ledger.loaded_batches()] == [LOADED]


def test_replayed_day_never_writes_over_a_file_that_readers_see(house: House) -> None:
    load_nights(house)
    house.glue.delete_table(DatabaseName=house.settings.database, Name="opens")
    house.replay({})
    assert len(house.objects("curated/opens/dt=2024-03-01/")) == 4


# A rebuild


@pytest.mark.parametrize("export", ["OPENS", "LISTS"])
def test_rebuilt_table_is_the_table(house: House, export: str) -> None:
    load_nights(house, export)
    before = house.rows(export)
    state = house.replay(REBUILD, export)
    assert state.outcome == "loaded", state.reason
    assert state.tally is not None
    assert state.tally["batches"] == 3
    by_row = lambda row: str(sorted(row.items(), key=str))  # noqa: E731
    assert sorted(house.rows(export), key=by_row) == sorted(before, key=by_row)


def test_rebuild_without_a_batch_takes_its_rows_out_for_good(house: House) -> None:
    load_nights(house)
    state = house.replay({"except": ["batch-3"], "rebuild": True})
    assert state.outcome == "loaded", state.reason
    assert bag(house.records()) == bag(UNION[:3])
    assert sorted(house.partitions()) == ["2024-03-01", "2024-03-02"]
    assert "more" not in house.columns()
    assert house.replay({}).outcome == "loaded"
    again = house.load_again("OPENS", on(3))
    assert again.outcome == "failed"
    assert "without batch batch-3" in str(again.reason)
    assert bag(house.records()) == bag(UNION[:3])
    assert house.replay(REBUILD).outcome == "loaded"
    assert bag(house.records()) == bag(UNION)


def test_rebuild_takes_another_time_zone(house: House) -> None:
    late = {"eventId": 1, "timestamp": "2024-03-01T23:30:00Z"}
    house.load(array([late]), at=on(1))
    assert house.load(array([late]), at=on(2), time_zone="Europe/Stockholm").outcome == "failed"
    assert house.replay(REBUILD, time_zone="Europe/Stockholm").outcome == "loaded"
    assert [row["dt"] for row in house.rows()] == ["2024-03-02"]
    assert house.load(array([opened(2)]), at=on(3), time_zone="Europe/Stockholm").outcome == "loaded"


def test_rebuild_takes_other_identity_fields_and_kinds(house: House) -> None:
    house.load(array([opened(1, contactId="a", size=1)]), at=on(2))
    house.load(array([opened(1, contactId="b", size="x")]), at=on(1))
    assert house.replay(REBUILD, identity_fields={"OPENS": ("contactId",)}).outcome == "loaded"
    assert {(row["contact_id"], row["size"]) for row in house.rows()} == {("a", None), ("b", "x")}
    assert house.columns()["size"] == "string"


def test_what_a_person_set_on_a_table_stays_through_a_rebuild(house: House) -> None:
    load_nights(house)
    definition = dict(house.definition() or {})
    kept = {name: definition[name] for name in ("Name", "TableType", "PartitionKeys", "StorageDescriptor")}
    kept |= {"Description": "Ours", "Parameters": definition["Parameters"] | {"owner": "team"}}
    house.glue.update_table(DatabaseName=house.settings.database, TableInput=kept)
    house.replay(REBUILD)
    after = house.definition() or {}
    assert (after["Description"], after["Parameters"]["owner"]) == ("Ours", "team")


def test_rebuild_leaves_no_more_files_than_the_table_has_days(house: House) -> None:
    load_nights(house)
    house.replay(REBUILD, superseded_retention_hours=0)
    assert len(house.objects("curated/opens/")) == len(house.partitions()) == 3
    assert house.objects("curated/_drafts/") == []


@pytest.mark.parametrize("gone", ["result", "manifest.json"])
def test_rebuild_refuses_when_raw_has_holes_and_changes_nothing(house: House, gone: str) -> None:
    load_nights(house)
    before = seen(house)
    house.store.delete([key for key in house.objects("raw/") if "batch-2" in key and key.endswith(gone)])
    sentence = unchanged(house, house.replay(REBUILD), before)
    assert "batch-2 (2024-03-02)" in sentence
    assert "--except" in sentence
    assert house.replay({"except": ["batch-2"], "rebuild": True}).outcome == "loaded"
    assert bag(house.records()) == bag([opened(1), opened(2, name="old"), *NIGHTS[3]])


def test_hole_that_opens_during_a_rebuild_is_seen_before_the_switch(house: House) -> None:
    load_nights(house)
    before = seen(house)
    run = house.execution()
    house.ledger(OPENS).take_lease(run, run.started_at)
    state = RunState(export_type="OPENS", outcome=Outcome.REPLAY, replay=REBUILD)
    while state.cursor != "switch":
        state = house.replay_once(state, run)
    house.store.delete([key for key in house.objects("raw/") if "batch-1" in key])
    assert "batch-1" in unchanged(house, house.replay_once(state, run), before)


def test_rebuild_with_a_file_that_cannot_be_read_names_it_and_changes_nothing(house: House) -> None:
    load_nights(house)
    before = seen(house)
    house.land(b'[{"eventId":5', OPENS, on(4))
    sentence = unchanged(house, house.replay(REBUILD), before)
    assert "Batch batch-4, ordered 2024-03-04" in sentence
    assert "--except batch-4" in sentence


def test_batch_to_leave_out_that_is_none_is_told(house: House) -> None:
    load_nights(house)
    before = seen(house)
    assert "batch-9: no such batch" in unchanged(house, house.replay({"except": ["batch-9"], "rebuild": True}), before)


def test_rebuild_out_of_nothing_changes_nothing(house: House) -> None:
    house.load(array([opened(1)]), at=on(1))
    before = seen(house)
    assert "no rows" in unchanged(house, house.replay({"except": ["batch-1"], "rebuild": True}), before)


def test_draft_that_somebody_removed_is_no_half_table(house: House) -> None:
    load_nights(house)
    before = seen(house)
    run = house.execution()
    house.ledger(OPENS).take_lease(run, run.started_at)
    state = house.replay_once(RunState(export_type="OPENS", outcome=Outcome.REPLAY, replay=REBUILD), run)
    house.store.delete([keys.shadow_table(OPENS, run.folder)])
    with pytest.raises(LostShadowTable):
        house.replay_once(state, run)
    assert seen(house) == before


def test_state_of_a_replay_does_not_grow_with_its_batches(house: House) -> None:
    for day in range(1, 9):
        house.load(array([opened(day, day, **{f"field{day}": 1})]), at=on(day))
    for asked in ({}, REBUILD):
        state = house.replay(asked)
        assert state.tally is not None
        assert state.tally["batches"] == 8
        assert len(str(replace(state, replay=None).to_json())) < 700


# What it is asked


@pytest.mark.parametrize(
    ("asked", "words"),
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
    ],
)
def test_what_makes_no_sense_is_one_sentence(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput) as caught:
        Selection.from_json(asked)
    assert words in str(caught.value)
    assert str(caught.value).endswith(".") or str(caught.value).endswith(").")


def test_age_of_a_batch_does_not_depend_on_when_it_is_replayed(house: House) -> None:
    house.load(array([opened(1, name="new")]), at=age(2))
    house.load(array([opened(1, name="old")]), at=age(1))
    house.replay(REBUILD)
    assert bag(house.records()) == bag([opened(1, name="new")])
