"""What run records say of an export: how it went, and what the last night brought."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

from lambdas.lake.profile.profile import Profile
from lambdas.report.exports import ExportState
from lambdas.vocabulary import EXPORT_TYPES

NOW = datetime(2026, 11, 27, 6, tzinfo=UTC)


def ran(hours_ago: float, outcome: str = "succeeded", **more: Any) -> dict[str, Any]:
    ended = NOW - timedelta(hours=hours_ago)
    times = {"started_at": (ended - timedelta(minutes=9)).isoformat(), "ended_at": ended.isoformat()}
    return {"outcome": outcome, "ordered_at": times["started_at"], **times, **more}


def state(*records: dict[str, Any], is_on: bool = True, profile: Profile | None = None) -> ExportState:
    return ExportState(EXPORT_TYPES["OPENS"], is_on, profile, records, NOW)


def test_an_export_is_what_its_last_run_was() -> None:
    assert state(ran(1), ran(25, "failed")).outcome == "succeeded"
    failed = state(ran(1, "failed", reason="It broke."), ran(25))
    assert (failed.outcome, failed.is_well, failed.reason) == ("failed", False, "It broke.")
    assert failed.hours_since_success == 25
    assert state(ran(1, "undecided"), ran(2)).outcome == "undecided"


def test_an_export_without_a_run_for_a_day_is_late_and_one_that_is_switched_off_is_not() -> None:
    assert state(ran(24.5)).outcome == "late"
    assert state().outcome == "late"
    off = state(ran(24.5, "failed", reason="It broke."), is_on=False)
    assert (off.outcome, off.is_well, off.reason) == ("off", True, "")


def test_rows_without_a_table_are_missed() -> None:
    gone = state(ran(1, rows_read=0), ran(25, rows_read=7))
    assert (gone.outcome, gone.is_well) == ("table gone", False)
    assert "replay" in gone.reason
    assert state(ran(1, rows_read=0)).is_well


def test_a_replay_says_nothing_of_the_night() -> None:
    replayed = ran(0.5, "replayed", rows_new=7)
    assert state(replayed, ran(1, "failed")).outcome == "failed"
    assert state(replayed, ran(1, rows_new=3)).rows("rows_new") == 3


def test_days_that_were_lost_are_said_although_the_run_succeeded() -> None:
    assert state(ran(1, unreachable_days="2026-11-01 to 2026-11-03")).reason == "Lost days: 2026-11-01 to 2026-11-03."


def test_the_night_is_what_ended_within_a_day() -> None:
    found = state(
        ran(1, rows_read=5, rows_new=2), ran(2, "failed", rows_read=50), ran(23, rows_read=7), ran(25, rows_read=9)
    )
    assert (found.rows("rows_read"), found.rows("rows_new"), found.rows("rows_rescued")) == (12, 2, 0)


def test_rows_of_days_that_were_long_over_are_late_but_not_those_of_a_first_load() -> None:
    days = {"2026-11-24": 4, "2026-11-25": 2, "2026-11-26": 1, "unknown": 8}
    per_day = json.dumps({day: {"read": 9, "new": new} for day, new in days.items()})
    assert state(ran(1, per_day=per_day), ran(25)).late == 4
    assert state(ran(1, per_day=per_day)).late == 0
    assert state(ran(1), ran(25)).late == 0


def test_columns_are_new_unless_they_came_with_the_table() -> None:
    assert state(ran(1, new_columns="rate,tags"), ran(25, new_columns="id")).new_columns == ["rate", "tags"]
    assert state(ran(1, new_columns="rate"), ran(3, new_columns="id")).new_columns == ["rate"]
    assert state(ran(1, new_columns="id")).new_columns == []


def test_the_latest_event_is_that_of_all_runs_and_its_text_is_utc() -> None:
    found = state(ran(1), ran(25, latest_event="2026-11-26 00:00:00"), ran(49, latest_event="2026-11-25T12:00:00"))
    assert found.hours_since_event == 30
    assert state(ran(1)).hours_since_event is None


def test_a_night_is_the_last_run_of_its_day() -> None:
    found = state(ran(1), ran(2, "failed"), ran(25, "undecided"))
    days = (date(2026, 11, 27), date(2026, 11, 26), date(2026, 11, 25))
    assert [found.night(day) for day in days] == ["succeeded", "undecided", ""]
