"""Which fields identify an event or an entity."""

import json
from typing import Any

import pytest

from tests.unit.lake.in_process_lake import InProcessLake, age, array, bag
from tests.unit.lake.opens import BASE, opened


def test_identity_fields_are_frozen_with_the_first_export(lake: InProcessLake) -> None:
    first = {"contactId": "a", "timestamp": "2024-03-01T10:00:00Z"}
    lake.load(array([first]), at=age(1))
    lake.load(array([first | {"campaignId": 1}, first | {"campaignId": 2, "eventId": 5}]), at=age(2))
    lake.load(array([{"timestamp": "2024-03-01T10:00:00Z"}]), at=age(3))
    assert json.loads((lake.definition() or {})["Parameters"]["identity"]) == ["contactId"]
    assert len(lake.rows()) == 3


@pytest.mark.parametrize(("export", "key"), [("OPENS", "eventId"), ("LISTS", "listId")])
def test_a_key_may_have_nested_values(lake: InProcessLake, export: str, key: str) -> None:
    records: list[dict[str, Any]] = [BASE | {key: [1, {"a": None}]}, BASE | {key: {"b": 2}}]
    assert lake.load(array(records), export, age(1)).outcome == "loaded"
    assert (lake.definition(export) or {})["Parameters"]["identity_is_key"] == "true"
    assert bag(lake.records(export)) == bag(records)


def test_a_nested_field_that_a_later_piece_lacks_is_no_key(lake: InProcessLake) -> None:
    records: list[dict[str, Any]] = [BASE | {"eventId": [n]} for n in range(1100)]
    records.append(BASE | {"eventId": None, "contactId": "a"})
    lake.load(array(records))
    assert (lake.definition() or {})["Parameters"]["identity_is_key"] == "false"
    assert bag(lake.records()) == bag(records)


def configured(*fields: str) -> dict[str, Any]:
    return {"identity_fields": {"OPENS": fields}}


def test_configured_identity_fields_replace_a_key_that_is_not_unique(lake: InProcessLake) -> None:
    records = [opened(1, contactId="a"), opened(1, contactId="b"), opened(1, contactId="b")]
    assert lake.load(array(records)).outcome == "failed"
    assert lake.load(array(records), at=age(1), **configured("eventId", "contactId")).outcome == "loaded"
    lake.load(array(records[:2]), at=age(2), **configured("contactId", "eventId"))
    assert json.loads((lake.definition() or {})["Parameters"]["identity"]) == ["eventId", "contactId"]
    assert bag(lake.records()) == bag(records)


def test_a_configured_identity_field_may_be_in_a_late_record_only(lake: InProcessLake) -> None:
    records = [opened(n) for n in range(1100)] + [opened(5, late="x")]
    assert lake.load(array(records), **configured("eventId", "late")).outcome == "loaded"
    assert bag(lake.records()) == bag(records)


def test_a_configured_identity_field_that_no_record_has_is_refused_by_name(lake: InProcessLake) -> None:
    state = lake.load(array([opened(1, contactId="a")]), **configured("contactID"))
    assert state.outcome == "failed"
    assert "contactID" in str(state.reason)
    assert "contactId" in str(state.reason)
    assert lake.definition() is None


def test_other_identity_fields_for_an_existing_table_are_refused_and_point_to_the_rebuild(lake: InProcessLake) -> None:
    lake.load(array([opened(1, contactId="a")]), at=age(1))
    before = lake.rows()
    state = lake.load(array([opened(2, contactId="a")]), at=age(2), **configured("contactId"))
    assert state.outcome == "failed"
    assert "eventId" in str(state.reason)
    assert "replay --rebuild" in str(state.reason)
    assert lake.rows() == before


def test_a_duplicate_key_with_different_content_fails_and_publishes_nothing(lake: InProcessLake) -> None:
    records = [opened(1, name="a"), opened(2), opened(1, name="b")]
    state = lake.load(array(records))
    assert state.outcome == "failed"
    assert "eventId 1 holds twice" in str(state.reason)
    assert "identityFields" in str(state.reason)
    assert lake.definition() is None
    assert lake.objects("curated/") == []


def test_a_duplicate_key_at_different_times_fails(lake: InProcessLake) -> None:
    state = lake.load(array([opened(1), opened(1, "2024-03-02T10:00:00Z")]))
    assert state.outcome == "failed"
    assert "eventId 1 holds twice" in str(state.reason)


def test_a_duplicate_key_with_equal_content_is_one_row(lake: InProcessLake) -> None:
    assert lake.load(array([opened(1), opened(1)])).outcome == "loaded"
    assert len(lake.rows()) == 1


def test_records_that_lack_the_key_later_are_kept(lake: InProcessLake) -> None:
    lake.load(array([opened(1)]), at=age(1))
    keyless = [{"timestamp": "2024-03-01T11:00:00Z", "name": name} for name in "ab"]
    assert lake.load(array(keyless), at=age(2)).outcome == "loaded"
    assert len(lake.rows()) == 3


def test_a_field_that_a_record_of_the_first_export_lacks_is_no_key(lake: InProcessLake) -> None:
    records = [opened(n, contactId="a") for n in range(1200)]
    del records[1100]["eventId"]
    lake.load(array(records))
    assert json.loads((lake.definition() or {})["Parameters"]["identity"]) == ["contactId"]
    assert bag(lake.records()) == bag(records)
