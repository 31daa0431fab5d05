"""Notify of a closed run: its numbers as metrics, and a message when it failed or lost days."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lambdas.execution import Execution, RunState
from lambdas.handlers import clients, metrics, topic
from lambdas.lake.profile.audit import REPLACED_LEAST
from lambdas.outcome import Outcome
from lambdas.steps.alert import ACCOUNT_WIDE, failure_message, lost_days_message


def notify(closed: RunState, *, before: RunState, run: Execution, now: datetime) -> None:
    """Send the metrics and the message of a run; `before` is its state as it arrived to be closed."""
    failed = closed.outcome != Outcome.SUCCEEDED
    tally = closed.tally or {}
    values = {"Failed": float(failed), "Seconds": (now - run.started_at).total_seconds()}
    if not failed:
        values["RowsRead"] = float(tally.get("read") or 0)
    values["RowsQuarantined"] = float(tally.get("quarantined") or 0)
    values["ShareReplaced"] = share_replaced(tally)
    metrics.emit(values, closed.export_type or None)
    if not failed:
        if closed.unreachable_days:
            topic.publish(lost_days_message(closed, run, topic.place()))
        return
    if closed.error_name in ACCOUNT_WIDE and closed.scheduled_time is not None:
        night = closed.scheduled_time[:10]
        if not clients.notifications().claim_notification(closed.error_name, night, run.arn, now):
            return
    topic.publish(failure_message(closed, before, run, topic.place()))


def share_replaced(tally: Mapping[str, Any]) -> float:
    """How much of what an export and its table both cover differs, in per cent: replaced, or another number of times.

    A page that stands twice in an export changes numbers alone. A few of these are a few late events.
    """
    shared, replaced, recounted = (int(tally.get(name) or 0) for name in ("shared", "replaced", "recounted"))
    differing = max(replaced, recounted if recounted >= REPLACED_LEAST else 0)
    return 100 * differing / (shared + replaced) if shared + replaced else 0.0
