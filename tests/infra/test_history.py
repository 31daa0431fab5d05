"""No legal setting and no answer of the vendor's makes a history or a state that Step Functions refuses."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from infra.definitions import definitions
from infra.settings import Settings
from lambdas.execution import RunState
from lambdas.steps.check_batch import check_batch
from lambdas.symplify.answers import Batch, BatchState, RateLimited, Unavailable
from tests.infra.synthesis import Template
from tests.unit.fakes import NOW, make_run, make_settings

# Step Functions ends an execution at 25,000 events and refuses a state of more than 262,144 bytes: half, and less.
MOST_EVENTS = 12_500
MOST_STATE = 100_000

EVENTS = {"Task": 5, "Choice": 2, "Wait": 2}
"""What a state writes: entered, scheduled, started, succeeded, exited; entered and exited."""


def bound(name: str, side: str) -> int:
    """A bound of a setting, as `infra/settings.py` has it."""
    (field,) = (field for field in msgspec.inspect.type_info(Settings).fields if field.name == name)  # type: ignore[attr-defined]
    return int(getattr(field.type, side))


class Vendor:
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def batch(self, batch_id: str, chosen: Mapping[str, str]) -> Any:
        return self.answer


def round_of(template: Template) -> int:
    """The events of one round: check, choose, wait."""
    (definition,) = definitions(template.to_json()).values()
    states = json.loads(definition)["States"]
    (wait,) = (state for name, state in states.items() if name == "WaitToCheck")
    check = states[wait["Next"]]
    choice = states[check["Next"]]
    assert any(way["Next"] == "WaitToCheck" for way in choice["Choices"])
    return sum(EVENTS[state["Type"]] for state in (check, choice, wait))


def whole_way(template: Template) -> int:
    """The events of every state of the machine once, and of every retry of every task."""
    (definition,) = definitions(template.to_json()).values()
    states = json.loads(definition)["States"].values()
    retries = sum(int(retry["MaxAttempts"]) for state in states for retry in state.get("Retry", ()))
    return sum(EVENTS.get(state["Type"], 2) for state in states) + 3 * retries


@pytest.mark.parametrize("deadline", ["ge", "le"])
@pytest.mark.parametrize(
    "answer",
    [
        Batch(BatchState.RUNNING, 10**4000, 10**4000),
        RateLimited(2),
        RateLimited(3610),
        Unavailable("Symplify answered the status call with status 503."),
    ],
)
def test_the_longest_legal_wait_stays_far_below_the_limits_of_step_functions(
    template: Template, deadline: str, answer: Any
) -> None:
    settings = make_settings(
        run_deadline_minutes=60 * bound("run_deadline_hours", deadline),
        poll_first_seconds=bound("poll_first_seconds", "ge"),
        poll_max_seconds=bound("poll_max_seconds", "ge"),
    )
    client: Any = Vendor(answer)
    state = RunState(
        export_type="OPENS",
        scheduled_time="2026-11-24T03:30:00Z",
        period="LAST_2_WEEKS",
        batch_id="7" * 200,
        ordered_at=NOW.isoformat(timespec="microseconds"),
        unreachable_days="2026-01-01..2026-11-11",
    )
    now, rounds = NOW, 0
    while state.outcome != "overdue":
        state = check_batch(state, make_run(), client, settings, now)
        assert len(json.dumps(state.to_json())) < MOST_STATE
        now += timedelta(seconds=state.wait_seconds or 0)
        rounds += 1

    assert rounds * round_of(template) + whole_way(template) < MOST_EVENTS
