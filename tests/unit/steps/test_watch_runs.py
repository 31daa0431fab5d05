"""The watch over silence: its numbers, its summary, and runs that could not close themselves."""

from datetime import timedelta
from typing import Any

import pytest

from lambdas.execution import EndedExecution
from lambdas.steps.watch_runs import Finding, Watched, findings, profiles, summary, unclosed
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.fakes import NOW, ago


def ran(days: float, outcome: str = "succeeded", **fields: Any) -> dict[str, Any]:
    started = NOW - timedelta(days=days)
    ended = started + timedelta(hours=1)
    rows = {"rows_read": 5} if outcome == "succeeded" else {}
    times = {"started_at": started.isoformat(), "ended_at": ended.isoformat()}
    return {"outcome": outcome, "period": "LAST_3_DAYS", **times, **rows, **fields}


def watched(*runs: dict[str, Any], export: str = "OPENS", since: float = 30, covered: float | None = 1) -> Watched:
    watermark = None if covered is None else ago(days=covered)
    return Watched(EXPORT_TYPES[export], ago(days=since), watermark, runs)


def found(*all_watched: Watched) -> Finding:
    return findings(all_watched, NOW)[0]


def test_hours_count_from_the_end_of_the_last_success() -> None:
    assert found(watched(ran(0.5, "failed", error="X"), ran(1.5), ran(2.5))).hours_since_success == 35


def test_a_new_type_is_expected_since_the_watch_over_it_began() -> None:
    finding = found(watched(since=0.25, covered=None))
    assert (finding.hours_since_success, finding.days_missing) == (6, 0.25)


def test_an_old_success_counts_for_nothing_before_the_watch_began() -> None:
    assert found(watched(ran(20), since=0.5, covered=20)) == Finding(EXPORT_TYPES["OPENS"], 12, 0.5, False)


def test_days_are_missing_since_the_watermark() -> None:
    assert found(watched(ran(0.2), covered=9.5)).days_missing == 9.5


def test_nothing_is_late_before_the_token_is_set() -> None:
    waiting = watched(ran(0.5, "failed", error="TokenNotSet"), ran(1.5, "failed", error="TokenNotSet"), covered=None)
    assert found(waiting) == Finding(EXPORT_TYPES["OPENS"], 0, 0, False)


def test_a_stack_that_took_over_the_data_of_another_waits_for_its_token_too() -> None:
    waiting = watched(ran(0.5, "failed", error="TokenNotSet"), ran(3), since=2, covered=3)
    assert found(waiting) == Finding(EXPORT_TYPES["OPENS"], 0, 0, False)


def test_a_token_that_is_removed_later_makes_the_type_late_like_any_failure() -> None:
    assert found(watched(ran(1.5, "failed", error="TokenNotSet"), ran(3))).hours_since_success > 24


@pytest.mark.parametrize(
    ("runs", "is_odd"),
    [
        ([ran(0.5, rows_read=0), ran(1.5), ran(2.5)], True),
        ([ran(0.5, rows_read=0), ran(1.5), ran(2.5, rows_read=0)], False),
        ([ran(0.5, rows_read=0)], False),
        ([ran(0.5, rows_read=0), ran(9)], False),
        ([ran(0.5), ran(1.5)], False),
        ([ran(0.1, rows_read=0, period="TODAY"), ran(0.5), ran(1.5)], False),
        ([ran(0.1, "failed"), ran(0.5, rows_read=0), ran(1.5)], True),
    ],
)
def test_an_export_is_oddly_empty_when_those_of_the_last_seven_days_were_not(runs: list[Any], is_odd: bool) -> None:
    assert found(watched(*runs)).is_oddly_empty is is_odd


@pytest.mark.parametrize(("export", "is_odd"), [("OPENS", False), ("OPTOUTS", False), ("LISTS", True)])
def test_an_empty_event_export_is_expected_when_nothing_was_sent(export: str, is_odd: bool) -> None:
    empty = (ran(0.5, rows_read=0), ran(1.5), ran(2.5))
    assert found(watched(*empty, export=export), watched(*empty, export="SENT")).is_oddly_empty is is_odd


def test_an_export_of_sent_messages_is_oddly_empty_itself() -> None:
    assert found(watched(ran(0.5, rows_read=0), ran(1.5), export="SENT")).is_oddly_empty


def test_the_summary_has_a_line_per_export() -> None:
    text = summary(
        [
            watched(
                ran(
                    0.5,
                    rows_new=3,
                    new_columns="module",
                    rows_rescued=2,
                    rows_recounted=7,
                    per_day='{"2026-11-20": {"new": 3}, "2026-11-19": {"new": 0}}',
                ),
                ran(1.5, "failed", reason="No."),
            ),
            watched(ran(0.5, "failed", reason="CLICKS: No."), ran(1.5), export="CLICKS"),
            watched(ran(3), export="SENT"),
        ],
        [EXPORT_TYPES["LISTS"]],
        NOW,
    )
    lines = {line.split()[0]: line for line in text.splitlines()[2:]}
    assert "5 rows, 3 new, new columns module, 2 rescued, 7 that stand more or less often" in lines["OPENS"]
    assert "oldest new day 2026-11-20, healed" in lines["OPENS"]
    assert "FAILED  CLICKS: No." in lines["CLICKS"]
    assert "no run" in lines["SENT"]
    assert "switched off" in lines["LISTS"]


@pytest.mark.parametrize(
    ("read", "rejected", "progress", "is_told"),
    [
        (5, 0, "5/5", False),
        (5, 0, "5/6", False),
        (4, 1, "5/7", False),
        (5, 0, "7/7", True),
        (5, 0, "0/0", False),
        (5, 0, "?/?", False),
        (5, 0, None, False),
        (99_901, 0, "100000/100000", False),
        (99_899, 0, "100000/100000", True),
    ],
)
def test_the_summary_tells_of_another_count_by_symplify(
    read: int, rejected: int, progress: str | None, is_told: bool
) -> None:
    run = ran(0.5, rows_read=read, rows_quarantined=rejected, progress=progress)
    assert (f"SYMPLIFY COUNTED {progress}" in summary([watched(run)], [], NOW)) is is_told


def test_new_tables_of_the_last_day_are_shown_together_with_what_they_take_their_fields_for() -> None:
    text = profiles(
        [
            watched(ran(0.5, profile="the time of an event is openTime")),
            watched(ran(0.4, profile="records are identified by id"), export="LISTS"),
            watched(ran(0.5), ran(1.5, profile="the time of an event is ts"), export="CLICKS"),
        ],
        NOW,
    )
    lines = {line.split()[0]: line for line in str(text).splitlines() if line}
    assert "openTime" in lines["OPENS"]
    assert "identified by id" in lines["LISTS"]
    assert "CLICKS" not in lines
    assert profiles([watched(ran(0.5))], NOW) is None


def stopped(status: str = "ABORTED", given: object = None) -> EndedExecution:
    return EndedExecution(
        "arn:aws:states:eu-west-1:1:execution:lake:run-x", ago(hours=9), status=status, stopped_at=NOW, given=given
    )


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        ("ABORTED", "ABORTED", "was stopped"),
        ("TIMED_OUT", "TIMED_OUT", "took longer than"),
        ("FAILED", "NotClosed", "failed in its last step"),
    ],
)
def test_a_run_that_could_not_close_itself_becomes_a_failure_with_its_reason(
    status: str, error: str, words: str
) -> None:
    given = {"exportType": "opened", "scheduledTime": "2026-11-24T03:30:00Z", "more": 1}
    closed = unclosed(stopped(status, given))
    assert closed is not None
    state, run = closed
    assert (state.export_type, state.outcome, state.error_name) == ("OPENS", "failed", error)
    assert words in (state.reason or "")
    assert run.folder.endswith("-run-x")


@pytest.mark.parametrize("given", [None, [], {}, {"exportType": "SMS"}, {"exportType": 5}])
def test_a_run_of_no_export_type_has_no_record(given: object) -> None:
    assert unclosed(stopped(given=given)) is None
