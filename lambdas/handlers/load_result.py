"""load_result: rows out of raw/, merged and published."""

from time import monotonic
from typing import Any

from lambdas.execution import Execution, RunState
from lambdas.handlers import clients
from lambdas.handlers.entrypoint import run_step
from lambdas.handlers.work_folder import work_folder
from lambdas.lake import engine
from lambdas.steps.load_result import load_result
from lambdas.steps.merge_batch import Lake
from lambdas.steps.replay import replay

# While the function starts, when it has a whole processor, and not in its first call.
clients.s3()
clients.glue()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Load the batch, or merge the next ones of a replay."""
    return run_step("load_result", event, _load)


def _load(state: RunState, run: Execution) -> RunState:
    step = load_result if state.replay is None else replay
    with work_folder() as folder, engine.connect(folder) as duck:
        return step(
            state,
            run,
            ledger=clients.ledger(state.export),
            lake=Lake(clients.s3(), clients.landing(), clients.store(), clients.catalog(), duck),
            settings=clients.settings(),
            folder=folder,
            clock=monotonic,
        )
