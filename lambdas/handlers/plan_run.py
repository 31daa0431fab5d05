"""plan_run: claim, lease, period, unloaded batch."""

from datetime import UTC, datetime
from typing import Any

from lambdas.execution import Execution, RunState
from lambdas.handlers import clients, executions
from lambdas.handlers.entrypoint import run_step
from lambdas.steps.plan_run import plan_run


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Plan the run."""
    return run_step("plan_run", event, _plan)


def _plan(state: RunState, run: Execution) -> RunState:
    return plan_run(
        state,
        run,
        ledger=clients.ledger(state.export),
        settings=clients.settings(),
        stopped_at=executions.stopped_at,
        now=datetime.now(UTC),
    )
