"""Planning a run: its input, claim and lease."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from lambdas.execution import BadInput, RunState
from lambdas.ledger.claims_and_lease import Lease
from lambdas.ledger.ledger import Ledger
from lambdas.vocabulary import UnknownName
from tests.unit.fakes import NOW, Crash, Failing, make_run
from tests.unit.steps.planning import INPUT, LONG_AGO, OTHER, RUN, planned

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
        ({"replay": {}, "partBytes": 5 << 20}, "nor partBytes"),
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


@pytest.mark.parametrize("size", [-1, (5 << 20) - 1, (16 << 20) + 1])
def test_a_part_size_that_s3_or_a_function_does_not_take_is_refused(ledger: Ledger, table: Any, size: int) -> None:
    with pytest.raises(BadInput, match=f"partBytes is {size} and must be from 5242880"):
        planned(ledger, RunState(export_type="OPENS", part_bytes=size))
    assert table.scan()["Items"] == []


def test_a_trials_part_size_reaches_the_copy(ledger: Ledger) -> None:
    assert planned(ledger, RunState.from_json({"exportType": "OPENS", "partBytes": 5 << 20})).part_bytes == 5 << 20


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
