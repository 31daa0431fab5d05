"""What all steps of a smoke run use: the stack, its executions and queries, what they cost, and what to take away."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lambdas.outcome import Outcome
from lambdas.vocabulary import ExportType, Period
from local import athena, prices
from local.problem import Problem
from local.stacks import Deployed

# Athena charges for 10 MB at least; the queries here read less.
_QUERY_USD = prices.ATHENA_TB * 10e6 / 1e12
_SLOW, _FAST = 5.0, 0.5


class NotShown(Exception):
    """The step could not be walked here; the text is why, and what would help."""


@dataclass(frozen=True)
class Ended:
    """An execution that has succeeded: its output, and how many calls copied without completing."""

    arn: str
    output: Mapping[str, Any]
    partial_copies: int

    @property
    def days(self) -> Mapping[str, Mapping[str, int]]:
        """What it merged, by day: read, new, updated."""
        found: Mapping[str, Mapping[str, int]] = (self.output.get("tally") or {}).get("days") or {}
        return found


@dataclass
class Undo:
    """What a step has made and takes away, whatever happens."""

    left: list[str] = field(default_factory=list)
    """What could not be taken away, with the reason."""
    _actions: list[tuple[str, Callable[[], object]]] = field(default_factory=list)

    def later(self, what: str, action: Callable[[], object]) -> None:
        """Take `what` away when the step has ended; what was made last goes first."""
        self._actions.append((what, action))

    def all(self) -> None:
        """Take everything away."""
        while self._actions:
            what, action = self._actions.pop()
            try:
                action()
            except Exception as error:
                # Whatever it is, the others are still to be taken away.
                self.left.append(f"{what} ({error})")


@dataclass
class Trial:
    """A smoke run of one stack."""

    deployed: Deployed
    export: ExportType
    period: Period
    part_bytes: int
    name: str = field(default_factory=lambda: f"smoke-{datetime.now(UTC):%Y%m%dT%H%M%S}")
    usd: float = 0.0
    """What it has cost so far, estimated from list prices."""
    undo: Undo = field(default_factory=Undo)
    first: Ended | None = None
    """The execution of the first step, on whose data others look."""
    _memories: dict[str, int] = field(default_factory=dict)

    @property
    def patience(self) -> float:
        """Seconds between two looks at something that takes a while."""
        return _FAST if self.deployed.stack.is_local else _SLOW

    def output(self, name: str) -> str:
        """An output of the stack."""
        return self.deployed.stack.outputs[name]

    def run(self, **given: Any) -> Ended:
        """Run the state machine with this input.

        Raises:
            Problem: the execution failed.
        """
        states = self.deployed.client("stepfunctions")
        asked = {"exportType": self.export.name, **given}
        arn = states.start_execution(stateMachineArn=self.output("StateMachineArn"), input=json.dumps(asked))[
            "executionArn"
        ]
        while (found := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
            time.sleep(self.patience)
        pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
        events = [event for page in pages for event in page["events"]]
        self.usd += self._cost(events)
        if found["status"] != "SUCCEEDED":
            raise Problem(f"The execution {arn} ended as {found['status']}: {found.get('cause') or 'without a reason'}")
        copies = [json.loads(one["output"]) for one in _exits(events) if one["name"] == "CopyResult"]
        partial = sum(one["outcome"] == Outcome.PARTIAL for one in copies)
        return Ended(arn, json.loads(found["output"]), partial)

    def query(self, sql: str, athena_client: Any = None) -> athena.Rows:
        """Query Athena, with another client than the caller's own if one is given.

        Raises:
            Problem: Athena refused or failed the query.
        """
        rows = self.deployed.query(sql, athena_client)
        self.usd += _QUERY_USD
        return rows

    def until(self, look: Callable[[], Any], seconds: float) -> Any:
        """Look until something is found, for so long; what was found last."""
        deadline = time.monotonic() + seconds
        while not (found := look()) and time.monotonic() < deadline:
            time.sleep(self.patience)
        return found

    def _cost(self, events: list[Mapping[str, Any]]) -> float:
        """Transitions, and functions for as long as their states took."""
        entered = [event for event in events if "stateEnteredEventDetails" in event]
        usd = len(entered) * prices.STATE_TRANSITION
        began: datetime | None = None
        for event in events:
            if event["type"] == "TaskStateEntered":
                began = event["timestamp"]
            elif event["type"] == "TaskStateExited" and began is not None:
                seconds = (event["timestamp"] - began).total_seconds()
                memory = self._memory(_exits([event])[0]["name"])
                usd += prices.LAMBDA_REQUEST + seconds * memory / 1024 * prices.LAMBDA_GB_SECOND
        return usd

    def _memory(self, state: str) -> int:
        """The memory of a state's function in MiB."""
        if state not in self._memories:
            name = "".join(f"-{one.lower()}" if one.isupper() else one for one in state)
            facts = self.deployed.client("lambda").get_function_configuration(
                FunctionName=f"{self.deployed.stack.name}{name}"
            )
            self._memories[state] = int(facts["MemorySize"])
        return self._memories[state]


def _exits(events: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [event["stateExitedEventDetails"] for event in events if "stateExitedEventDetails" in event]
