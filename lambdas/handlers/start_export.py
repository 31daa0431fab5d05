"""start_export: order the batch, with the intent on record first."""

from datetime import UTC, datetime
from typing import Any

from lambdas.execution import Execution, RunState
from lambdas.handlers import clients
from lambdas.handlers.entrypoint import run_step
from lambdas.steps.start_export import start_export


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Order the export."""
    return run_step("start_export", event, _start)


def _start(state: RunState, run: Execution) -> RunState:
    return start_export(
        state,
        run,
        ledger=clients.ledger(state.export),
        client=clients.symplify(),
        settings=clients.settings(),
        now=datetime.now(UTC),
    )
