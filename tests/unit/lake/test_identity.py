"""Which fields identify an event or an entity."""

import json
from typing import Any

import pytest

from tests.unit.lake.lakehouse import House, age, array, bag
from tests.unit.lake.opens import BASE, opened


def test_identity_fields_are_frozen_with_the_first_export(house: House) -> None:
    first = {"contactId": "a", "timestamp": "2024-03-01T10:00:00Z"}
    house.load(array([first]), at=age(1))
    house.load(array([first | {"campaignId": 1}, first | {"campaignId": 2, "eventId": 5}]), at=age(2))
    house.load(array([{"timestamp": "2024-03-01T10:00:00Z"}]), at=age(3))
    assert json.loads((house.definition() or {})["Parameters"]["identity"]) == ["contactId"]
    assert len(house.rows()) == 3


@pytest.mark.parametrize(("export", "key"), [("OPENS", "eventId"), ("LISTS", "listId")])
def test_key_may_hold_nested_values_and_must_still_be_in_every_record(house: House, export: str, key: str) -> None:
    records: list[dict[str, Any]] = [BASE | {key: [1, {"a": None}]}, BASE | {key: {"b": 2}}]
    assert house.load(array(records), export, age(1)).outcome == "loaded"
    assert (house.definition(export) or {})["Parameters"]["identity_is_key"] == "true"
    assert bag(house.records(export)) == bag(records)


def test_nested_key_that_a_later_piece_lacks_is_none(house: House) -> None:
    records: list[dict[str, Any]] = [BASE | {"eventId": [n]} for n in range(1100)]
    records.append(BASE | {"eventId": None, "contactId": "a"})
    house.load(array(records))
    assert (house.definition() or {})["Parameters"]["identity_is_key"] == "false"
    assert bag(house.records()) == bag(records)


def chosen(*fields: str) -> dict[str, Any]:
    return {"identity_fields": {"OPENS": fields}}


def test_chosen_identity_fields_stand_in_for_a_key_that_is_none(house: House) -> None:
    records = [opened(1, contactId="a"), opened(1, contactId="b"), opened(1, contactId="b")]
    assert house.load(array(records)).outcome == "failed"
    assert house.load(array(records), at=age(1), **chosen("eventId", "contactId")).outcome == "loaded"
    house.load(array(records[:2]), at=age(2), **chosen("contactId", "eventId"))
    assert json.loads((house.definition() or {})["Parameters"]["identity"]) == ["eventId", "contactId"]
    assert bag(house.records()) == bag(records)


def test_chosen_identity_field_that_only_a_late_record_has_is_one(house: House) -> None:
    records = [opened(n) for n in range(1100)] + [opened(5, late="x")]
    assert house.load(array(records), **chosen("eventId", "late")).outcome == "loaded"
    assert bag(house.records()) == bag(records)


def test_chosen_identity_field_that_no_record_has_is_refused_by_name(house: House) -> None:
    state = house.load(array([opened(1, contactId="a")]), **chosen("contactID"))
    assert state.outcome == "failed"
    assert "contactID" in str(state.reason)
    assert "contactId" in str(state.reason)
    assert house.definition() is None


def test_other_identity_fields_for_an_existing_table_are_refused_and_point_to_the_rebuild(house: House) -> None:
    house.load(array([opened(1, contactId="a")]), at=age(1))
    before = house.rows()
    state = house.load(array([opened(2, contactId="a")]), at=age(2), **chosen("contactId"))
    assert state.outcome == "failed"
    assert "eventId" in str(state.reason)
    assert "replay --rebuild" in str(state.reason)
    assert house.rows() == before


def test_key_that_holds_twice_with_different_content_fails_and_publishes_nothing(house: House) -> None:
    records = [opened(1, name="a"), opened(2), opened(1, name="b")]
    state = house.load(array(records))
    assert state.outcome == "failed"
    assert "eventId 1 holds twice" in str(state.reason)
    assert "identityFields" in str(state.reason)
    assert house.definition() is None
    assert house.objects("curated/") == []


def test_key_that_holds_twice_at_different_times_is_no_key(house: House) -> None:
    state = house.load(array([opened(1), opened(1, "2024-03-02T10:00:00Z")]))
    assert state.outcome == "failed"
    assert "eventId 1 holds twice" in str(state.reason)


def test_key_that_holds_twice_with_equal_content_is_one_row(house: House) -> None:
    assert house.load(array([opened(1), opened(1)])).outcome == "loaded"
    assert len(house.rows()) == 1


def test_records_that_lack_the_key_later_are_kept(house: House) -> None:
    house.load(array([opened(1)]), at=age(1))
    keyless = [{"timestamp": "2024-03-01T11:00:00Z", "name": name} for name in "ab"]
    assert house.load(array(keyless), at=age(2)).outcome == "loaded"
    assert len(house.rows()) == 3


def test_field_that_not_every_record_of_the_first_export_has_is_no_key(house: House) -> None:
    records = [opened(n, contactId="a") for n in range(1200)]
    del records[1100]["eventId"]
    house.load(array(records))
    assert json.loads((house.definition() or {})["Parameters"]["identity"]) == ["contactId"]
    assert bag(house.records()) == bag(records)
