"""One run: an execution of the state machine for one export type, and the state that its steps hand on."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from hashlib import sha256
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

from lambdas.vocabulary import ExportType, export_type

TAKES = "an execution takes exportType, period and scheduledTime, or exportType and replay"


class BadInput(ValueError):
    """The input of an execution cannot be understood."""


@dataclass(frozen=True)
class Execution:
    """The identity of a run: the execution's ARN and the time at which it started (UTC)."""

    arn: str
    started_at: datetime

    @property
    def folder(self) -> str:
        """The run's name in object keys: unique for ever, while execution names may be used again after 90 days."""
        name = self.arn.rsplit(":", 1)[-1]
        if not re.fullmatch(r"[A-Za-z0-9-]{1,80}", name):
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
    """What the state machine carries from step to step: a flat JSON object with these names in camelCase.

    Only `outcome` and `wait_seconds` steer the machine. Neither token nor signed link ever stands here.
    """

    export_type: str = ""
    scheduled_time: str | None = None
    """The time that the rule fired for, as EventBridge writes it."""
    period: str | None = None
    outcome: str = ""
    step: str | None = None
    """The step that answered last."""
    wait_seconds: int | None = None
    replay: Mapping[str, Any] | None = None
    """What to merge again from raw/, instead of an export of its own: see `steps/selection.py`."""
    cursor: str | None = None
    """How far a replay has come: the key of the last manifest that it has merged."""
    batch_id: str | None = None
    ordered_at: str | None = None
    """When the batch was ordered: ISO 8601, UTC, microseconds."""
    polls: int = 0
    progress: str | None = None
    """`processed/total` as the vendor last said."""
    bytes: int | None = None
    rows: int | None = None
    tally: Mapping[str, Any] | None = None
    """What the load counted: read, new, known, updated, rescued, quarantined, unknownTime, days, …"""
    unreachable_days: str | None = None
    """Days that no period reaches any more: `first..last`."""
    reason: str | None = None
    error_name: str | None = None
    error: Mapping[str, str] | None = None
    """What a Catch of the machine adds: `Error` and `Cause`."""

    @property
    def export(self) -> ExportType:
        """The export type.

        Raises:
            UnknownName: the input named none that exists.
        """
        return export_type(self.export_type)

    @property
    def age(self) -> tuple[str, str]:
        """The age of the run's export, `(ordered_at, batch_id)`: see `lake/merge.py`.

        Raises:
            BadInput: nothing was ordered yet.
        """
        if self.batch_id is None or self.ordered_at is None:
            raise BadInput("This step needs a batch, and the state has none.")
        return self.ordered_at, self.batch_id

    @classmethod
    def from_json(cls, state: object) -> "RunState":
        """Read a state, or the input of an execution.

        Raises:
            BadInput: it is no object, a name is none of ours, or a value is of the wrong kind.
        """
        if not isinstance(state, Mapping):
            raise BadInput(f"The input of an execution is a JSON object; {TAKES}.")
        known = {_camel(field.name): field for field in fields(cls)}
        unknown = sorted(set(state) - set(known))
        if unknown:
            raise BadInput(f"The input has {', '.join(map(repr, unknown))[:200]}; {TAKES}.")
        for name, value in state.items():
            _check_kind(name, value, known[name].type)
        return cls(**{known[name].name: value for name, value in state.items()})

    def to_json(self) -> dict[str, Any]:
        """Write the state, without what was never set."""
        values = {_camel(field.name): (getattr(self, field.name), field.default) for field in fields(self)}
        return {name: value for name, (value, default) in values.items() if value != default}


_KINDS = {str: "text", int: "a whole number", Mapping: "an object"}


def _check_kind(name: str, value: object, declared: Any) -> None:
    parts = get_args(declared) if isinstance(declared, UnionType) else (declared,)
    kinds = tuple(get_origin(part) or part for part in parts)
    if isinstance(value, bool) or not isinstance(value, kinds):
        wanted = next(_KINDS[kind] for kind in kinds if kind is not NoneType)
        raise BadInput(f"{name} must be {wanted}, and the input has {json.dumps(value)[:100]} there.")


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
