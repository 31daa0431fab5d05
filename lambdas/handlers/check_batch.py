"""check_batch: one status call."""

from datetime import UTC, datetime
from typing import Any

from lambdas.execution import Execution, RunState
from lambdas.handlers import clients
from lambdas.handlers.entrypoint import run_step
from lambdas.steps.check_batch import check_batch


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Ask how far the batch is."""
    return run_step("check_batch", event, _check)


def _check(state: RunState, run: Execution) -> RunState:
    return check_batch(state, run, client=clients.symplify(), settings=clients.settings(), now=datetime.now(UTC))
