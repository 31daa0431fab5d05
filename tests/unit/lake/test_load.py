"""The load from end to end: what was landed is what readers see."""

from typing import Any

import pytest

from lambdas.lake.storage import raw_object
from tests.unit.lake.lakehouse import House, age, array, bag, lines, zipped


def opened(event_id: int, at: str = "2024-03-01T10:00:00.000+02:00", **more: Any) -> dict[str, Any]:
    return {"eventId": event_id, "contactId": f"c{event_id}", "campaignId": 7, "timestamp": at, **more}


def test_array_of_events_is_readable_through_the_catalog(house: House) -> None:
    records = [opened(1), opened(2, "2024-03-02T00:30:00+02:00", opened=True, rate=0.5, tags=["a", {"b": 1}])]
    state = house.load(array(records))
    assert state.outcome == "loaded", state.reason
    assert bag(house.records()) == bag(records)
    assert {row["dt"] for row in house.rows()} == {"2024-03-01"}
    assert house.columns()["rate"] == "double"


def test_newline_delimited_events_give_the_same_rows_as_an_array(house: House) -> None:
    records = [opened(n) for n in range(50)]
    assert house.load(lines(records)).outcome == "loaded"
    house.load(array(records))
    assert bag(house.records()) == bag(records)


def test_loading_the_same_batch_twice_changes_nothing(house: House) -> None:
    content, at = array([opened(1), opened(2)]), age(1)
    house.load(content, at=at)
    before, partitions = house.rows(), house.partitions()
    state = house.load_again("OPENS", at)
    assert state.tally is not None
    assert (state.tally["new"], state.tally["known"], state.tally["updated"]) == (0, 2, 0)
    assert house.rows() == before
    assert house.partitions() == partitions


def test_overlapping_exports_hold_every_event_once_and_the_newest_state(house: House) -> None:
    house.load(array([opened(1), opened(2, name="old")]), at=age(1))
    state = house.load(lines([opened(2, name="new"), opened(3)]), at=age(2))
    assert state.tally is not None
    assert (state.tally["new"], state.tally["known"], state.tally["updated"]) == (1, 0, 1)
    assert bag(house.records()) == bag([opened(1), opened(2, name="new"), opened(3)])


def test_older_export_that_comes_late_does_not_win(house: House) -> None:
    house.load(array([opened(1, name="new")]), at=age(2))
    house.load(array([opened(1, name="old"), opened(2)]), at=age(1))
    assert bag(house.records()) == bag([opened(1, name="new"), opened(2)])


def test_new_field_becomes_a_new_column_and_old_rows_keep_their_place(house: House) -> None:
    house.load(array([opened(1, "2024-03-01T10:00:00Z")]), at=age(1))
    state = house.load(array([opened(2, "2024-03-01T11:00:00Z", module="mail")]), at=age(2))
    assert state.tally is not None
    assert state.tally["newColumns"] == ["module"]
    assert bag(house.records()) == bag(
        [opened(1, "2024-03-01T10:00:00Z"), opened(2, "2024-03-01T11:00:00Z", module="mail")]
    )


def test_value_of_another_type_is_rescued_and_its_column_keeps_its_type(house: House) -> None:
    house.load(array([opened(1, size=5)]), at=age(1))
    drifting = [opened(2, size="5"), opened(3, size=0.5), opened(4, size=2**70), opened(5, size=[1])]
    house.load(array(drifting), at=age(2))
    assert house.columns()["size"] == "bigint"
    assert {row["event_id"]: row["size"] for row in house.rows()} == {1: 5, 2: None, 3: None, 4: None, 5: None}
    assert bag(house.records()) == bag([opened(1, size=5), *drifting])


def test_entities_hold_the_latest_state_of_every_key(house: House) -> None:
    house.load(array([{"listId": 1, "name": "a"}, {"listId": 2, "name": "b"}]), "LISTS", age(1))
    state = house.load(lines([{"listId": 2, "name": "B"}, {"listId": 3, "name": "c"}]), "LISTS", age(2))
    assert state.outcome == "loaded"
    assert bag(house.records("LISTS")) == bag(
        [{"listId": 1, "name": "a"}, {"listId": 2, "name": "B"}, {"listId": 3, "name": "c"}]
    )
    again = house.load_again("LISTS", age(1))
    assert again.tally is not None
    assert again.tally["new"] == 0
    assert len(house.rows("LISTS")) == 3


@pytest.mark.parametrize("pack", [bytes, zipped])
def test_a_result_larger_than_any_load_was_measured_is_refused_and_its_raw_kept(
    house: House, monkeypatch: pytest.MonkeyPatch, pack: Any
) -> None:
    content = pack(array([opened(n) for n in range(100)]))
    monkeypatch.setattr(raw_object, "LARGEST_BYTES", 5000)
    state = house.load(content)
    assert state.outcome == "failed"
    assert "kept in raw/" in str(state.reason)
    assert house.rows() == []
    assert any(key.endswith("/result") for key in house.objects("raw/"))
