"""The calls of Symplify that all exports share."""

import random
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from lambdas.ledger.calls import Calls
from local.standin.limit import RateLimit
from tests.unit.fakes import NOW, StandIn

EXPORTS = 10


@pytest.mark.parametrize("per_minute", [1, 7, 30])
@pytest.mark.parametrize("seed", range(3))
def test_the_calls_of_ten_exports_together_stay_below_the_limit_and_none_starves(
    table: Any, per_minute: int, seed: int
) -> None:
    chosen = random.Random(seed)
    next_try = dict.fromkeys(range(EXPORTS), NOW)
    left = dict.fromkeys(range(EXPORTS), 6)
    made: list[datetime] = []
    now = NOW
    vendor = RateLimit(per_minute, minute_seconds=60, clock=lambda: now)
    while any(left.values()):
        export = min((name for name in left if left[name]), key=next_try.__getitem__)
        now = next_try[export]
        wait = Calls(table).take(per_minute, now)
        if wait == 0:
            assert vendor.take()
            left[export] -= 1
            made.append(now)
        next_try[export] = now + timedelta(seconds=wait + chosen.uniform(0.01, 10))
    for first, beyond in zip(made, made[per_minute:], strict=False):
        assert beyond - first >= timedelta(seconds=60)
    # Nothing waits where the limit allows a call, but for the spread of the tries.
    assert all(later - earlier <= timedelta(seconds=80) for earlier, later in pairwise(made))


def test_of_two_functions_that_see_one_call_left_one_gets_it(table: Any) -> None:
    class Overtaken(StandIn):  # type: ignore[misc]
        """A table where another function takes a call between the reading and the writing of this one."""

        overtakers = 1

        def __getattr__(self, name: str) -> Any:
            return getattr(table, name)

        def put_item(self, **given: Any) -> Any:
            if self.overtakers:
                self.overtakers -= 1
                assert Calls(table).take(2, NOW) == 0
            return table.put_item(**given)

    assert Calls(table).take(2, NOW) == 0
    assert Calls(Overtaken()).take(2, NOW) > 0
    assert len(table.get_item(Key={"pk": "account", "sk": "calls"})["Item"]["at"]) == 2


def test_a_clock_that_is_behind_counts_the_calls_of_one_that_is_ahead(table: Any) -> None:
    assert Calls(table).take(1, NOW + timedelta(seconds=1)) == 0
    assert Calls(table).take(1, NOW) == 66
