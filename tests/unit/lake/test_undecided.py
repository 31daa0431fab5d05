"""Exports whose records do not say what their fields are: kept, and loaded together once that is decided."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from lambdas.execution import RunState
from lambdas.lake.tables.vacuum import vacuum
from lambdas.ledger.orders import Order
from lambdas.outcome import Outcome
from lambdas.vocabulary import EXPORT_TYPES, TimeFormat
from tests.unit.lake.in_process_lake import InProcessLake, array, bag
from tests.unit.lake.ordered_nights import BY_EVIDENCE, event, load, night, profile, waiting

OPENS = EXPORT_TYPES["OPENS"]
ONE, OTHER = event(1, 0), event(2, 30)


def test_a_single_record_is_undecided_and_its_batch_waits(lake: InProcessLake) -> None:
    state = load(lake, [ONE], 1)
    assert (state.outcome, state.error_name) == (Outcome.UNDECIDED, "Undecided")
    assert "setting eventTime" in str(state.reason)
    assert waiting(lake) == ["night-1"]
    assert lake.ledger(OPENS).unloaded_batches() == []
    assert lake.definition() is None
    assert lake.objects("curated/") == []
    assert lake.objects("raw/") != []


def test_a_second_export_decides_and_both_are_loaded(lake: InProcessLake) -> None:
    load(lake, [ONE], 1)
    state = load(lake, [OTHER], 2)
    assert state.outcome == "loaded", state.reason
    assert bag(lake.records()) == bag([ONE, OTHER])
    assert profile(lake).times == ("openTime",)
    assert waiting(lake) == []
    assert {batch.batch_id for batch in lake.ledger(OPENS).loaded_batches()} == {"night-1", "night-2"}


def test_the_same_event_again_decides_nothing(lake: InProcessLake) -> None:
    for number in (1, 2):
        assert load(lake, [ONE], number).outcome == "undecided"
    assert load(lake, [ONE, OTHER], 3).outcome == "loaded"
    assert bag(lake.records()) == bag([ONE, OTHER])
    assert waiting(lake) == []


def test_an_export_without_records_leaves_undecided_batches_waiting(lake: InProcessLake) -> None:
    load(lake, [ONE], 1)
    assert load(lake, [], 2).outcome == "loaded"
    assert waiting(lake) == ["night-1"]
    assert load(lake, [OTHER], 3).outcome == "loaded"
    assert bag(lake.records()) == bag([ONE, OTHER])


def test_the_deciding_load_is_idempotent(lake: InProcessLake) -> None:
    load(lake, [ONE], 1)
    load(lake, [OTHER], 2)
    before = lake.rows()
    for number in (2, 1):
        assert lake.load_again("OPENS", night(number), **BY_EVIDENCE).outcome == "loaded"
    assert lake.rows() == before


def test_a_deciding_load_that_takes_several_calls_loses_none_of_what_waited(lake: InProcessLake) -> None:
    """Each batch has rows of two days, and a call merges one day."""
    export = EXPORT_TYPES["OPENS"]
    days = [(0, 1), (1, 2), (0, 1)]
    batches = [[event(n, day * 24 * 60) for day in some] for n, some in enumerate(days)]
    for number, records in enumerate(batches[:2]):
        undecided: dict[str, Any] = {"event_time": {"OPENS": ({"field": "nowhere"},)}}
        assert load(lake, records, number + 1, **undecided).outcome == "undecided"
    lake.land(array(batches[2]), export, night(4), "LAST_3_DAYS")
    lake.ledger(export).write_order(lake.execution(), Order(night(4)[0], 0, *reversed(night(4))), "LAST_3_DAYS")
    run = lake.execution()
    assert lake.ledger(export).take_lease(run, datetime.now(UTC))
    state = RunState("OPENS", outcome=Outcome.COPIED, ordered_at=night(4)[0], batch_id=night(4)[1])
    calls = 0
    while state.outcome != "loaded":
        clock = count(step=1000)
        state = lake.load_once(state, run, lambda clock=clock: next(clock), **BY_EVIDENCE)  # type: ignore[misc]
        assert state.outcome in ("partial", "loaded"), state.reason
        calls += 1
        assert calls < 20
    assert calls > 3
    assert bag(lake.records()) == bag(record for records in batches for record in records)


def test_the_setting_decides_for_the_next_night_and_all_before_it(lake: InProcessLake) -> None:
    load(lake, [ONE], 1)
    chosen: dict[str, Any] = {"event_time": {"OPENS": ({"field": "openTime"},)}}
    assert load(lake, [ONE], 2, **chosen).outcome == "loaded"
    assert bag(lake.records()) == bag([ONE])
    assert waiting(lake) == []


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        (
            {"event_time": {"OPENS": ({"field": "opentime"},)}},
            "No record of this export has opentime, which the setting eventTime",
        ),
        (
            {"event_time": {"OPENS": ({"field": "messageId"},)}},
            "eventTime names messageId for OPENS, and none of its values",
        ),
        (
            {"identity_fields": {"OPENS": ("contact.id",)}},
            "No record of this export has contact.id, which the setting ident",
        ),
    ],
)
def test_a_wrong_path_in_a_setting_is_named_with_the_fields_that_there_are(
    lake: InProcessLake, setting: dict[str, Any], sentence: str
) -> None:
    state = load(lake, [ONE, OTHER], 1, **setting)
    assert state.outcome == "undecided"
    assert sentence in str(state.reason)
    if "Its fields" in str(state.reason):
        assert "contactId, messageId, openTime" in str(state.reason)


def test_of_several_chosen_times_the_first_that_a_record_has_counts(lake: InProcessLake) -> None:
    records = [
        event(1, 0, readAt=event(1, 24 * 60)["openTime"]),
        *({**event(n, 0), "openTime": None, "readAt": event(n, 24 * 60)["openTime"]} for n in (2, 3)),
    ]
    chosen: dict[str, Any] = {"event_time": {"OPENS": ({"field": "openTime"}, {"field": "readAt"})}}
    state = load(lake, records, 2, **chosen)
    assert state.outcome == "loaded", state.reason
    assert sorted((row["contact_id"], row["dt"]) for row in lake.rows()) == [
        ("k1", "2026-11-20"),
        ("k2", "2026-11-21"),
        ("k3", "2026-11-21"),
    ]


@pytest.mark.parametrize("asked", [{}, {"rebuild": True, "reprofile": True}])
def test_a_replay_decides_as_the_nights_did(lake: InProcessLake, asked: dict[str, Any]) -> None:
    load(lake, [ONE], 1)
    load(lake, [OTHER], 2)
    lake.glue.delete_table(DatabaseName=lake.settings.database, Name="opens")
    state = lake.replay(asked, **BY_EVIDENCE)
    assert state.outcome == "loaded", state.reason
    assert bag(lake.records()) == bag([ONE, OTHER])


def test_a_replay_that_cannot_decide_fails_and_says_so(lake: InProcessLake) -> None:
    load(lake, [ONE], 1)
    state = lake.replay({}, **BY_EVIDENCE)
    assert state.outcome == "failed"
    assert "setting eventTime" in str(state.reason)
    assert waiting(lake) == ["night-1"]


@pytest.mark.parametrize("name", ["at", 'q"r', "a.b", "$", "a'b", "x[0]", "*", "/", "~1", "\\", "\n", "ö"])
def test_a_time_inside_an_object_is_found_in_a_large_export_whatever_its_name(lake: InProcessLake, name: str) -> None:
    """Beyond 500 records, all of them are evidence, from the staged files."""
    records = [{**event(n, n), "openTime": {name: event(n, n)["openTime"], "id": n}} for n in range(600)]
    state = load(lake, records, 1)
    assert state.outcome == "loaded", state.reason
    assert {row["dt"] for row in lake.rows()} == {"2026-11-20"}
    assert profile(lake).times == (f"openTime.{name}",)


# An existing table


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (({"field": "readAt"},), "takes openTime for the time of the event"),
        (({"field": "openTime", "format": "day-first"},), "reads openTime as iso-8601"),
        (({"field": "openTime", "timeZone": "Asia/Tokyo"},), "without an offset as those of UTC"),
    ],
)
def test_another_event_time_for_an_existing_table_is_refused(
    lake: InProcessLake, times: tuple[dict[str, str], ...], words: str
) -> None:
    load(lake, [ONE, OTHER], 1)
    state = load(lake, [ONE, OTHER], 2, event_time={"OPENS": times})
    assert state.outcome == "failed"
    assert words in str(state.reason)
    assert "replay --rebuild" in str(state.reason)


def test_a_rebuild_keeps_the_profile_and_reprofile_decides_it_anew(lake: InProcessLake) -> None:
    load(lake, [ONE, OTHER], 1, identity_fields={"OPENS": ("contactId",)})
    for asked, identity in (({}, ("contactId",)), ({"reprofile": True}, ("contactId", "messageId"))):
        assert lake.replay({"rebuild": True, **asked}, **BY_EVIDENCE).outcome == "loaded"
        assert profile(lake).identity == identity
        assert bag(lake.records()) == bag([ONE, OTHER])


def test_a_rebuild_reads_texts_without_an_offset_in_the_zone_that_the_settings_name(lake: InProcessLake) -> None:
    records = [event(1, 0, openTime=f"2026-11-20 00:{minute}:00") for minute in (10, 20)]
    load(lake, records, 1)
    assert {row["_event_at"].hour for row in lake.rows()} == {0}
    assert load(lake, records, 2, timestamp_time_zone="Europe/Stockholm").outcome == "failed"
    state = lake.replay({"rebuild": True}, **BY_EVIDENCE, timestamp_time_zone="Europe/Stockholm")
    assert state.outcome == "loaded", state.reason
    assert {(row["_event_at"].hour, row["dt"]) for row in lake.rows()} == {(23, "2026-11-19")}


def test_too_many_records_without_a_usable_time_fail_the_run(lake: InProcessLake) -> None:
    load(lake, [ONE, OTHER], 1)
    few = [event(n, n) for n in range(100)] + [event(n, 0, openTime="soon") for n in range(10)]
    assert load(lake, few, 2).outcome == "loaded"
    more = [*few, event(11, 0, openTime="soon")]
    state = load(lake, more, 3)
    assert state.outcome == "failed"
    assert "11 of 111 records of OPENS have no usable time in openTime" in str(state.reason)
    assert load(lake, more, 4, unknown_time_ratio=0.2).outcome == "loaded"


# Messages


def messages(count: int) -> list[dict[str, Any]]:
    return [{"id": n, **event(n, n), "sentTimestamp": event(n, n)["openTime"]} for n in range(count)]


def test_messages_to_one_person_each_are_stored_by_day(lake: InProcessLake) -> None:
    assert load(lake, messages(20), 1, "MESSAGES").outcome == "loaded"
    assert profile(lake, "MESSAGES").times == ("sentTimestamp",)
    assert list(lake.partitions("MESSAGES")) == ["2026-11-20"]


def test_messages_without_a_person_are_stored_by_key(lake: InProcessLake) -> None:
    assert load(lake, [{"id": n, "subject": "x"} for n in range(20)], 1, "MESSAGES").outcome == "loaded"
    assert profile(lake, "MESSAGES").identity == ("id",)
    assert (lake.definition("MESSAGES") or {})["PartitionKeys"] == []


def test_a_chosen_time_gives_messages_days_also_without_a_person(lake: InProcessLake) -> None:
    chosen: dict[str, Any] = {"event_time": {"MESSAGES": ({"field": "created"},)}}
    records = [{"id": n, "created": event(n, n)["openTime"]} for n in range(20)]
    for number in (1, 2):
        state = load(lake, records, number, "MESSAGES", **chosen)
        assert state.outcome == "loaded", state.reason
    assert bag(lake.records("MESSAGES")) == bag(records)


def test_the_vacuum_keeps_the_days_of_any_table_that_has_them(lake: InProcessLake) -> None:
    kind = EXPORT_TYPES["MESSAGES"]
    load(lake, messages(20), 1, "MESSAGES")
    before = lake.rows("MESSAGES")
    vacuum(kind, lake.store, lake.catalog, retention=timedelta(0), now=datetime.now(UTC) + timedelta(days=1))
    assert lake.rows("MESSAGES") == before


# The table's parameter


@pytest.mark.parametrize("state", [False, True])
def test_a_profile_is_read_from_the_tables_parameters_as_it_was_decided(lake: InProcessLake, state: bool) -> None:
    load(lake, [ONE, OTHER], 1)
    table = lake.catalog.table(OPENS)
    assert table is not None
    kept = replace(table.profile, is_settled=state)
    lake.catalog.annotate(OPENS, replace(table, profile=kept))
    assert profile(lake) == kept
    assert profile(lake).event_time[0].format is TimeFormat.ISO_8601
