"""The record of a run: what the ledger keeps of it, and a row of the table `export_runs`."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lambdas.execution import Execution, RunState
from lambdas.outcome import Outcome

REPLAYED = "replayed"
"""The outcome in the record of a replay that succeeded."""


def record_of(state: RunState, run: Execution, now: datetime, lost_orders: int = 0) -> Mapping[str, Any]:
    """The run's record, with the column names of the table `export_runs`."""
    tally = state.tally or {}
    return {
        "run": run.folder,
        "execution_arn": run.arn,
        "export_type": state.export.name,
        "period": state.period,
        "scheduled_time": state.scheduled_time,
        "batch_id": state.batch_id,
        "ordered_at": state.ordered_at,
        # Each may have left a batch in Symplify that nobody fetches.
        "lost_orders": lost_orders or None,
        "progress": state.progress,
        "started_at": run.started_at.isoformat(timespec="seconds"),
        "ended_at": now.isoformat(timespec="seconds"),
        # A replay loads no newer data, so it must not count as a night that did.
        "outcome": REPLAYED if state.replay is not None and state.outcome == Outcome.SUCCEEDED else state.outcome,
        "replay": None if state.replay is None else json.dumps(dict(state.replay)),
        "error": state.error_name,
        "reason": state.reason,
        "unreachable_days": state.unreachable_days,
        "bytes": state.bytes,
        "rows_read": tally.get("read"),
        "rows_new": tally.get("new"),
        "rows_known": tally.get("known"),
        "rows_updated": tally.get("updated"),
        "rows_rescued": tally.get("rescued"),
        "rows_quarantined": tally.get("quarantined"),
        "rows_unknown_time": tally.get("unknownTime"),
        # Where the export and the table cover the same time: what both have, and what only one of them has.
        "rows_shared": tally.get("shared"),
        "rows_missing": tally.get("missing"),
        "rows_replaced": tally.get("replaced"),
        "rows_recounted": tally.get("recounted"),
        "batches": tally.get("batches"),
        "days": tally.get("dayCount"),
        "per_day": json.dumps(tally["days"]) if tally.get("days") else None,
        "earliest_event": tally.get("earliest"),
        "latest_event": tally.get("latest"),
        "profile": tally.get("profile"),
        "new_columns": ",".join(tally.get("newColumns") or ()) or None,
    }
