"""What readers see, and when: days, columns, locations, refusals."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambdas.lake.errors import LostLease
from lambdas.lake.storage.keys import table_prefix
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.lake.lakehouse import House, age, array, bag, lines
from tests.unit.lake.opens import OPENS, opened


def test_record_without_a_usable_time_is_counted(house: House) -> None:
    state = house.load(array([opened(1), opened(2, "soon"), {"eventId": 3}]))
    assert state.tally is not None
    assert state.tally["unknownTime"] == 2
    assert {row["event_id"] for row in house.rows() if row["dt"] == "unknown"} == {2, 3}


def test_time_counts_whatever_kind_its_column_has(house: House) -> None:
    house.load(array([opened(1, "2024-03-01T10:00:00Z")]), at=age(1))
    house.load(array([opened(2, 1709287200000)]), at=age(2))
    assert [row["dt"] for row in house.rows()] == ["2024-03-01"] * 2
    assert len({row["_event_at"] for row in house.rows()}) == 1


def test_same_instant_in_another_spelling_is_the_same_event(house: House) -> None:
    spellings = ["2024-03-01T10:00:00+02:00", "2024-03-01T08:00:00Z", "2024-03-01T08:00:00.000+00:00", 1709280000000]
    for number, spelling in enumerate(spellings):
        house.load(array([{"contactId": "a", "timestamp": spelling}]), at=age(number))
    assert len(house.rows()) == 1


def test_two_weeks_touch_exactly_their_days(house: House) -> None:
    first = datetime(2024, 3, 1, 12, tzinfo=UTC)
    month = [opened(n, (first + timedelta(days=n)).isoformat()) for n in range(30)]
    house.load(array(month), at=age(1))
    before = house.partitions()
    state = house.load(array(month[10:24]), at=age(2))
    assert state.tally is not None
    assert len(state.tally["days"]) == 14
    after = house.partitions()
    assert {day for day in after if after[day] != before[day]} == {f"2024-03-{11 + n}" for n in range(14)}
    assert bag(house.records()) == bag(month)


def test_more_days_than_one_call_of_the_catalog_takes(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambdas.lake.tables.catalog._PARTITIONS_AT_ONCE", 3)
    week = [opened(n, f"2024-03-0{n}T10:00:00Z") for n in range(1, 8)]
    for at in (age(1), age(2)):
        house.load(array(week), at=at)
    assert len(house.partitions()) == 7
    assert {row["_batch_id"] for row in house.rows()} == {"batch-2"}


def test_day_that_only_an_older_export_holds_is_not_written_again(house: House) -> None:
    house.load(array([opened(1)]), at=age(2))
    before = house.partitions()
    house.load(array([opened(1)]), at=age(1))
    assert house.partitions() == before
    assert len(house.objects(table_prefix("opens"))) == 1


def test_empty_export_is_loaded_and_makes_no_table(house: House) -> None:
    for content in (b"", b"[]", b'{"data":[]}'):
        state = house.load(content)
        assert state.outcome == "loaded"
        assert state.rows == 0
    assert house.definition() is None


def test_rows_of_a_file_are_sorted_by_event_time(house: House) -> None:
    times = [f"2024-03-01T{hour:02}:00:00Z" for hour in (5, 1, 9, 3, 7)]
    house.load(array([opened(n, at) for n, at in enumerate(times)]))
    assert [row["_event_at"].hour for row in house.rows()] == [1, 3, 5, 7, 9]


def test_few_rejected_records_are_kept_with_positions_and_counted(house: House) -> None:
    content = lines([opened(n) for n in range(20)]) + b"oops\n"
    state = house.load(content)
    assert state.outcome == "loaded"
    assert state.tally is not None
    assert state.tally["quarantined"] == 1
    (key,) = house.objects("quarantine/opens/")
    body = house.s3.get_object(Bucket=house.settings.bucket, Key=key)["Body"].read()
    assert json.loads(body) == {"position": len(content) - 5, "text": "oops"}


def test_too_many_rejected_records_fail_the_run_and_stand_in_quarantine(house: House) -> None:
    state = house.load(lines([opened(n) for n in range(20)]) + b"oops\n" * 11)
    assert state.outcome == "failed"
    assert "11 of 31 records are no JSON objects" in str(state.reason)
    assert house.definition() is None
    assert len(house.objects("quarantine/opens/")) == 1


def test_share_of_rejected_records_counts_in_a_large_export(house: House) -> None:
    content = lines([opened(n) for n in range(80)]) + b"oops\n" * 20
    assert house.load(content, quarantine_ratio=0.2).outcome == "loaded"
    assert house.load(content + b"oops\n", quarantine_ratio=0.2).outcome == "failed"


def test_export_without_one_good_record_fails(house: House) -> None:
    state = house.load(b'{"eventId":\n')
    assert state.outcome == "failed"
    assert "1 of 1 records are no JSON objects" in str(state.reason)


def test_lost_lease_publishes_nothing(house: House) -> None:
    house.load(array([opened(1)]), at=age(1))
    before = (house.partitions(), house.columns(), house.rows())
    house.land(array([opened(2, new=1)]), OPENS, age(2))
    house.ledger(OPENS).take_lease(house.execution(), datetime.now(UTC))
    with pytest.raises(LostLease):
        house.load_again("OPENS", age(2), take_lease=False)
    assert (house.partitions(), house.columns(), house.rows()) == before


def test_no_lease_publishes_nothing(house: House) -> None:
    house.land(array([opened(1)]), OPENS, age(1))
    with pytest.raises(LostLease):
        house.load_again("OPENS", age(1), take_lease=False)
    assert house.definition() is None


def test_another_time_zone_is_refused_and_changes_nothing(house: House) -> None:
    house.load(array([opened(1)]), at=age(1), time_zone="Europe/Stockholm")
    before = house.rows()
    state = house.load(array([opened(2)]), at=age(2), time_zone="UTC")
    assert state.outcome == "failed"
    assert "Europe/Stockholm" in str(state.reason)
    assert "replay --rebuild" in str(state.reason)
    assert house.rows() == before


def test_batch_that_has_not_landed_fails(house: House) -> None:
    state = house.load_again("OPENS", age(1))
    assert state.outcome == "failed"
    assert "Nothing has landed" in str(state.reason)


@pytest.mark.parametrize("change", ["shorter", "other", "gone", "empty"])
def test_raw_that_is_not_what_its_manifest_says_fails(house: House, change: str) -> None:
    content, at = array([opened(1), opened(2)]), age(1)
    house.land(content, OPENS, at)
    (key,) = [key for key in house.objects("raw/") if key.endswith("result")]
    body = {"shorter": content[:-1], "other": content.replace(b"1", b"9"), "empty": b""}.get(change)
    if body is None:
        house.store.delete([key])
    else:
        house.store.write(key, body, "application/json")
    state = house.load_again("OPENS", at)
    assert state.outcome == "failed"
    assert key in str(state.reason)
    assert house.definition() is None


def test_columns_are_there_before_a_day_that_needs_them(house: House) -> None:
    house.load(array([opened(1)]), at=age(1))
    seen: list[set[str]] = []

    def look(**_: Any) -> None:
        seen.append(set(house.columns()))

    calls = [f"provide-client-params.glue.{name}" for name in ("BatchCreatePartition", "BatchUpdatePartition")]
    for call in calls:
        house.glue.meta.events.register(call, look)
    try:
        house.load(array([opened(1, module="a"), opened(2, "2024-03-02T10:00:00Z", module="b")]), at=age(2))
    finally:
        for call in calls:
            house.glue.meta.events.unregister(call, look)
    assert len(seen) == 2
    assert all("module" in columns for columns in seen)


def test_every_file_has_every_column_of_its_time(house: House) -> None:
    house.load(array([opened(1, a=1, b="x", c=True, d=0.5, e=[1])]), at=age(1))
    house.load(array([opened(2)]), at=age(2))
    (location,) = house.partitions().values()
    partition = house.glue.get_partition(
        DatabaseName=house.settings.database, TableName="opens", PartitionValues=["2024-03-01"]
    )["Partition"]
    assert [column["Name"] for column in partition["StorageDescriptor"]["Columns"]] == list(house.columns())
    assert location.startswith(f"s3://{house.settings.bucket}/curated/opens/dt=2024-03-01/")
    assert bag(house.records()) == bag([opened(1, a=1, b="x", c=True, d=0.5, e=[1]), opened(2)])


def test_what_a_person_set_on_a_table_stays(house: House) -> None:
    house.load(array([opened(1)]), at=age(1))
    definition = dict(house.definition() or {})
    kept = ("Name", "TableType", "PartitionKeys", "StorageDescriptor")
    changed = {name: definition[name] for name in kept}
    changed |= {"Description": "Ours", "Parameters": definition["Parameters"] | {"owner": "team"}}
    house.glue.update_table(DatabaseName=house.settings.database, TableInput=changed)
    house.load(array([opened(2, more=1)]), at=age(2))
    after = house.definition() or {}
    assert after["Description"] == "Ours"
    assert after["Parameters"]["owner"] == "team"
    assert "more" in house.columns()


def test_a_table_of_an_earlier_version_is_refused_and_a_rebuild_makes_it_anew(house: House) -> None:
    house.load(array([opened(1)]), at=age(1))
    made = house.definition() or {}
    facts = {**made["Parameters"], "schema_version": "1"}
    kept = {name: made[name] for name in ("Name", "TableType", "PartitionKeys", "StorageDescriptor")}
    house.glue.update_table(DatabaseName=house.settings.database, TableInput={**kept, "Parameters": facts})
    state = house.load(array([opened(2)]), at=age(2))
    assert state.outcome == "failed"
    assert "replay --rebuild" in str(state.reason)
    assert [row["event_id"] for row in house.rows()] == [1]
    house.replay({"rebuild": True})
    assert sorted(row["event_id"] for row in house.rows()) == [1, 2]


@pytest.mark.parametrize(("export", "key"), [("OPENS", "eventId"), ("LISTS", "listId")])
def test_a_run_does_not_take_deleted_files_for_an_empty_table_and_a_replay_brings_them_back(
    house: House, export: str, key: str
) -> None:
    for number in (1, 2):
        record = {**opened(number), key: number}
        house.load(array([record]), export, at=age(number))
    house.store.delete(house.objects(f"curated/{EXPORT_TYPES[export].table}/"))
    state = house.load(array([{**opened(3), key: 3}]), export, at=age(3))
    assert state.outcome == "failed"
    assert "are gone" in str(state.reason)
    assert "Replay" in str(state.reason)
    assert house.replay({}, export).outcome == "loaded"
    column = key.replace("Id", "_id")
    assert sorted(row[column] for row in house.rows(export)) == [1, 2, 3]


def test_entity_records_without_any_field_are_rows(house: House) -> None:
    state = house.load(b"[{},{}]", "LISTS")
    assert state.outcome == "loaded", state.reason
    assert len(house.rows("LISTS")) == 2
