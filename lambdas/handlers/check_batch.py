"""check_batch: one status call."""

from datetime import UTC, datetime
from typing import Any

from lambdas.handlers import tools
from lambdas.handlers.edge import run_step
from lambdas.run import Execution, RunState
from lambdas.steps.poll import poll


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Ask how far the batch is."""
    return run_step("check_batch", event, _poll)


def _poll(state: RunState, run: Execution) -> RunState:
    return poll(state, run, tools.client(), tools.settings(), datetime.now(UTC))
