"""Publishing: the days, columns and locations that readers see, and when a load is refused."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambdas.lake.errors import LostLease
from lambdas.lake.storage.keys import table_prefix
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.lake.in_process_lake import InProcessLake, age, array, bag, lines
from tests.unit.lake.opens import OPENS, opened


def test_records_without_a_usable_time_are_counted(lake: InProcessLake) -> None:
    state = lake.load(array([opened(1), opened(2, "soon"), {"eventId": 3}]))
    assert state.tally is not None
    assert state.tally["unknownTime"] == 2
    assert {row["event_id"] for row in lake.rows() if row["dt"] == "unknown"} == {2, 3}


def test_event_time_is_parsed_whatever_the_kind_of_its_column(lake: InProcessLake) -> None:
    lake.load(array([opened(1, "2024-03-01T10:00:00Z")]), at=age(1))
    lake.load(array([opened(2, 1709287200000)]), at=age(2))
    assert [row["dt"] for row in lake.rows()] == ["2024-03-01"] * 2
    assert len({row["_event_at"] for row in lake.rows()}) == 1


def test_the_same_instant_in_another_notation_is_the_same_event(lake: InProcessLake) -> None:
    notations = ["2024-03-01T10:00:00+02:00", "2024-03-01T08:00:00Z", "2024-03-01T08:00:00.000+00:00", 1709280000000]
    for number, notation in enumerate(notations):
        lake.load(array([{"contactId": "a", "timestamp": notation}]), at=age(number))
    assert len(lake.rows()) == 1


def test_an_export_of_two_weeks_rewrites_exactly_its_days(lake: InProcessLake) -> None:
    first = datetime(2024, 3, 1, 12, tzinfo=UTC)
    month = [opened(n, (first + timedelta(days=n)).isoformat()) for n in range(30)]
    lake.load(array(month), at=age(1))
    before = lake.partitions()
    state = lake.load(array(month[10:24]), at=age(2))
    assert state.tally is not None
    assert len(state.tally["days"]) == 14
    after = lake.partitions()
    assert {day for day in after if after[day] != before[day]} == {f"2024-03-{11 + n}" for n in range(14)}
    assert bag(lake.records()) == bag(month)


def test_more_days_than_the_catalog_takes_in_one_call(lake: InProcessLake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambdas.lake.tables.catalog._PARTITIONS_AT_ONCE", 3)
    week = [opened(n, f"2024-03-0{n}T10:00:00Z") for n in range(1, 8)]
    for at in (age(1), age(2)):
        lake.load(array(week), at=at)
    assert len(lake.partitions()) == 7
    assert {row["_batch_id"] for row in lake.rows()} == {"batch-2"}


def test_an_older_export_does_not_rewrite_an_unchanged_day(lake: InProcessLake) -> None:
    lake.load(array([opened(1)]), at=age(2))
    before = lake.partitions()
    lake.load(array([opened(1)]), at=age(1))
    assert lake.partitions() == before
    assert len(lake.objects(table_prefix("opens"))) == 1


def test_an_empty_export_is_loaded_and_creates_no_table(lake: InProcessLake) -> None:
    for content in (b"", b"[]", b'{"data":[]}'):
        state = lake.load(content)
        assert state.outcome == "loaded"
        assert state.rows == 0
    assert lake.definition() is None


def test_rows_of_a_file_are_sorted_by_event_time(lake: InProcessLake) -> None:
    times = [f"2024-03-01T{hour:02}:00:00Z" for hour in (5, 1, 9, 3, 7)]
    lake.load(array([opened(n, at) for n, at in enumerate(times)]))
    assert [row["_event_at"].hour for row in lake.rows()] == [1, 3, 5, 7, 9]


def test_few_rejected_records_are_quarantined_with_positions_and_counted(lake: InProcessLake) -> None:
    content = lines([opened(n) for n in range(20)]) + b"oops\n"
    state = lake.load(content)
    assert state.outcome == "loaded"
    assert state.tally is not None
    assert state.tally["quarantined"] == 1
    (key,) = lake.objects("quarantine/opens/")
    body = lake.s3.get_object(Bucket=lake.settings.bucket, Key=key)["Body"].read()
    assert json.loads(body) == {"position": len(content) - 5, "text": "oops"}


def test_too_many_rejected_records_fail_the_run_and_are_quarantined(lake: InProcessLake) -> None:
    state = lake.load(lines([opened(n) for n in range(20)]) + b"oops\n" * 11)
    assert state.outcome == "failed"
    assert "11 of 31 records are no JSON objects" in str(state.reason)
    assert lake.definition() is None
    assert len(lake.objects("quarantine/opens/")) == 1


def test_the_ratio_of_rejected_records_is_the_threshold_in_a_large_export(lake: InProcessLake) -> None:
    content = lines([opened(n) for n in range(80)]) + b"oops\n" * 20
    assert lake.load(content, quarantine_ratio=0.2).outcome == "loaded"
    assert lake.load(content + b"oops\n", quarantine_ratio=0.2).outcome == "failed"


def test_an_export_without_valid_records_fails(lake: InProcessLake) -> None:
    state = lake.load(b'{"eventId":\n')
    assert state.outcome == "failed"
    assert "1 of 1 records are no JSON objects" in str(state.reason)


def test_lost_lease_publishes_nothing(lake: InProcessLake) -> None:
    lake.load(array([opened(1)]), at=age(1))
    before = (lake.partitions(), lake.columns(), lake.rows())
    lake.land(array([opened(2, new=1)]), OPENS, age(2))
    lake.ledger(OPENS).take_lease(lake.execution(), datetime.now(UTC))
    with pytest.raises(LostLease):
        lake.load_again("OPENS", age(2), take_lease=False)
    assert (lake.partitions(), lake.columns(), lake.rows()) == before


def test_without_a_lease_nothing_is_published(lake: InProcessLake) -> None:
    lake.land(array([opened(1)]), OPENS, age(1))
    with pytest.raises(LostLease):
        lake.load_again("OPENS", age(1), take_lease=False)
    assert lake.definition() is None


def test_another_time_zone_is_refused_and_changes_nothing(lake: InProcessLake) -> None:
    lake.load(array([opened(1)]), at=age(1), time_zone="Europe/Stockholm")
    before = lake.rows()
    state = lake.load(array([opened(2)]), at=age(2), time_zone="UTC")
    assert state.outcome == "failed"
    assert "Europe/Stockholm" in str(state.reason)
    assert "replay --rebuild" in str(state.reason)
    assert lake.rows() == before


def test_a_batch_that_has_not_landed_fails(lake: InProcessLake) -> None:
    state = lake.load_again("OPENS", age(1))
    assert state.outcome == "failed"
    assert "Nothing has landed" in str(state.reason)


@pytest.mark.parametrize("change", ["shorter", "other", "gone", "empty"])
def test_a_raw_object_that_differs_from_its_manifest_fails(lake: InProcessLake, change: str) -> None:
    content, at = array([opened(1), opened(2)]), age(1)
    lake.land(content, OPENS, at)
    (key,) = [key for key in lake.objects("raw/") if key.endswith("result")]
    body = {"shorter": content[:-1], "other": content.replace(b"1", b"9"), "empty": b""}.get(change)
    if body is None:
        lake.store.delete([key])
    else:
        lake.store.write(key, body, "application/json")
    state = lake.load_again("OPENS", at)
    assert state.outcome == "failed"
    assert key in str(state.reason)
    assert lake.definition() is None


def test_columns_are_added_before_a_partition_that_needs_them(lake: InProcessLake) -> None:
    lake.load(array([opened(1)]), at=age(1))
    seen: list[set[str]] = []

    def note(**_: Any) -> None:
        seen.append(set(lake.columns()))

    calls = [f"provide-client-params.glue.{name}" for name in ("BatchCreatePartition", "BatchUpdatePartition")]
    for call in calls:
        lake.glue.meta.events.register(call, note)
    try:
        lake.load(array([opened(1, module="a"), opened(2, "2024-03-02T10:00:00Z", module="b")]), at=age(2))
    finally:
        for call in calls:
            lake.glue.meta.events.unregister(call, note)
    assert len(seen) == 2
    assert all("module" in columns for columns in seen)


def test_a_file_has_all_columns_of_the_table_when_it_was_written(lake: InProcessLake) -> None:
    lake.load(array([opened(1, a=1, b="x", c=True, d=0.5, e=[1])]), at=age(1))
    lake.load(array([opened(2)]), at=age(2))
    (location,) = lake.partitions().values()
    partition = lake.glue.get_partition(
        DatabaseName=lake.settings.database, TableName="opens", PartitionValues=["2024-03-01"]
    )["Partition"]
    assert [column["Name"] for column in partition["StorageDescriptor"]["Columns"]] == list(lake.columns())
    assert location.startswith(f"s3://{lake.settings.bucket}/curated/opens/dt=2024-03-01/")
    assert bag(lake.records()) == bag([opened(1, a=1, b="x", c=True, d=0.5, e=[1]), opened(2)])


def test_manual_changes_to_a_table_are_kept(lake: InProcessLake) -> None:
    lake.load(array([opened(1)]), at=age(1))
    definition = dict(lake.definition() or {})
    kept = ("Name", "TableType", "PartitionKeys", "StorageDescriptor")
    changed = {name: definition[name] for name in kept}
    changed |= {"Description": "Ours", "Parameters": definition["Parameters"] | {"owner": "team"}}
    lake.glue.update_table(DatabaseName=lake.settings.database, TableInput=changed)
    lake.load(array([opened(2, more=1)]), at=age(2))
    after = lake.definition() or {}
    assert after["Description"] == "Ours"
    assert after["Parameters"]["owner"] == "team"
    assert "more" in lake.columns()


def test_a_table_of_an_earlier_version_is_refused_until_a_rebuild(lake: InProcessLake) -> None:
    lake.load(array([opened(1)]), at=age(1))
    definition = lake.definition() or {}
    parameters = {**definition["Parameters"], "schema_version": "1"}
    kept = {name: definition[name] for name in ("Name", "TableType", "PartitionKeys", "StorageDescriptor")}
    lake.glue.update_table(DatabaseName=lake.settings.database, TableInput={**kept, "Parameters": parameters})
    state = lake.load(array([opened(2)]), at=age(2))
    assert state.outcome == "failed"
    assert "replay --rebuild" in str(state.reason)
    assert [row["event_id"] for row in lake.rows()] == [1]
    lake.replay({"rebuild": True})
    assert sorted(row["event_id"] for row in lake.rows()) == [1, 2]


@pytest.mark.parametrize(("export", "key"), [("OPENS", "eventId"), ("LISTS", "listId")])
def test_deleted_files_fail_the_load_and_a_replay_restores_them(lake: InProcessLake, export: str, key: str) -> None:
    for number in (1, 2):
        record = {**opened(number), key: number}
        lake.load(array([record]), export, at=age(number))
    lake.store.delete(lake.objects(f"curated/{EXPORT_TYPES[export].table}/"))
    state = lake.load(array([{**opened(3), key: 3}]), export, at=age(3))
    assert state.outcome == "failed"
    assert "are gone" in str(state.reason)
    assert "Replay" in str(state.reason)
    assert lake.replay({}, export).outcome == "loaded"
    column = key.replace("Id", "_id")
    assert sorted(str(row[column]) for row in lake.rows(export)) == ["1", "2", "3"]


def test_entity_records_without_fields_are_rows_of_a_decided_table(lake: InProcessLake) -> None:
    assert lake.load(b"[{},{}]", "LISTS", age(1)).outcome == "undecided"
    assert lake.load(array([{"listId": 1}]), "LISTS", age(2)).outcome == "loaded"
    state = lake.load(b"[{},{}]", "LISTS", age(3))
    assert state.outcome == "loaded", state.reason
    assert sorted(str(row["list_id"]) for row in lake.rows("LISTS")) == ["1", "None", "None"]
