"""Planning a run: claim and lease, the period, unloaded batches of earlier runs."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from lambdas.execution import BadInput, RunState
from lambdas.ledger.claims import Lease
from lambdas.ledger.ledger import Ledger
from lambdas.ledger.orders import COPIED, LOADED, Order
from lambdas.steps.plan_run import leaves_no_gap, plan_run
from lambdas.vocabulary import Period, UnknownName
from tests.unit.fakes import NOW, Crash, Failing, ago, make_run, make_settings

RUN, OTHER = make_run("run-a"), make_run("run-b", ago(days=1))
INPUT = RunState(export_type="OPENS")
LONG_AGO = ago(days=300)
SUNDAY = NOW + timedelta(days=5)


def never(arn: str) -> datetime | None:
    raise AssertionError("The lease was free, so no execution had to be looked up.")


def planned(
    ledger: Any,
    state: RunState = INPUT,
    stopped_at: Any = never,
    now: datetime = NOW,
    run: Any = RUN,
    **settings: Any,
) -> RunState:
    return plan_run(state, run, ledger=ledger, settings=make_settings(**settings), stopped_at=stopped_at, now=now)


def loaded_until(ledger: Ledger, moment: datetime) -> None:
    ledger.move_watermark(moment.isoformat(timespec="microseconds"), "1")


def leave(ledger: Ledger, batch_id: str, at: datetime, period: str = "LAST_3_DAYS", status: str | None = None) -> None:
    ordered_at = at.isoformat(timespec="microseconds")
    ledger.write_order(OTHER, Order(ordered_at, 0, batch_id, ordered_at), period)
    if status:
        ledger.mark_batch(batch_id, status)


# The input


@pytest.mark.parametrize(
    ("extra", "named"),
    [
        ({"batchId": "7"}, "'batchId'"),
        ({"outcome": "loaded"}, "'outcome'"),
        ({"outcome": "planned", "waitSeconds": 5}, "'outcome', 'waitSeconds'"),
        ({"bytes": 5, "orderedAt": "x"}, "'bytes', 'orderedAt'"),
        ({"outcome": "busy", "batchId": "7"}, "'batchId'"),
        ({"error": {"Error": "E"}}, "'error'"),
        ({"reason": "x"}, "'reason'"),
    ],
)
def test_an_input_with_more_than_an_execution_takes_is_refused_before_anything_is_written(
    ledger: Ledger, table: Any, extra: Any, named: str
) -> None:
    given = RunState.from_json({"exportType": "OPENS", "scheduledTime": "2026-11-24T03:30:00Z", **extra})
    with pytest.raises(BadInput) as refused:
        planned(ledger, given)

    assert str(refused.value) == (
        f"The input has {named}, which only a run itself writes; "
        "an execution takes exportType, period and scheduledTime, or exportType and replay."
    )
    assert table.scan()["Items"] == []


# A replay


def test_a_replay_takes_the_lease_and_orders_nothing(ledger: Ledger) -> None:
    given = RunState.from_json({"exportType": "opened", "replay": {"rebuild": True}})
    state = planned(ledger, given)

    assert (state.export_type, state.outcome, state.period, state.batch_id) == ("OPENS", "replay", None, None)
    assert ledger.lease() == Lease(RUN.arn)


def test_a_replay_waits_for_the_lease_as_any_run_does(ledger: Ledger) -> None:
    ledger.take_lease(OTHER, NOW)
    waiting = planned(ledger, RunState(export_type="OPENS", replay={}), stopped_at=lambda arn: None)
    assert waiting.outcome == "busy"
    ledger.release_lease(OTHER)

    assert planned(ledger, waiting).outcome == "replay"


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"replay": {"except": ["7"]}}, "together with --rebuild"),
        ({"replay": {}, "period": "LAST_DAY"}, "neither period nor scheduledTime"),
        ({"replay": {}, "scheduledTime": "2026-11-24T03:30:00Z"}, "neither period nor scheduledTime"),
        ({"replay": {}, "cursor": "switch"}, "'cursor'"),
    ],
)
def test_an_invalid_replay_is_refused_before_anything_is_written(
    ledger: Ledger, table: Any, extra: Any, words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        planned(ledger, RunState.from_json({"exportType": "OPENS", **extra}))
    assert table.scan()["Items"] == []


@pytest.mark.parametrize("moment", ["", "tonight", "2026-99-01T00:00:00Z", "x" * 5000])
def test_an_invalid_scheduled_time_is_refused(ledger: Ledger, moment: str) -> None:
    with pytest.raises(BadInput, match="scheduledTime") as refused:
        planned(ledger, RunState(export_type="OPENS", scheduled_time=moment))

    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("name", ["", "LAST_YEAR"])
def test_an_unknown_period_is_refused_before_anything_is_written(ledger: Ledger, table: Any, name: str) -> None:
    with pytest.raises(UnknownName, match="LAST_2_WEEKS"):
        planned(ledger, RunState(export_type="OPENS", period=name, scheduled_time="2026-11-24T03:30:00Z"))

    assert table.scan()["Items"] == []


def test_an_alias_is_planned_under_the_types_own_name(ledger: Ledger) -> None:
    assert planned(ledger, RunState(export_type="opened")).export_type == "OPENS"


# Claims


def test_a_scheduled_time_that_another_run_has_is_a_duplicate_that_takes_no_lease(ledger: Ledger) -> None:
    given = RunState(export_type="OPENS", scheduled_time="2026-11-24T03:30:00Z")
    assert planned(ledger, given).outcome == "planned"
    ledger.release_lease(RUN)

    assert planned(ledger, given, run=OTHER).outcome == "duplicate"
    assert ledger.lease() is None


def test_the_same_run_plans_again_after_a_crash(ledger: Ledger) -> None:
    given = RunState(export_type="OPENS", scheduled_time="2026-11-24T03:30:00Z")
    for method in ("claim", "take_lease"):
        with pytest.raises(Crash):
            planned(Failing(ledger, 1, method, after=True), given)

    assert planned(ledger, given).outcome == "planned"


# The lease


def test_a_lease_that_is_taken_is_waited_for_with_the_busy_state_as_input(ledger: Ledger) -> None:
    ledger.take_lease(OTHER, NOW)
    given = RunState(export_type="OPENS", period="TODAY", scheduled_time="2026-11-24T03:30:00Z")

    busy = planned(ledger, given, lambda arn: None)
    assert (busy.outcome, busy.wait_seconds) == ("busy", 60)
    again = planned(ledger, RunState.from_json(busy.to_json()), lambda arn: None, NOW + timedelta(minutes=1))
    assert again == busy

    ledger.release_lease(OTHER)
    done = planned(ledger, RunState.from_json(again.to_json()), now=NOW + timedelta(minutes=2))
    assert (done.outcome, done.wait_seconds, done.period) == ("planned", None, "TODAY")


def test_a_lease_is_waited_for_within_its_limit_and_then_the_run_is_overdue(ledger: Ledger) -> None:
    ledger.take_lease(OTHER, NOW)

    last = planned(ledger, INPUT, lambda arn: None, NOW + timedelta(minutes=59))
    state = planned(ledger, INPUT, lambda arn: None, NOW + timedelta(minutes=59, seconds=1))

    assert last.outcome == "busy"
    assert (state.outcome, state.wait_seconds) == ("overdue", None)
    assert "Another run of this export type has it" in (state.reason or "")
    lease = ledger.lease()
    assert lease is not None
    assert lease.owner == OTHER.arn


def test_a_lease_is_taken_over_when_its_owner_stopped_and_the_longest_function_has_ended(ledger: Ledger) -> None:
    ledger.take_lease(OTHER, NOW)
    stopped = NOW - timedelta(seconds=850)

    waiting = planned(ledger, INPUT, lambda arn: stopped)
    assert (waiting.outcome, waiting.wait_seconds) == ("busy", 51)

    asked: list[str] = []

    def stopped_at(arn: str) -> datetime:
        asked.append(arn)
        return stopped

    assert planned(ledger, INPUT, stopped_at, NOW + timedelta(seconds=50)).outcome == "planned"
    assert asked == [OTHER.arn]
    lease = ledger.lease()
    assert lease is not None
    assert lease.owner == RUN.arn


def test_a_lease_that_a_third_run_took_over_first_is_waited_for(ledger: Ledger) -> None:
    ledger.take_lease(OTHER, NOW)
    third = make_run("run-c")

    def stopped_at(arn: str) -> datetime:
        ledger.take_lease(third, NOW, instead_of=OTHER.arn)
        return LONG_AGO

    state = planned(ledger, INPUT, stopped_at)

    assert (state.outcome, state.wait_seconds) == ("busy", 3)


def test_a_lease_that_is_released_meanwhile_is_tried_again_at_once(ledger: Ledger) -> None:
    ledger.take_lease(OTHER, NOW)

    class Released(Failing):
        def take_lease(self, *args: Any) -> bool:
            taken = ledger.take_lease(*args)
            ledger.release_lease(OTHER)
            return taken

    state = planned(Released(ledger))

    assert (state.outcome, state.wait_seconds) == ("busy", 3)


# The period


@pytest.mark.parametrize(
    ("hours", "nightly", "chosen"),
    [
        (None, "LAST_3_DAYS", "LAST_2_WEEKS"),
        (24, "LAST_3_DAYS", "LAST_3_DAYS"),
        (48, "LAST_3_DAYS", "LAST_3_DAYS"),
        (49, "LAST_3_DAYS", "LAST_2_WEEKS"),
        (72, "LAST_3_DAYS", "LAST_2_WEEKS"),
        (120, "LAST_3_DAYS", "LAST_2_WEEKS"),
        (24, "LAST_DAY", "LAST_DAY"),
        (36, "LAST_DAY", "LAST_DAY"),
        (37, "LAST_DAY", "LAST_2_WEEKS"),
        (120, "LAST_WEEK", "LAST_WEEK"),
        (145, "LAST_WEEK", "LAST_2_WEEKS"),
        (24, "LAST_2_WEEKS", "LAST_2_WEEKS"),
        (24, "TODAY", "LAST_2_WEEKS"),
    ],
)
def test_the_period_reaches_back_to_the_last_success(
    ledger: Ledger, hours: int | None, nightly: str, chosen: str
) -> None:
    if hours is not None:
        loaded_until(ledger, ago(hours=hours))

    state = planned(ledger, nightly_period=nightly)

    assert (state.outcome, state.period, state.unreachable_days) == ("planned", chosen, None)


@pytest.mark.parametrize(
    ("started", "weekday", "chosen"),
    [
        (NOW, "SUNDAY", "LAST_3_DAYS"),
        (SUNDAY, "SUNDAY", "LAST_2_WEEKS"),
        (SUNDAY, "", "LAST_3_DAYS"),
        (NOW, "TUESDAY", "LAST_2_WEEKS"),
    ],
)
def test_one_weekday_sweeps_for_late_events(ledger: Ledger, started: datetime, weekday: str, chosen: str) -> None:
    loaded_until(ledger, started - timedelta(days=1))

    state = planned(ledger, run=make_run("run-a", started), now=started, sweep_weekday=weekday)

    assert state.period == chosen


@pytest.mark.parametrize("asked", [period.value for period in Period])
def test_an_explicit_period_wins(ledger: Ledger, asked: str) -> None:
    assert planned(ledger, RunState(export_type="OPENS", period=asked.lower())).period == asked


@pytest.mark.parametrize(
    ("days", "unreachable"), [(12, None), (13, None), (14, "2026-11-10..2026-11-11"), (30, "2026-10-25..2026-11-11")]
)
def test_days_that_no_period_reaches_any_more_are_reported(ledger: Ledger, days: int, unreachable: str | None) -> None:
    loaded_until(ledger, ago(days=days))

    state = planned(ledger)

    assert (state.period, state.unreachable_days) == ("LAST_2_WEEKS", unreachable)


@pytest.mark.parametrize(
    ("covered", "hours", "nightly", "expected"),
    [
        ("TODAY", 1, "TODAY", False),
        ("LAST_DAY", 24, "LAST_3_DAYS", False),
        ("LAST_DAY", 24, "LAST_DAY", True),
        ("LAST_DAY", 37, "LAST_DAY", False),
        ("LAST_3_DAYS", 48, "LAST_DAY", True),
        ("LAST_3_DAYS", 49, "LAST_3_DAYS", False),
        ("LAST_WEEK", 144, "LAST_3_DAYS", True),
        ("LAST_2_WEEKS", 2400, "LAST_3_DAYS", True),
        ("LAST_3_DAYS", None, "LAST_3_DAYS", False),
        ("LAST_2_WEEKS", None, "LAST_3_DAYS", True),
        ("TODAY", None, "LAST_3_DAYS", False),
    ],
)
def test_a_period_leaves_no_gap_when_it_is_trusted_to_reach_the_watermark(
    covered: str, hours: int | None, nightly: str, expected: bool
) -> None:
    watermark = None if hours is None else ago(hours=hours)

    assert leaves_no_gap(Period(covered), NOW, watermark, Period(nightly)) is expected


# Unloaded batches


@pytest.mark.parametrize(("status", "outcome"), [(None, "adopted"), (COPIED, "landed")])
def test_an_unloaded_batch_that_covers_the_plan_is_adopted_at_its_status(
    ledger: Ledger, status: str | None, outcome: str
) -> None:
    loaded_until(ledger, ago(hours=25))
    leave(ledger, "7", ago(hours=24), period="LAST_WEEK", status=status)

    state = planned(ledger)

    assert (state.outcome, state.batch_id, state.period) == (outcome, "7", "LAST_WEEK")
    assert state.ordered_at == ago(hours=24).isoformat(timespec="microseconds")
    assert ledger.unloaded_batches()[0].owner == RUN.arn


@pytest.mark.parametrize(
    ("period", "hours", "asked", "reason"),
    [
        ("LAST_DAY", 5, "LAST_3_DAYS", "it reaches less far"),
        ("LAST_3_DAYS", 5, "LAST_2_WEEKS", "it reaches less far"),
        ("LAST_3_DAYS", 37, "LAST_3_DAYS", "it is older than a night"),
        ("LAST_2_WEEKS", 24 * 10, "LAST_3_DAYS", "it reaches far enough and is days old"),
        ("TODAY", 5, "LAST_DAY", "today was another day"),
        ("TODAY", 5, "TODAY", "today was another day"),
        ("LAST_2_WEEKS", 5, "TODAY", "it may know nothing of today"),
    ],
)
def test_a_batch_that_does_not_cover_the_plan_is_not_adopted(
    ledger: Ledger, period: str, hours: int, asked: str, reason: str
) -> None:
    leave(ledger, "7", ago(hours=hours), period)

    state = planned(ledger, RunState(export_type="OPENS", period=asked))

    assert (state.outcome, state.batch_id) == ("planned", None), reason
    assert ledger.unloaded_batches()[0].owner == OTHER.arn


def test_a_batch_older_than_the_watermark_is_not_adopted(ledger: Ledger) -> None:
    leave(ledger, "7", ago(hours=24))
    loaded_until(ledger, ago(hours=20))

    assert planned(ledger).outcome == "planned"


def test_the_newest_of_several_batches_is_adopted(ledger: Ledger) -> None:
    for batch_id, hours in (("1", 20), ("2", 10), ("3", 30)):
        leave(ledger, batch_id, ago(hours=hours), "LAST_2_WEEKS")
    leave(ledger, "4", ago(hours=5), period="LAST_2_WEEKS", status=LOADED)

    assert planned(ledger).batch_id == "2"


def test_a_crash_after_the_adoption_is_found_by_a_retry(ledger: Ledger) -> None:
    leave(ledger, "7", ago(hours=10), "LAST_2_WEEKS")
    with pytest.raises(Crash):
        planned(Failing(ledger, 1, "adopt", after=True))

    state = planned(ledger)

    assert (state.outcome, state.batch_id) == ("adopted", "7")


def test_a_batch_that_another_run_adopts_first_is_not_adopted(ledger: Ledger) -> None:
    leave(ledger, "7", ago(hours=10), "LAST_2_WEEKS")

    class Overtaken(Failing):
        def adopt(self, batch: Any, run: Any) -> bool:
            ledger.adopt(batch, make_run("run-c"))
            return ledger.adopt(batch, run)

    assert planned(Overtaken(ledger)).outcome == "planned"
