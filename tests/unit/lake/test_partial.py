"""A load that takes more than one call goes on where it was, and publishes after its last day."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from lambdas.execution import Execution, RunState
from lambdas.outcome import Outcome
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.aws.in_process import Aws
from tests.unit.lake.lakehouse import Age, House, age, array, bag, new_house

DAYS = 4


def opened(event_id: int, day: int, **more: Any) -> dict[str, Any]:
    return {"eventId": event_id, "timestamp": f"2024-03-0{day}T10:00:00Z", **more}


OLD = [opened(day, day) for day in range(1, DAYS + 1)]
NEW = [opened(day, day, name="a") for day in range(1, DAYS + 1)] + [opened(9, DAYS)]


@pytest.fixture
def house(aws: Aws) -> House:
    made = new_house()
    made.load(array(OLD), at=age(1))
    made.land(array(NEW), EXPORT_TYPES["OPENS"], age(2))
    return made


def begun(house: House) -> tuple[RunState, Execution]:
    run = house.execution()
    assert house.ledger(EXPORT_TYPES["OPENS"]).take_lease(run, datetime.now(UTC))
    at: Age = age(2)
    return RunState(export_type="OPENS", outcome=Outcome.COPIED, ordered_at=at[0], batch_id=at[1]), run


def late(house: House, state: RunState, run: Execution) -> RunState:
    """A call whose time is over as soon as a day is merged."""
    clock = count(step=1000)
    return house.load_once(state, run, lambda: next(clock))


def test_a_load_without_time_merges_a_day_a_call_and_readers_see_none_before_the_last(house: House) -> None:
    state, run = begun(house)
    for _ in range(DAYS - 1):
        state = late(house, state, run)
        assert state.outcome == "partial"
        assert bag(house.records()) == bag(OLD)
    state = late(house, state, run)
    assert state.outcome == "loaded"
    assert bag(house.records()) == bag(NEW)
    assert state.tally is not None
    assert (state.tally["read"], state.tally["new"], state.tally["updated"]) == (DAYS + 1, 1, DAYS)
    assert state.tally["dayCount"] == DAYS
    assert house.objects("curated/_drafts/") == []


def test_a_call_whose_answer_was_lost_is_made_again(house: House) -> None:
    first, run = begun(house)
    state = late(house, first, run)
    assert late(house, first, run) == state
    again = late(house, state, run)
    assert late(house, state, run).outcome == again.outcome == "partial"
    assert house.load_once(again, run).outcome == "loaded"
    # The last answer was lost too, and all days are published.
    assert house.load_once(again, run).outcome == "loaded"
    assert bag(house.records()) == bag(NEW)


def test_another_run_starts_anew_after_one_that_was_given_up(house: House) -> None:
    state, run = begun(house)
    late(house, late(house, state, run), run)
    house.ledger(EXPORT_TYPES["OPENS"]).release_lease(run)
    assert house.load_again("OPENS", age(2)).outcome == "loaded"
    assert bag(house.records()) == bag(NEW)
    assert house.objects("curated/_drafts/") == []


def test_a_replay_goes_on_within_a_batch(house: House) -> None:
    run = house.execution()
    assert house.ledger(EXPORT_TYPES["OPENS"]).take_lease(run, datetime.now(UTC))
    state = RunState(export_type="OPENS", outcome=Outcome.REPLAY, replay={"rebuild": True})
    outcomes = []
    while state.outcome in ("replay", "partial"):
        state = house.replay_once(state, run, seconds=1000)
        outcomes.append((state.outcome, state.cursor))
    # A day a call, of two batches, and the switch.
    assert len(outcomes) == 2 * DAYS + 1
    assert outcomes[-1][0] == "loaded"
    assert bag(house.records()) == bag(NEW)
