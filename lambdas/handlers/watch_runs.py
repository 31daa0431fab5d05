"""watch_runs: the watch over silence, and the records of runs that could not close themselves."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from lambdas.execution import EndedExecution
from lambdas.handlers import athena, clients, executions, metrics, topic
from lambdas.handlers.entrypoint import logger
from lambdas.lake.views.recent import week_query
from lambdas.schema_version import WrittenByNewer
from lambdas.steps.alert import Message, failure_message
from lambdas.steps.watch_runs import (
    LOOK_BACK,
    Finding,
    Watched,
    close_unclosed,
    findings,
    profiles,
    recorded_executions,
    summary,
    watched_exports,
)
from lambdas.steps.week_numbers import week_lines

# While the function starts, when it has a whole processor, and not in its first call.
clients.s3()
clients.glue()
clients.step_functions()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Watch all export types, or close the one execution that was ended from outside.

    A deployment (`aws.cloudformation`) restarts the expectations instead of closing anything.
    """
    now = datetime.now(UTC)
    if event.get("source") == "aws.states":
        execution = executions.ended(event["detail"]["executionArn"])
        return {"closed": _close([] if execution.arn in recorded_executions(clients.ledger, now) else [execution])}
    is_new = event.get("source") == "aws.cloudformation"
    recorded = recorded_executions(clients.ledger, now)
    closed = [] if is_new else _close(executions.unsuccessful(now - LOOK_BACK, recorded))
    settings = clients.settings()
    on, off = watched_exports(clients.ledger, settings.watched_exports, now, is_new=is_new)
    found = findings(on, now)
    _emit(found)
    decided = profiles(on, now)
    if decided is not None:
        topic.publish(Message(f"{settings.stack_name}: what the new tables take their fields for", decided))
    if settings.nightly_summary and not is_new:
        text = f"{summary(on, off, now)}\n\n{_week(on, now)}"
        topic.publish(Message(f"{settings.stack_name}: the night of {now:%Y-%m-%d}", text))
    answer = {"closed": closed, "exports": {finding.export.name: finding.to_json() for finding in found}}
    logger.info("watched", extra=answer)
    return answer


def _week(on: Sequence[Watched], now: datetime) -> str:
    """The week's numbers; where they cannot be had, the summary says why."""
    try:
        (found,) = athena.answers(athena.lake(), (week_query,), now.date())
    except (ClientError, WrittenByNewer) as error:
        found = athena.Answer(unknown=f"What became of the sends is not known. {error}")
    return week_lines(on, found.rows, now, found.unknown)


def _close(unsuccessful: Iterable[EndedExecution]) -> list[str]:
    """Write the missing records and notify of each; return the ARNs of the executions."""
    closed = []
    for state, run in close_unclosed(unsuccessful, clients.ledger, clients.store(), clients.catalog()):
        topic.publish(failure_message(state, state, run, topic.place()))
        closed.append(run.arn)
    return closed


def _emit(found: Sequence[Finding]) -> None:
    for finding in found:
        metrics.emit(finding.metrics, finding.export.name)
    if not found:
        # With every export switched off nothing is expected, and the alarm on silence must not fire.
        metrics.emit({"HoursSinceSuccess": 0.0})
