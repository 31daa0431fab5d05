"""Runs of the state machine: started as the rules would or by hand, followed, and reported."""

import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from lambdas.vocabulary import EXPORT_TYPES
from local.lifecycle import Running
from local.problem import Problem

_PAUSE_SECONDS = 0.8
# Events of a history per read; a step adds about ten.
_RECENT = 200
_RUNNING = "RUNNING"


@dataclass(frozen=True)
class Run:
    """An execution, and its progress."""

    export_type: str
    execution_arn: str
    status: str = _RUNNING
    step: str = "started"
    """Its progress in a word: ordered, waiting, copied, loaded, …"""
    period: str | None = None
    batch_id: str | None = None
    progress: str | None = None
    rows: int | None = None
    bytes: int | None = None
    seconds: float | None = None
    error: str | None = None
    seen: int = 0
    """The last event of its history that was read."""

    @property
    def has_ended(self) -> bool:
        """Whether it has ended in any status."""
        return self.status != _RUNNING

    @property
    def succeeded(self) -> bool:
        """Whether its rows are loaded, or another execution had its scheduled time."""
        return self.status == "SUCCEEDED"

    def described(self) -> dict[str, Any]:
        """What `run --json` prints of it."""
        return {
            "exportType": self.export_type,
            "period": self.period,
            "status": self.status,
            "executionArn": self.execution_arn,
            "batchId": self.batch_id,
            "rows": self.rows,
            "bytes": self.bytes,
            "seconds": self.seconds,
            "error": self.error,
        }


Watcher = Callable[[Sequence[Run]], None]
"""Called with all runs whenever one has changed."""


def start(running: Running, inputs: Iterable[Mapping[str, Any]]) -> list[Run]:
    """Start an execution with each input."""
    states = running.cloud.client("stepfunctions")
    runs = []
    for given in inputs:
        name = f"{given['exportType'].lower().replace('_', '-')}-{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid4().hex[:6]}"
        started = states.start_execution(
            stateMachineArn=running.deployment.state_machine_arn, name=name, input=json.dumps(given)
        )
        runs.append(Run(given["exportType"], started["executionArn"], period=given.get("period")))
    return runs


def rule_inputs(running: Running) -> list[dict[str, str]]:
    """What the enabled rules would send if they fired now: their own inputs, filled as EventBridge does.

    Raises:
        Problem: no rule of the stack is enabled.
    """
    events = running.cloud.client("events")
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    found = []
    for page in events.get_paginator("list_rules").paginate(NamePrefix=f"{running.deployment.stack}-"):
        for rule in page["Rules"]:
            if rule["State"] != "ENABLED":
                continue
            for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
                if target["Arn"] == running.deployment.state_machine_arn:
                    found.append(_filled(target["InputTransformer"], {"time": now}))
    if not found:
        raise Problem("No rule of the stack is enabled, so a night would start nothing. See exports in cdk.json.")
    order = list(EXPORT_TYPES)
    return sorted(found, key=lambda given: order.index(given["exportType"]))


def play(running: Running, inputs: Iterable[Mapping[str, Any]], show: Watcher) -> list[Run]:
    """Start an execution with each input, follow all until they have ended, and show every step.

    One after the other, each with a look at the others: of ten at once, every function would start ten times, for half
    a second of CPU each.
    """
    states = running.cloud.client("stepfunctions")
    waiting = deque(inputs)
    now: list[Run] = []
    while waiting or not all(run.has_ended for run in now):
        if waiting:
            now += start(running, [waiting.popleft()])
            show(now)
        time.sleep(_PAUSE_SECONDS)
        for position in range(len(now)):
            for later in [] if now[position].has_ended else _followed(states, now[position]):
                now[position] = later
                show(now)
    return now


def _followed(states: Any, run: Run) -> Iterator[Run]:
    """The run after each step since the last read."""
    # Read first, so that the history of an ended run is complete.
    execution = states.describe_execution(executionArn=run.execution_arn)
    history = states.get_execution_history(executionArn=run.execution_arn, reverseOrder=True, maxResults=_RECENT)
    for event in reversed(history["events"]):
        state = _state_of(event) if event["id"] > run.seen else None
        if state is not None:
            run = _with_state(replace(run, seen=event["id"]), state)
            yield run
    if execution["status"] != _RUNNING:
        yield _ended(run, execution)


def _ended(run: Run, execution: Mapping[str, Any]) -> Run:
    seconds = (execution["stopDate"] - execution["startDate"]).total_seconds()
    ended = replace(run, status=execution["status"], seconds=round(seconds, 1))
    if ended.succeeded:
        return ended
    words = execution.get("cause") or execution.get("error") or f"The execution ended as {execution['status']}."
    return replace(ended, step="failed", error=words)


def _state_of(event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The state that a step returned, if the event is its success."""
    output = event.get("taskSucceededEventDetails", {}).get("output")
    state = json.loads(output) if output else None
    return state if isinstance(state, dict) and "outcome" in state else None


_STEPS = {
    "planned": "planned",
    "adopted": "adopted",
    "landed": "copied",
    "replay": "replaying",
    "busy": "waiting for another run",
    "ordered": "ordered",
    "order_unknown": "waiting to order again",
    "rate_limited": "waiting (Symplify is busy or away)",
    "running": "waiting",
    "finished": "finished",
    "copied": "copied",
    "partial": "working",
    "loaded": "loaded",
    "succeeded": "loaded",
    "duplicate": "duplicate",
}


def _with_state(run: Run, state: Mapping[str, Any]) -> Run:
    if not state:
        return run
    return replace(
        run,
        step=_STEPS.get(state["outcome"], state["outcome"]),
        period=state.get("period", run.period),
        batch_id=state.get("batchId", run.batch_id),
        progress=state.get("progress"),
        rows=state.get("rows"),
        bytes=state.get("bytes"),
    )


def _filled(transformer: Mapping[str, Any], event: Mapping[str, str]) -> dict[str, str]:
    template = transformer["InputTemplate"]
    for name, path in transformer.get("InputPathsMap", {}).items():
        template = template.replace(f"<{name}>", json.dumps(event[path.removeprefix("$.")]))
    filled: dict[str, str] = json.loads(template)
    return filled
