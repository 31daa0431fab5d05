"""What all handlers share: from the machine's event to a typed run and state, and back."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger

from lambdas.execution import BadInput, Execution, RunState
from lambdas.handlers import metrics
from lambdas.outcome import ErrorName, Outcome
from lambdas.vocabulary import UnknownName

logger = Logger()

_ECHOED = ("exportType", "period")

Step = Callable[[RunState, Execution], RunState]


def run_step(name: str, event: Mapping[str, Any], step: Step) -> dict[str, Any]:
    """Run one step of the state machine, and leave its name in the state.

    `event` is `{"execution": {"arn", "startedAt"}, "state": {…}}`; the next state is returned. Invalid input is an
    outcome, not an exception.
    """
    execution = Execution(event["execution"]["arn"], parse_time(event["execution"]["startedAt"]))
    logger.append_keys(run=execution.folder, execution=execution.name, export=None)
    # So that the log of a call that is killed is found by the execution too.
    logger.info("started")
    given = event["state"]
    try:
        state = RunState.from_json(given)
        logger.append_keys(export=state.export_type)
        answer = step(state, execution)
    except (BadInput, UnknownName) as error:
        answer = _refused(given, str(error))
    except Exception:
        # The runtime prints it as well, without the execution.
        logger.exception("crashed")
        raise
    finally:
        metrics.emit_calls()
    answer = replace(answer, step=name)
    logger.info(answer.outcome, extra={"state": answer.to_json()})
    return answer.to_json()


def _refused(given: object, reason: str) -> RunState:
    """A failed state with no more of the input than its readable names, since the rest was never checked."""
    fields = given if isinstance(given, Mapping) else {}
    export, period = (value[:100] if isinstance(value := fields.get(name), str) else None for name in _ECHOED)
    return RunState(
        export_type=export or "",
        period=period,
        outcome=Outcome.FAILED,
        error_name=ErrorName.BAD_INPUT,
        reason=reason,
    )


def parse_time(text: str) -> datetime:
    """A time as Step Functions writes it."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
