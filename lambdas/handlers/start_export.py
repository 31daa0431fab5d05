"""start_export: order the batch, with the intent on record first."""

from datetime import UTC, datetime
from typing import Any

from lambdas.handlers import tools
from lambdas.handlers.edge import run_step
from lambdas.run import Execution, RunState
from lambdas.steps.order import order


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Order the export."""
    return run_step("start_export", event, _order)


def _order(state: RunState, run: Execution) -> RunState:
    return order(state, run, tools.ledger(state.export), tools.client(), tools.settings(), datetime.now(UTC))
