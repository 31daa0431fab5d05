"""What the run records of an export type say: how its runs went, and what the last night brought."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from lambdas.lake.profile.profile import Profile
from lambdas.outcome import Outcome
from lambdas.vocabulary import ExportType

LOOK_BACK = timedelta(days=35)
"""How far back run records are read."""
NIGHTS = 14
"""How many nights are shown."""
LATE_DAYS = 2
"""Rows are late that are new when their day is further back than this many days before the order."""

_NIGHT = timedelta(days=1)
# Of a replay nobody learns how a night went.
_NIGHTLY = (Outcome.SUCCEEDED, Outcome.FAILED, Outcome.UNDECIDED)

Record = Mapping[str, Any]


@dataclass(frozen=True)
class ExportState:
    """An export type, by its records and its table."""

    export: ExportType
    is_on: bool
    """Whether its rule is switched on."""
    profile: Profile | None
    """Of its table; None while there is none."""
    records: Sequence[Record]
    """Of its runs, the newest first."""
    now: datetime

    @property
    def runs(self) -> list[Record]:
        """The records of the runs that ordered something."""
        return [run for run in self.records if run["outcome"] in _NIGHTLY]

    @property
    def last(self) -> Record | None:
        """The last run."""
        return next(iter(self.runs), None)

    @property
    def outcome(self) -> str:
        """`succeeded`, `failed`, `undecided`, `late` (nothing for more than a day), `table gone`, or `off`."""
        if not self.is_on:
            return "off"
        if self.last is None or _time(self.last, "ended_at") < self.now - _NIGHT:
            return "late"
        if self.profile is None and any(int(run.get("rows_read") or 0) for run in self._successes):
            return "table gone"
        return str(self.last["outcome"])

    @property
    def is_well(self) -> bool:
        """Whether nobody has to look at it."""
        return self.outcome in (Outcome.SUCCEEDED, "off")

    @property
    def reason(self) -> str:
        """Why the last run did not succeed, or what it lost; empty where it is well."""
        if self.last is None or self.outcome == "off":
            return ""
        gone = "Its rows are in no table any more: replay it (docs/replay.md)." if self.outcome == "table gone" else ""
        lost = f"Lost days: {self.last['unreachable_days']}." if self.last.get("unreachable_days") else ""
        return " ".join(filter(None, (str(self.last.get("reason") or ""), gone, lost)))

    @property
    def hours_since_success(self) -> float | None:
        """Hours since a run succeeded; None where none did in the time that is read."""
        found = self._successes
        return _hours(self.now - _time(found[0], "ended_at")) if found else None

    @property
    def hours_since_event(self) -> float | None:
        """Hours since the latest event in the table; None where there is none, or where the table has no days."""
        events = [_time(run, "latest_event") for run in self._successes if run.get("latest_event")]
        return _hours(self.now - max(events)) if events else None

    @property
    def late(self) -> int:
        """Rows of the last night that came `LATE_DAYS` after their day or later; a first load has none."""
        if len(self._successes) < 2:
            return 0
        return sum(map(_late, self._night))

    @property
    def new_columns(self) -> list[str]:
        """The columns that the last night added; a first load has none."""
        added = self._night[:-1] if len(self._successes) == len(self._night) else self._night
        return sorted({name for run in added for name in str(run.get("new_columns") or "").split(",") if name})

    def rows(self, name: str) -> int:
        """Of the last night, a number of the records: `rows_read`, `rows_new`, …"""
        return sum(int(run.get(name) or 0) for run in self._night)

    def night(self, day: date) -> str:
        """How the last run that started on that day (UTC) went; empty where none did."""
        return next((str(run["outcome"]) for run in self.runs if _time(run, "started_at").date() == day), "")

    @property
    def _successes(self) -> list[Record]:
        return [run for run in self.runs if run["outcome"] == Outcome.SUCCEEDED]

    @property
    def _night(self) -> list[Record]:
        return [run for run in self._successes if _time(run, "ended_at") >= self.now - _NIGHT]


def _late(run: Record) -> int:
    first = f"{_time(run, 'ordered_at').date() - timedelta(days=LATE_DAYS)}" if run.get("ordered_at") else ""
    days: Mapping[str, Mapping[str, int]] = json.loads(str(run.get("per_day") or "{}"))
    return sum(int(counts.get("new", 0)) for day, counts in days.items() if day[:1].isdigit() and day < first)


def _hours(length: timedelta) -> float:
    return length / timedelta(hours=1)


def _time(run: Record, name: str) -> datetime:
    moment = datetime.fromisoformat(str(run[name]))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
