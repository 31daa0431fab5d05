"""copy_result: stream the result into raw/."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lambdas.execution import Execution, RunState
from lambdas.handlers import clients
from lambdas.handlers.entrypoint import run_step
from lambdas.steps.copy_result import ResultSource, copy_result
from lambdas.steps.multipart_copy import Remaining

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

# While the function starts, when it has a whole processor, and not in its first call.
clients.s3_for_parts()


def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Copy the result, or as much of it as the time allows."""

    def remaining() -> float:
        return context.get_remaining_time_in_millis() / 1000

    return run_step("copy_result", event, lambda state, run: _copy(state, run, remaining))


def _copy(state: RunState, run: Execution, remaining: Remaining) -> RunState:
    return copy_result(
        state,
        run,
        ledger=clients.ledger(state.export),
        source=ResultSource(clients.symplify(), clients.http()),
        landing=clients.landing_for_copy(),
        settings=clients.settings(),
        remaining=remaining,
        now=datetime.now(UTC),
    )
