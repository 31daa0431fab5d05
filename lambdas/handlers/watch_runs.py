"""watch_runs: what each export type has had after a night, and the records of runs that nobody could close."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3

from lambdas.execution import Execution
from lambdas.handlers import clients, metrics, topic
from lambdas.handlers.entrypoint import logger
from lambdas.lake.storage.store import Store
from lambdas.lake.tables.catalog import Catalog
from lambdas.lake.tables.export_runs import write_run_record
from lambdas.steps.alert import Message, failure_message
from lambdas.steps.close_run import record_of, with_order
from lambdas.steps.watch_runs import LOOK_BACK, Stopped, Watched, findings, summary, unclosed
from lambdas.vocabulary import EXPORT_TYPES, ExportType

if TYPE_CHECKING:
    from types_boto3_stepfunctions.literals import ExecutionStatusType

_step_functions = boto3.client("stepfunctions")
_s3 = boto3.client("s3")
_glue = boto3.client("glue")

# The endings that may have come without close_run; a success has always been closed.
_ENDINGS: "tuple[ExecutionStatusType, ...]" = ("FAILED", "ABORTED", "TIMED_OUT")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Look at all export types, or at the one execution that ended from outside; a new deployment begins to expect."""
    now = datetime.now(UTC)
    is_new = event.get("source") == "aws.cloudformation"
    if event.get("source") == "aws.states":
        ended = _described(event["detail"]["executionArn"])
        return {"closed": _close([ended] if _folder(ended.arn, ended.started_at) not in _known(now) else [])}
    closed = [] if is_new else _close(_stopped(now - LOOK_BACK, _known(now)))
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
    settings = clients.settings()
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
    switched_on = clients.settings().watched_exports
    on: list[Watched] = []
    off: list[ExportType] = []
    for export in EXPORT_TYPES.values():
        ledger = clients.ledger(export)
        since = ledger.expected_since()
        if export.name not in switched_on:
            off.append(export)
            if since is not None:
                ledger.set_expected_since(None)
            continue
        if since is None or is_new:
            since = now
            ledger.set_expected_since(since)
        on.append(Watched(export, since, ledger.watermark(), ledger.runs(now - LOOK_BACK)))
    return on, off


def _known(now: datetime) -> set[str]:
    """The runs that have a record."""
    return {run["run"] for export in EXPORT_TYPES.values() for run in clients.ledger(export).runs(now - LOOK_BACK)}


def _close(stopped: Iterable[Stopped]) -> list[str]:
    """Write the missing records of runs that have ended, and tell of each; return their executions."""
    settings = clients.settings()
    store, catalog = Store(_s3, settings.bucket), Catalog(_glue, settings.database, settings.bucket)
    closed = []
    for execution in stopped:
        found = unclosed(execution)
        if found is None:
            continue
        state, run = found
        ledger = clients.ledger(state.export)
        state = with_order(state, ledger.order(run))
        record = record_of(state, run, execution.stopped_at)
        ledger.write_run(run, record)
        write_run_record(store, catalog, run.folder, record)
        topic.publish(failure_message(state, state, run, topic.place()))
        closed.append(execution.arn)
    return closed


def _stopped(since: datetime, known: set[str]) -> Iterator[Stopped]:
    """Executions that ended otherwise than well, and that no record tells of."""
    for status in _ENDINGS:
        pages = _step_functions.get_paginator("list_executions").paginate(
            stateMachineArn=clients.settings().state_machine_arn, statusFilter=status
        )
        for execution in (execution for page in pages for execution in page["executions"]):
            arn, started = execution["executionArn"], execution["startDate"].astimezone(UTC)
            if started >= since and _folder(arn, started) not in known:
                yield _described(arn)


def _folder(arn: str, started_at: datetime) -> str:
    return Execution(arn, started_at).folder


def _described(arn: str) -> Stopped:
    execution = _step_functions.describe_execution(executionArn=arn)
    return Stopped(
        arn,
        execution["status"],
        execution["startDate"].astimezone(UTC),
        execution["stopDate"].astimezone(UTC),
        json.loads(execution.get("input", "null")),
    )
