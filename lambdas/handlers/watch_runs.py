"""watch_runs: what each export type has had after a night, and the records of runs that nobody could close."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3

from lambdas.handlers import metrics, tools, topic
from lambdas.handlers.edge import logger
from lambdas.lake.catalog import Catalog
from lambdas.lake.records import write_run_record
from lambdas.lake.store import Store
from lambdas.run import Execution
from lambdas.steps.alert import Message, failure_message
from lambdas.steps.close import record_of
from lambdas.steps.watch import LOOK_BACK, Stopped, Watched, findings, summary, unclosed
from lambdas.symplify.vocabulary import EXPORT_TYPES, ExportType

if TYPE_CHECKING:
    from types_boto3_stepfunctions.literals import ExecutionStatusType

_step_functions = boto3.client("stepfunctions")
_s3 = boto3.client("s3")
_glue = boto3.client("glue")

# The endings that may have come without close_run; a success has always been closed.
_ENDINGS: "tuple[ExecutionStatusType, ...]" = ("FAILED", "ABORTED", "TIMED_OUT")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Look at all export types; a new deployment begins to expect them."""
    now = datetime.now(UTC)
    is_new = event.get("source") == "aws.cloudformation"
    closed = [] if is_new else _close_all(now)
    on, off = _watched(now, is_new=is_new)
    found = findings(on, now)
    for finding in found:
        values = {
            "HoursSinceSuccess": finding.hours_since_success,
            "DaysMissing": finding.days_missing,
            "OddlyEmpty": float(finding.is_oddly_empty),
        }
        metrics.emit(values, finding.export.name)
    if not found:
        # With every export switched off there is nothing to expect, and still somebody who looked.
        metrics.emit({"HoursSinceSuccess": 0.0})
    settings = tools.settings()
    if settings.nightly_summary and not is_new:
        topic.publish(Message(f"{settings.stack_name}: the night of {now:%Y-%m-%d}", summary(on, off, now)))
    answer = {
        "closed": closed,
        "exports": {
            finding.export.name: {
                "hoursSinceSuccess": finding.hours_since_success,
                "daysMissing": finding.days_missing,
                "isOddlyEmpty": finding.is_oddly_empty,
            }
            for finding in found
        },
    }
    logger.info("watched", extra=answer)
    return answer


def _watched(now: datetime, *, is_new: bool) -> tuple[list[Watched], list[ExportType]]:
    """The export types that are switched on, and those that are not."""
    history, switched_on = tools.history(), tools.settings().watched_exports
    on: list[Watched] = []
    off: list[ExportType] = []
    for export in EXPORT_TYPES.values():
        since = history.clock(export)
        if export.name not in switched_on:
            off.append(export)
            if since is not None:
                history.set_clock(export, None)
            continue
        if since is None or is_new:
            since = now
            history.set_clock(export, since)
        on.append(Watched(export, since, tools.ledger(export).watermark(), history.runs(export, now - LOOK_BACK)))
    return on, off


def _close_all(now: datetime) -> list[str]:
    """Write the missing records of runs that have ended; return their executions."""
    settings = tools.settings()
    store, catalog = Store(_s3, settings.bucket), Catalog(_glue, settings.database, settings.bucket)
    known = {run["run"] for export in EXPORT_TYPES.values() for run in tools.history().runs(export, now - LOOK_BACK)}
    closed = []
    for execution in _stopped(since=now - LOOK_BACK, known=known):
        found = unclosed(execution)
        if found is None:
            continue
        state, run = found
        record = record_of(state, run, execution.stopped_at)
        tools.ledger(state.export).write_run(run, record)
        write_run_record(store, catalog, run.folder, record)
        if execution.status == "FAILED":
            # Of the others a rule has told at once.
            topic.publish(failure_message(state, state, run, topic.place()))
        closed.append(execution.arn)
    return closed


def _stopped(since: datetime, known: set[str]) -> Iterator[Stopped]:
    """Executions that ended otherwise than well, and that no record tells of."""
    for status in _ENDINGS:
        pages = _step_functions.get_paginator("list_executions").paginate(
            stateMachineArn=tools.settings().state_machine_arn, statusFilter=status
        )
        for execution in (execution for page in pages for execution in page["executions"]):
            started = execution["startDate"].astimezone(UTC)
            if started < since or Execution(execution["executionArn"], started).folder in known:
                continue
            given = _step_functions.describe_execution(executionArn=execution["executionArn"]).get("input", "null")
            yield Stopped(
                execution["executionArn"],
                status,
                started,
                execution["stopDate"].astimezone(UTC),
                json.loads(given),
            )
