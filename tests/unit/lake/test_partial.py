"""A load of several calls resumes from its checkpoint, and publishes after its last day."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from lambdas.execution import Execution, RunState
from lambdas.outcome import Outcome
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.aws.in_process import Aws
from tests.unit.lake.in_process_lake import Age, InProcessLake, age, array, bag, new_lake

DAYS = 4


def opened(event_id: int, day: int, **more: Any) -> dict[str, Any]:
    return {"eventId": event_id, "contactId": f"k{event_id}", "timestamp": f"2024-03-0{day}T10:00:00Z", **more}


OLD = [opened(day, day) for day in range(1, DAYS + 1)]
NEW = [opened(day, day, name="a") for day in range(1, DAYS + 1)] + [opened(9, DAYS)]


@pytest.fixture
def lake(aws: Aws) -> InProcessLake:
    created = new_lake()
    created.load(array(OLD), at=age(1))
    created.land(array(NEW), EXPORT_TYPES["OPENS"], age(2))
    return created


def start_load(lake: InProcessLake) -> tuple[RunState, Execution]:
    run = lake.execution()
    assert lake.ledger(EXPORT_TYPES["OPENS"]).take_lease(run, datetime.now(UTC))
    at: Age = age(2)
    return RunState(export_type="OPENS", outcome=Outcome.COPIED, ordered_at=at[0], batch_id=at[1]), run


def load_one_day(lake: InProcessLake, state: RunState, run: Execution) -> RunState:
    """A call that runs out of time as soon as a day is merged."""
    clock = count(step=1000)
    return lake.load_once(state, run, lambda: next(clock))


def test_each_call_merges_a_day_and_all_are_published_after_the_last(lake: InProcessLake) -> None:
    state, run = start_load(lake)
    for _ in range(DAYS - 1):
        state = load_one_day(lake, state, run)
        assert state.outcome == "partial"
        assert bag(lake.records()) == bag(OLD)
    state = load_one_day(lake, state, run)
    assert state.outcome == "loaded"
    assert bag(lake.records()) == bag(NEW)
    assert state.tally is not None
    assert (state.tally["read"], state.tally["new"], state.tally["updated"]) == (DAYS + 1, 1, DAYS)
    assert state.tally["dayCount"] == DAYS
    assert lake.objects("curated/_drafts/") == []


def test_a_call_whose_response_was_lost_is_idempotent(lake: InProcessLake) -> None:
    first, run = start_load(lake)
    state = load_one_day(lake, first, run)
    assert load_one_day(lake, first, run) == state
    again = load_one_day(lake, state, run)
    assert load_one_day(lake, state, run).outcome == again.outcome == "partial"
    assert lake.load_once(again, run).outcome == "loaded"
    # The last response was lost too, after all days were published.
    assert lake.load_once(again, run).outcome == "loaded"
    assert bag(lake.records()) == bag(NEW)


def test_another_run_ignores_the_checkpoint_of_an_abandoned_run(lake: InProcessLake) -> None:
    state, run = start_load(lake)
    load_one_day(lake, load_one_day(lake, state, run), run)
    lake.ledger(EXPORT_TYPES["OPENS"]).release_lease(run)
    assert lake.load_again("OPENS", age(2)).outcome == "loaded"
    assert bag(lake.records()) == bag(NEW)
    assert lake.objects("curated/_drafts/") == []


def test_a_replay_resumes_within_a_batch(lake: InProcessLake) -> None:
    run = lake.execution()
    assert lake.ledger(EXPORT_TYPES["OPENS"]).take_lease(run, datetime.now(UTC))
    state = RunState(export_type="OPENS", outcome=Outcome.REPLAY, replay={"rebuild": True})
    outcomes = []
    while state.outcome in ("replay", "partial"):
        state = lake.replay_once(state, run, seconds=1000)
        outcomes.append((state.outcome, state.cursor))
    # One day per call for two batches, and the switch.
    assert len(outcomes) == 2 * DAYS + 1
    assert outcomes[-1][0] == "loaded"
    assert bag(lake.records()) == bag(NEW)
