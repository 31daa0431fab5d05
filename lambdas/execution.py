"""One run: an execution of the state machine for one export type, and the state that its steps pass on."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from hashlib import sha256
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

from lambdas.outcome import Outcome
from lambdas.vocabulary import ExportType, export_type

TAKES = "an execution takes exportType, period and scheduledTime, or exportType and replay"


class BadInput(ValueError):
    """The input of an execution is not valid."""


@dataclass(frozen=True)
class Execution:
    """The identity of a run: the execution's ARN and the time at which it started (UTC)."""

    arn: str
    started_at: datetime

    @property
    def name(self) -> str:
        """The execution's name; EventBridge gives two UUIDs, joined by an underscore."""
        return self.arn.rsplit(":", 1)[-1]

    @property
    def folder(self) -> str:
        """The run's name in object keys: unique for ever; an execution's name may be reused after 90 days."""
        name = self.name
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,80}", name):
            name = sha256(name.encode()).hexdigest()[:32]
        return f"{self.started_at:%Y%m%dT%H%M%S}-{name}"


@dataclass(frozen=True)
class EndedExecution(Execution):
    """An execution that is over, as Step Functions reports it."""

    status: str
    stopped_at: datetime
    given: object
    """Its input."""


@dataclass(frozen=True)
class RunState:
    """What the state machine passes from step to step: a flat JSON object with these names in camelCase.

    The machine reads `outcome` and `wait_seconds` alone. The state never contains the token or a signed link.
    """

    export_type: str = ""
    scheduled_time: str | None = None
    """The time that the rule fired for, as EventBridge writes it."""
    period: str | None = None
    outcome: Outcome = Outcome.NONE
    step: str | None = None
    """The step that returned last."""
    wait_seconds: int | None = None
    replay: Mapping[str, Any] | None = None
    """What to merge again from raw/, instead of an export of its own: see `steps/replay_request.py`."""
    part_bytes: int | None = None
    """Of a trial: copy in parts of that size and in several calls, however small the result is."""
    cursor: str | None = None
    """The key of the last manifest that a replay has merged."""
    batch_id: str | None = None
    ordered_at: str | None = None
    """When the batch was ordered: ISO 8601, UTC, microseconds."""
    polls: int = 0
    progress: str | None = None
    """`processed/total`, as the vendor last reported."""
    bytes: int | None = None
    rows: int | None = None
    tally: Mapping[str, Any] | None = None
    """What the load counted: read, new, known, updated, rescued, quarantined, unknownTime, days, …"""
    unreachable_days: str | None = None
    """Days that no period reaches any more: `first..last`."""
    reason: str | None = None
    error_name: str | None = None
    error: Mapping[str, str] | None = None
    """Added by a Catch of the machine: `Error` and `Cause`."""

    @property
    def export(self) -> ExportType:
        """The export type.

        Raises:
            UnknownName: Symplify has no such type.
        """
        return export_type(self.export_type)

    @property
    def age(self) -> tuple[str, str]:
        """The age of the run's export, `(ordered_at, batch_id)`: see `lake/rows/merge.py`.

        Raises:
            BadInput: nothing has been ordered yet.
        """
        if self.batch_id is None or self.ordered_at is None:
            raise BadInput("This step needs a batch, and the state has none.")
        return self.ordered_at, self.batch_id

    @classmethod
    def from_json(cls, state: object) -> "RunState":
        """Read a state, or the input of an execution.

        Raises:
            BadInput: it is no object, a name is unknown, or a value is of the wrong kind.
        """
        if not isinstance(state, Mapping):
            raise BadInput(f"The input of an execution is a JSON object; {TAKES}.")
        known = {_camel(field.name): field for field in fields(cls)}
        unknown = sorted(set(state) - set(known))
        if unknown:
            raise BadInput(f"The input has {', '.join(map(repr, unknown))[:200]}; {TAKES}.")
        for name, value in state.items():
            _check_kind(name, value, known[name].type)
        values = {known[name].name: value for name, value in state.items()}
        return cls(**{**values, "outcome": Outcome(values.get("outcome", Outcome.NONE))})

    def to_json(self) -> dict[str, Any]:
        """The state as JSON, without the fields that were never set."""
        values = {_camel(field.name): (getattr(self, field.name), field.default) for field in fields(self)}
        return {name: value for name, (value, default) in values.items() if value != default}


_KINDS = {str: "text", int: "a whole number", Mapping: "an object"}


def _check_kind(name: str, value: object, declared: Any) -> None:
    parts = get_args(declared) if isinstance(declared, UnionType) else (declared,)
    kinds = tuple(str if part is Outcome else get_origin(part) or part for part in parts)
    if isinstance(value, bool) or not isinstance(value, kinds):
        wanted = next(_KINDS[kind] for kind in kinds if kind is not NoneType)
        raise BadInput(f"{name} must be {wanted}, and the input has {json.dumps(value)[:100]} there.")


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
