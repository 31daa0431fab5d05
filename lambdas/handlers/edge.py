"""The edge that all handlers share: from the machine's event to a typed run and state, and back."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger

from lambdas.run import BadInput, Execution, RunState
from lambdas.symplify.vocabulary import UnknownName

logger = Logger()

Step = Callable[[RunState, Execution], RunState]


def run_step(event: Mapping[str, Any], step: Step) -> dict[str, Any]:
    """Run one step of the state machine.

    `event` is `{"execution": {"arn", "startedAt"}, "state": {…}}`; the answer is the next state. Input that names no
    export type or period of Symplify's is an outcome, not an exception.
    """
    execution = Execution(event["execution"]["arn"], parse_time(event["execution"]["startedAt"]))
    given = event["state"]
    try:
        state = RunState.from_json(given)
        logger.append_keys(run=execution.folder, export=state.export.name)
        answer = step(state, execution)
    except (BadInput, UnknownName) as error:
        known = given.get("exportType") if isinstance(given, Mapping) else None
        answer = RunState(export_type=str(known or ""), outcome="failed", error_name="BadInput", reason=str(error))
    logger.info(answer.outcome, extra={"state": answer.to_json()})
    return answer.to_json()


def parse_time(text: str) -> datetime:
    """A time as Step Functions writes it."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
