"""Crash recovery: killed at any call to AWS and retried, loads and rebuilds give the same tables, with atomic reads."""

import os
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from lambdas.execution import Execution, RunState
from lambdas.lake.tables.vacuum import vacuum
from lambdas.ledger.orders import COPIED, LOADED, Order
from lambdas.outcome import Outcome
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.aws.in_process import Aws
from tests.unit.lake.fault_injection import (
    Interceptor,
    Killed,
    Reader,
    View,
    each_day_matches_one_of,
    intercepted,
    is_read,
)
from tests.unit.lake.in_process_lake import age, array, new_lake

pytestmark = pytest.mark.no_cover

NO_RETENTION = {"superseded_retention_hours": 0}


def opened(event_id: int, day: int, **more: Any) -> dict[str, Any]:
    return {"eventId": event_id, "timestamp": f"2024-03-0{day}T10:00:00Z", **more}


OLD: dict[str, list[dict[str, Any]]] = {
    "OPENS": [opened(1, 1), opened(2, 2), opened(3, 3, name="a")],
    "LISTS": [{"listId": 1, "name": "a"}, {"listId": 2}],
}
# An unchanged day, a changed one and a new one, and a new column in the latter two.
NEW: dict[str, list[dict[str, Any]]] = {
    "OPENS": [opened(2, 2), opened(4, 2, more=0.5), opened(3, 3, name="b"), opened(5, 4, more=1.5)],
    "LISTS": [{"listId": 2, "more": 0.5}, {"listId": 3}],
}


class Night:
    """A table with a first batch, or none yet, and a landed second batch; `reset` restores this state."""

    def __init__(self, aws: Aws, export: str, *, has_table: bool = True) -> None:
        self.aws, self.lake, self.export = aws, new_lake(), export
        self.reader = Reader(self.lake, export)
        kind = EXPORT_TYPES[export]
        if has_table:
            self.lake.load(array(OLD[export]), export, age(1))
        self.ledger = self.lake.ledger(kind)
        self.ledger.write_order(self.lake.execution(), Order(age(2)[0], 0, age(2)[1], age(2)[0]), "LAST_3_DAYS")
        self.ledger.mark_batch(age(2)[1], COPIED)
        self.lake.land(array(NEW[export]), kind, age(2))
        self.initial = self.aws.snapshot()

    def reset(self) -> None:
        """Restore the state before the load."""
        self.aws.restore(self.initial)

    def load(self, run: Execution) -> RunState:
        return self.lake.load_again(self.export, age(2), run=run, take_lease=False, **NO_RETENTION)

    def check_end(self, state: RunState, run: Execution, expected: View) -> None:
        """Check that the batch is loaded and visible, and that the vacuum leaves no other files."""
        assert state.outcome == "loaded"
        assert self.reader.view() == expected
        assert [batch.status for batch in self.ledger.loaded_batches()] == [LOADED]
        assert self.ledger.lease() is not None
        self.check_no_orphans()

    def check_no_orphans(self) -> None:
        """Check that after the vacuum only visible files, and no drafts, are left."""
        kind = EXPORT_TYPES[self.export]
        vacuum(kind, self.lake.store, self.lake.catalog, retention=timedelta(0), now=datetime.now(UTC))
        assert len(self.lake.objects(f"curated/{kind.table}/")) == len(self.reader.view())
        assert self.lake.objects("curated/_drafts/") == []


@pytest.fixture
def nights(aws: Aws) -> Iterator[Any]:
    created: list[Night] = []

    def night(export: str, **options: Any) -> Night:
        created.append(Night(aws, export, **options))
        return created[-1]

    yield night
    for one in created:
        shutil.rmtree(one.lake.work, ignore_errors=True)


# Whether the killed call takes effect, and which run retries.
VARIANTS = list(product(("before", "after"), ("same run", "later run")))


def kills(calls: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """The kills that leave different states: after each write, and before all; the runs that retry take turns.

    With LAKE_CAMPAIGN, every variant at every call.
    """
    if "LAKE_CAMPAIGN" in os.environ:
        yield from ((at, *variant) for at in range(1, len(calls) + 1) for variant in VARIANTS)
        return
    yield 1, "before", "later run"
    writes = [at for at, call in enumerate(calls, start=1) if not is_read(call)]
    for number, at in enumerate(writes):
        yield at, "after", "later run" if number % 2 else "same run"


@pytest.mark.parametrize(("export", "has_table"), [("OPENS", True), ("OPENS", False), ("LISTS", True)])
def test_a_load_killed_at_any_call_and_retried_gives_the_same_table_and_no_partial_day(
    nights: Any, export: str, has_table: bool
) -> None:
    night = nights(export, has_table=has_table)
    old, run = night.reader.view(), night.lake.execution()
    night.ledger.take_lease(run, datetime.now(UTC))
    with intercepted(night.lake, Interceptor()) as counted:
        state = night.load(run)
    new = night.reader.view()
    night.check_end(state, run, new)
    assert old != new
    assert {"GetObject", "PutObject", "GetItem", "UpdateItem", "GetTable"} <= set(counted.calls)

    for at, kill, retry_by in kills(counted.calls):
        night.reset()
        run = night.lake.execution()
        night.ledger.take_lease(run, datetime.now(UTC))
        check = each_day_matches_one_of(night.reader, old, new)
        with intercepted(night.lake, Interceptor(at, kill == "after", check)), pytest.raises(Killed):
            night.load(run)
        if retry_by == "later run":
            killed, run = run, night.lake.execution()
            assert night.ledger.take_lease(run, datetime.now(UTC), instead_of=killed.arn)
        with intercepted(night.lake, Interceptor(on_write=check)):
            state = night.load(run)
        night.check_end(state, run, new)


class Rebuild:
    """A rebuild without the second batch; it may be killed and resumed, as the state machine does."""

    def __init__(self, night: Night, run: Execution) -> None:
        self.night, self.run = night, run
        self.initial = night.aws.snapshot()
        self.reset()

    def reset(self) -> None:
        """Restore the state before the rebuild."""
        self.night.aws.restore(self.initial)
        self.state = RunState(
            export_type=self.night.export, outcome=Outcome.REPLAY, replay={"except": ["batch-2"], "rebuild": True}
        )

    def resume(self) -> RunState:
        """Call until it is done; a killed call is retried with the same input state."""
        while self.state.outcome in ("replay", "partial"):
            self.state = self.night.lake.replay_once(self.state, self.run, **NO_RETENTION)
        return self.state


def prepare_rebuild(nights: Any, export: str) -> Rebuild:
    night = nights(export)
    run = night.lake.execution()
    night.ledger.take_lease(run, datetime.now(UTC))
    night.load(run)
    return Rebuild(night, run)


@pytest.mark.parametrize("export", ["OPENS", "LISTS"])
def test_a_rebuild_killed_at_any_call_recovers_and_publishes_no_partial_day(nights: Any, export: str) -> None:
    rebuild = prepare_rebuild(nights, export)
    night = rebuild.night
    old = night.reader.view()
    with intercepted(night.lake, Interceptor()) as counted:
        assert rebuild.resume().outcome == "loaded"
    new = night.reader.view()
    assert old != new
    night.check_no_orphans()

    for at, kill, retry_by in kills(counted.calls):
        rebuild.reset()
        check = each_day_matches_one_of(night.reader, old, new)
        with intercepted(night.lake, Interceptor(at, kill == "after", check)), pytest.raises(Killed):
            rebuild.resume()
        if retry_by == "same run":
            with intercepted(night.lake, Interceptor(on_write=check)):
                assert rebuild.resume().outcome == "loaded"
            assert night.reader.view() == new
        else:
            # The next load completes a switch that has begun, and ignores an unfinished rebuild.
            run = night.lake.execution()
            assert night.ledger.take_lease(run, datetime.now(UTC), instead_of=rebuild.run.arn)
            night.lake.load_again(export, age(1), run=run, take_lease=False, **NO_RETENTION)
            assert night.reader.view() in (old, new)
        night.check_no_orphans()
