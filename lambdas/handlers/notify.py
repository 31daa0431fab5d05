"""Notify of a closed run: its numbers as metrics, and a message when it failed or lost days."""

from datetime import datetime

from lambdas.execution import Execution, RunState
from lambdas.handlers import clients, metrics, topic
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
    shared = int(tally.get("shared") or 0) + int(tally.get("replaced") or 0)
    values["ShareReplaced"] = 100 * int(tally.get("replaced") or 0) / shared if shared else 0.0
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
