"""An idle night on the embedded cloud: ten exports, a vendor that finishes at once, and no new rows."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from benchmarks.measure import Failed
from benchmarks.options import BenchmarkOptions
from local import executions, lifecycle
from local.executions import Run
from local.lifecycle import Account, Running, UpOptions
from local.standin import Options, StandIn

FIRST = "first, ten at once, cold"
WARM = "idle, ten at once, warm"
COLD = "idle, in turn, cold"
"""The nights. Rules fire minutes apart and once a day, so the last one is the realistic one."""

_NIGHTS = 3
_PAUSE_SECONDS = 0.5
_LIMIT_SECONDS = 600.0
_SAMPLE_SECONDS = 0.2
# The minimum of the setting; waits are not counted, so this only shortens the benchmark.
_FIRST_WAIT = {"pollFirstSeconds": "5"}


def measure(options: BenchmarkOptions) -> Iterator[dict[str, Any]]:
    """One line per export and night, and one for the memory of the functions."""
    # A fixed moment, so that no event becomes due between two nights.
    now = datetime.now(UTC)
    vendor_options = Options(events_per_day=options.idle_events, finish_after_polls=1)
    with (
        StandIn(vendor_options, lambda: now) as vendor,
        TemporaryDirectory(dir=options.folder, prefix="idle-") as name,
    ):
        home = Path(name) / "cloud"
        account = Account(vendor.base_url, vendor_options.customer_id, vendor_options.token)
        try:
            running = lifecycle.up(
                home, UpOptions(account, settings=_FIRST_WAIT), lambda words: options.report(f"idle: {words}")
            )
            with _FunctionMemory(running.cloud.process.pid) as memory:
                inputs = executions.rule_inputs(running)
                options.report("idle: the first night, with all events that exist")
                yield from _night(FIRST, running, [_retimed(inputs, 0)])
                options.report("idle: a night without new events, all exports at once")
                yield from _night(WARM, running, [_retimed(inputs, 1)])
                options.report("idle: a night without new events, one export after the other, every function cold")
                yield from _night(COLD, running, [[given] for given in _retimed(inputs, 2)], is_cold=True)
            yield {"subject": "memory", "peaks": memory.peaks(running.deployment.stack)}
            yield {"subject": "logs", "logBytes": round(_logged(running) / (_NIGHTS * len(inputs)))}
        finally:
            lifecycle.down(home)


def _retimed(inputs: Sequence[dict[str, str]], night: int) -> list[dict[str, str]]:
    """The rules' inputs with a scheduled time per night, since each time is claimed once."""
    return [{**given, "scheduledTime": f"2026-01-0{night + 1}T03:30:00Z"} for given in inputs]


def _night(
    name: str, running: Running, groups: Sequence[list[dict[str, str]]], *, is_cold: bool = False
) -> Iterator[dict[str, Any]]:
    states = running.cloud.client("stepfunctions")
    for group in groups:
        if is_cold:
            _cool(running)
        started = executions.start(running, group)
        for run in started:
            _wait(states, run)
        for run in started:
            yield {"subject": run.export_type, "night": name, **_measured(states, run)}


def _cool(running: Running) -> None:
    """Make the next call of every function a cold start, by an update of its configuration."""
    functions = running.cloud.client("lambda")
    for function in functions.list_functions()["Functions"]:
        if function["FunctionName"].startswith(f"{running.deployment.stack}-"):
            functions.update_function_configuration(FunctionName=function["FunctionName"], Timeout=function["Timeout"])


def _logged(running: Running) -> int:
    """How many bytes the functions have logged."""
    logs = running.cloud.client("logs")
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    pages = [page for group in groups for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group)]
    return sum(len(event["message"].encode()) for page in pages for event in page["events"])


def _wait(states: Any, run: Run) -> None:
    """Wait for the end with few polls, since the cloud shares the CPU with its functions."""
    deadline = time.monotonic() + _LIMIT_SECONDS
    while states.describe_execution(executionArn=run.execution_arn)["status"] == "RUNNING":
        if time.monotonic() > deadline:
            raise Failed(f"The run of {run.export_type} does not end.")
        time.sleep(_PAUSE_SECONDS)


def _measured(states: Any, run: Run) -> dict[str, Any]:
    """How long a run took, how long of that it waited, and what each step took."""
    execution = states.describe_execution(executionArn=run.execution_arn)
    if execution["status"] != "SUCCEEDED":
        raise Failed(f"The run of {run.export_type} ended as {execution['status']}: {execution.get('cause', '')}")
    pages = states.get_paginator("get_execution_history").paginate(executionArn=run.execution_arn)
    events = [event for page in pages for event in page["events"]]
    spans = _spans(events)
    wall = (execution["stopDate"] - execution["startDate"]).total_seconds()
    waited = sum(seconds for kind, _, seconds in spans if kind == "Wait")
    steps: dict[str, float] = {}
    for kind, name, seconds in spans:
        if kind == "Task":
            steps[name] = round(steps.get(name, 0.0) + seconds, 3)
    state = json.loads(execution["output"])
    return {
        "wall": round(wall, 3),
        "waited": round(waited, 3),
        "overhead": round(wall - waited, 3),
        "steps": steps,
        "states": sum("stateEnteredEventDetails" in event for event in events),
        "events": len(events),
        "rows": state.get("rows"),
        "newRows": (state.get("tally") or {}).get("new"),
        "bytes": state.get("bytes"),
    }


def _spans(events: Sequence[dict[str, Any]]) -> list[tuple[str, str, float]]:
    """Kind, name and duration of each state that was passed. A machine is in one state at a time."""
    found = []
    entered: dict[str, Any] | None = None
    for event in events:
        if event["type"].endswith("StateEntered"):
            entered = event
        elif event["type"].endswith("StateExited") and entered is not None:
            seconds = (event["timestamp"] - entered["timestamp"]).total_seconds()
            kind = event["type"].removesuffix("StateExited")
            found.append((kind, event["stateExitedEventDetails"]["name"], seconds))
    return found


class _FunctionMemory:
    """The peak resident memory of each function's process."""

    def __init__(self, cloud: int) -> None:
        self._peaks: dict[str, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, args=(psutil.Process(cloud),), daemon=True)

    def __enter__(self) -> "_FunctionMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def peaks(self, stack: str) -> dict[str, int]:
        """Bytes, by the name of the handler."""
        start = f"{stack}-"
        return {
            name.removeprefix(start).replace("-", "_"): peak
            for name, peak in sorted(self._peaks.items())
            if name.startswith(start)
        }

    def _sample(self, cloud: psutil.Process) -> None:
        while not self._stop.wait(_SAMPLE_SECONDS):
            with suppress(psutil.Error):
                for process in cloud.children(recursive=True):
                    with suppress(psutil.Error):
                        name = process.environ().get("AWS_LAMBDA_FUNCTION_NAME", "")
                        self._peaks[name] = max(process.memory_info().rss, self._peaks.get(name, 0))
