"""Killed at any call to AWS and run again, a load and a rebuild give the same tables, and no reader sees a half."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambdas.execution import Execution, RunState
from lambdas.lake.tables.vacuum import vacuum
from lambdas.ledger.orders import COPIED, LOADED, Order
from lambdas.outcome import Outcome
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.aws.in_process import Aws
from tests.unit.lake.crashes import Killed, Reader, Trap, View, each_day_is_one_of, trapped
from tests.unit.lake.lakehouse import age, array, new_house

pytestmark = pytest.mark.no_cover

AT_ONCE = {"superseded_retention_hours": 0}


def opened(event_id: int, day: int, **more: Any) -> dict[str, Any]:
    return {"eventId": event_id, "timestamp": f"2024-03-0{day}T10:00:00Z", **more}


OLD: dict[str, list[dict[str, Any]]] = {
    "OPENS": [opened(1, 1), opened(2, 2), opened(3, 3, name="a")],
    "LISTS": [{"listId": 1, "name": "a"}, {"listId": 2}],
}
# A day that stays, one that changes, one that is new, and a column that both need.
NEW: dict[str, list[dict[str, Any]]] = {
    "OPENS": [opened(2, 2), opened(4, 2, more=0.5), opened(3, 3, name="b"), opened(5, 4, more=1.5)],
    "LISTS": [{"listId": 2, "more": 0.5}, {"listId": 3}],
}


class Night:
    """A table with a first batch, or none yet, and a second batch that has landed; it can begin again any time."""

    def __init__(self, aws: Aws, export: str, *, has_table: bool = True) -> None:
        self.aws, self.house, self.export = aws, new_house(), export
        self.reader = Reader(self.house, export)
        kind = EXPORT_TYPES[export]
        if has_table:
            self.house.load(array(OLD[export]), export, age(1))
        self.ledger = self.house.ledger(kind)
        self.ledger.write_order(self.house.execution(), Order(age(2)[0], 0, age(2)[1], age(2)[0]), "LAST_3_DAYS")
        self.ledger.mark_batch(age(2)[1], COPIED)
        self.house.land(array(NEW[export]), kind, age(2))
        self.beginning = self.aws.saved()

    def begin_again(self) -> None:
        """Take everything back that has happened to this lake since."""
        self.aws.restore(self.beginning)

    def load(self, run: Execution) -> RunState:
        return self.house.load_again(self.export, age(2), run=run, take_lease=False, **AT_ONCE)

    def check_end(self, state: RunState, run: Execution, expected: View) -> None:
        """Everything is loaded, readers see it, and nothing else lies in the table's folder."""
        assert state.outcome == "loaded"
        assert self.reader.view() == expected
        assert [batch.status for batch in self.ledger.loaded_batches()] == [LOADED]
        assert self.ledger.lease() is not None
        self.check_tidy()

    def check_tidy(self) -> None:
        kind = EXPORT_TYPES[self.export]
        vacuum(kind, self.house.store, self.house.catalog, retention=timedelta(0), now=datetime.now(UTC))
        assert len(self.house.objects(f"curated/{kind.table}/")) == len(self.reader.view())
        assert self.house.objects("curated/_drafts/") == []


@pytest.fixture
def nights(aws: Aws) -> Iterator[Any]:
    made: list[Night] = []

    def night(export: str, **how: Any) -> Night:
        made.append(Night(aws, export, **how))
        return made[-1]

    yield night
    for one in made:
        shutil.rmtree(one.house.work, ignore_errors=True)


# Whether the call that kills takes effect, and who runs next. What a kill before a call leaves is what one after the
# call before it leaves, so every night takes these in turn; LAKE_CAMPAIGN=1 takes all four at every call.
WAYS = [("before", "same run"), ("after", "later run"), ("before", "later run"), ("after", "same run")]


def kills(calls: int) -> Iterator[tuple[int, str, str]]:
    """Every call by its number, with the ways to be killed there."""
    for at in range(1, calls + 1):
        for kill, heir in WAYS if "LAKE_CAMPAIGN" in os.environ else [WAYS[at % len(WAYS)]]:
            yield at, kill, heir


@pytest.mark.parametrize(("export", "has_table"), [("OPENS", True), ("OPENS", False), ("LISTS", True)])
def test_load_killed_at_any_call_and_run_again_gives_the_same_table_and_no_half(
    nights: Any, export: str, has_table: bool
) -> None:
    night = nights(export, has_table=has_table)
    old, run = night.reader.view(), night.house.execution()
    night.ledger.take_lease(run, datetime.now(UTC))
    with trapped(night.house, Trap()) as counted:
        state = night.load(run)
    new = night.reader.view()
    night.check_end(state, run, new)
    assert old != new
    assert {"GetObject", "PutObject", "GetItem", "UpdateItem", "GetTable"} <= set(counted.calls)

    for at, kill, heir in kills(len(counted.calls)):
        night.begin_again()
        run = night.house.execution()
        night.ledger.take_lease(run, datetime.now(UTC))
        look = each_day_is_one_of(night.reader, old, new)
        with trapped(night.house, Trap(at, kill == "after", look)), pytest.raises(Killed):
            night.load(run)
        if heir == "later run":
            killed, run = run, night.house.execution()
            assert night.ledger.take_lease(run, datetime.now(UTC), instead_of=killed.arn)
        with trapped(night.house, Trap(look=look)):
            state = night.load(run)
        night.check_end(state, run, new)


class Rebuild:
    """A rebuild without the second batch, which may be killed, and is called again as the machine does."""

    def __init__(self, night: Night, run: Execution) -> None:
        self.night, self.run = night, run
        self.beginning = night.aws.saved()
        self.begin_again()

    def begin_again(self) -> None:
        """Take everything back that has happened to the lake since."""
        self.night.aws.restore(self.beginning)
        self.state = RunState(
            export_type=self.night.export, outcome=Outcome.REPLAY, replay={"except": ["batch-2"], "rebuild": True}
        )

    def go_on(self) -> RunState:
        """Call after call; a call that was killed begins anew with the state that it was given."""
        while self.state.outcome in ("replay", "partial"):
            self.state = self.night.house.replay_once(self.state, self.run, **AT_ONCE)
        return self.state


def rebuilding(nights: Any, export: str) -> Rebuild:
    night = nights(export)
    run = night.house.execution()
    night.ledger.take_lease(run, datetime.now(UTC))
    night.load(run)
    return Rebuild(night, run)


@pytest.mark.parametrize("export", ["OPENS", "LISTS"])
def test_rebuild_killed_at_any_call_ends_well_and_no_reader_sees_a_half(nights: Any, export: str) -> None:
    rebuild = rebuilding(nights, export)
    night = rebuild.night
    old = night.reader.view()
    with trapped(night.house, Trap()) as counted:
        assert rebuild.go_on().outcome == "loaded"
    new = night.reader.view()
    assert old != new
    night.check_tidy()

    for at, kill, heir in kills(len(counted.calls)):
        rebuild.begin_again()
        look = each_day_is_one_of(night.reader, old, new)
        with trapped(night.house, Trap(at, kill == "after", look)), pytest.raises(Killed):
            rebuild.go_on()
        if heir == "same run":
            with trapped(night.house, Trap(look=look)):
                assert rebuild.go_on().outcome == "loaded"
            assert night.reader.view() == new
        else:
            # Whoever loads next ends the switch if it was begun, and knows nothing of a rebuild if it was not.
            run = night.house.execution()
            assert night.ledger.take_lease(run, datetime.now(UTC), instead_of=rebuild.run.arn)
            night.house.load_again(export, age(1), run=run, take_lease=False, **AT_ONCE)
            assert night.reader.view() in (old, new)
        night.check_tidy()
