"""The load from end to end: landed records are what readers see."""

from typing import Any

import pytest

from lambdas.lake.storage import raw_object
from tests.unit.lake.in_process_lake import InProcessLake, age, array, bag, lines, zipped


def opened(event_id: int, at: str = "2024-03-01T10:00:00.000+02:00", **more: Any) -> dict[str, Any]:
    return {"eventId": event_id, "contactId": f"c{event_id}", "campaignId": 7, "timestamp": at, **more}


def test_an_array_of_events_is_readable_through_the_catalog(lake: InProcessLake) -> None:
    records = [opened(1), opened(2, "2024-03-02T00:30:00+02:00", opened=True, rate=0.5, tags=["a", {"b": 1}])]
    state = lake.load(array(records))
    assert state.outcome == "loaded", state.reason
    assert bag(lake.records()) == bag(records)
    assert {row["dt"] for row in lake.rows()} == {"2024-03-01"}
    assert lake.columns()["rate"] == "double"


def test_newline_delimited_events_give_the_same_rows_as_an_array(lake: InProcessLake) -> None:
    records = [opened(n) for n in range(50)]
    assert lake.load(lines(records)).outcome == "loaded"
    lake.load(array(records))
    assert bag(lake.records()) == bag(records)


def test_loading_the_same_batch_twice_is_idempotent(lake: InProcessLake) -> None:
    content, at = array([opened(1), opened(2)]), age(1)
    lake.load(content, at=at)
    before, partitions = lake.rows(), lake.partitions()
    state = lake.load_again("OPENS", at)
    assert state.tally is not None
    assert (state.tally["new"], state.tally["known"], state.tally["updated"]) == (0, 2, 0)
    assert lake.rows() == before
    assert lake.partitions() == partitions


def test_overlapping_exports_are_deduplicated_and_the_newest_wins(lake: InProcessLake) -> None:
    lake.load(array([opened(1), opened(2, name="old")]), at=age(1))
    state = lake.load(lines([opened(2, name="new"), opened(3)]), at=age(2))
    assert state.tally is not None
    assert (state.tally["new"], state.tally["known"], state.tally["updated"]) == (1, 0, 1)
    assert bag(lake.records()) == bag([opened(1), opened(2, name="new"), opened(3)])


def test_an_older_export_loaded_late_does_not_overwrite_newer_rows(lake: InProcessLake) -> None:
    lake.load(array([opened(1, name="new")]), at=age(2))
    lake.load(array([opened(1, name="old"), opened(2)]), at=age(1))
    assert bag(lake.records()) == bag([opened(1, name="new"), opened(2)])


def test_a_new_field_becomes_a_new_column_and_old_rows_stay(lake: InProcessLake) -> None:
    lake.load(array([opened(1, "2024-03-01T10:00:00Z")]), at=age(1))
    state = lake.load(array([opened(2, "2024-03-01T11:00:00Z", module="mail")]), at=age(2))
    assert state.tally is not None
    assert state.tally["newColumns"] == ["module"]
    assert bag(lake.records()) == bag(
        [opened(1, "2024-03-01T10:00:00Z"), opened(2, "2024-03-01T11:00:00Z", module="mail")]
    )


def test_a_value_of_another_type_is_rescued_and_its_column_keeps_its_type(lake: InProcessLake) -> None:
    lake.load(array([opened(1, size=5)]), at=age(1))
    drifting = [opened(2, size="5"), opened(3, size=0.5), opened(4, size=2**70), opened(5, size=[1])]
    lake.load(array(drifting), at=age(2))
    assert lake.columns()["size"] == "bigint"
    assert {row["event_id"]: row["size"] for row in lake.rows()} == {1: 5, 2: None, 3: None, 4: None, 5: None}
    assert bag(lake.records()) == bag([opened(1, size=5), *drifting])


def test_entity_tables_have_the_latest_state_of_every_key(lake: InProcessLake) -> None:
    lake.load(array([{"listId": 1, "name": "a"}, {"listId": 2, "name": "b"}]), "LISTS", age(1))
    state = lake.load(lines([{"listId": 2, "name": "B"}, {"listId": 3, "name": "c"}]), "LISTS", age(2))
    assert state.outcome == "loaded"
    assert bag(lake.records("LISTS")) == bag(
        [{"listId": 1, "name": "a"}, {"listId": 2, "name": "B"}, {"listId": 3, "name": "c"}]
    )
    again = lake.load_again("LISTS", age(1))
    assert again.tally is not None
    assert again.tally["new"] == 0
    assert len(lake.rows("LISTS")) == 3


@pytest.mark.parametrize("pack", [bytes, zipped])
def test_a_result_beyond_the_measured_maximum_is_refused_and_kept_in_raw(
    lake: InProcessLake, monkeypatch: pytest.MonkeyPatch, pack: Any
) -> None:
    content = pack(array([opened(n) for n in range(100)]))
    monkeypatch.setattr(raw_object, "LARGEST_BYTES", 5000)
    state = lake.load(content)
    assert state.outcome == "failed"
    assert "kept in raw/" in str(state.reason)
    assert lake.rows() == []
    assert any(key.endswith("/result") for key in lake.objects("raw/"))
