"""What a closed run is told of: its numbers as metrics, and a message when it failed or lost days."""

from datetime import datetime

from lambdas.execution import Execution, RunState
from lambdas.handlers import clients, metrics, topic
from lambdas.steps.alert import ACCOUNT_WIDE, failure_message, lost_days_message


def tell(state: RunState, before: RunState, run: Execution, now: datetime) -> None:
    """Tell of a run: `state` as it was closed, `before` as it came to be closed."""
    failed = state.outcome == "failed"
    tally = state.tally or {}
    values = {"Failed": float(failed), "Seconds": (now - run.started_at).total_seconds()}
    if not failed:
        values["RowsRead"] = float(tally.get("read") or 0)
    values["RowsQuarantined"] = float(tally.get("quarantined") or 0)
    metrics.emit(values, state.export_type or None)
    if not failed:
        if state.unreachable_days:
            topic.publish(lost_days_message(state, run, topic.place()))
        return
    if state.error_name in ACCOUNT_WIDE and state.scheduled_time is not None:
        night = state.scheduled_time[:10]
        if not clients.notifications().claim_notification(state.error_name, night, run.arn, now):
            return
    topic.publish(failure_message(state, before, run, topic.place()))
