"""The watch over silence: how late each export type is, what the last day loaded, and runs that could not close."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lambdas.execution import BadInput, EndedExecution, Execution, RunState
from lambdas.lake.storage.store import Store
from lambdas.lake.tables.catalog import Catalog
from lambdas.lake.tables.export_runs import write_run_record
from lambdas.ledger.ledger import Ledger
from lambdas.outcome import ErrorName, Outcome
from lambdas.steps.close_run import with_order
from lambdas.steps.run_record import record_of
from lambdas.vocabulary import EXPORT_TYPES, ExportType, Period, UnknownName

LOOK_BACK = timedelta(days=35)
"""How far back runs are read: longer than the vendor's own reach, so that older runs decide nothing."""

EMPTY_AFTER = timedelta(days=7)
NIGHT = timedelta(days=1)
_START_DIFFERS = timedelta(minutes=1)

Ledgers = Callable[[ExportType], Ledger]


@dataclass(frozen=True)
class Watched:
    """An export type that is switched on. `runs` are run records, the newest first."""

    export: ExportType
    since: datetime
    """Since when a success is expected: the deployment, or the day on which the type was switched on."""
    watermark: datetime | None
    runs: Sequence[Mapping[str, Any]]

    @property
    def successes(self) -> list[Mapping[str, Any]]:
        """The records of runs that succeeded."""
        return [run for run in self.runs if run["outcome"] == Outcome.SUCCEEDED]

    @property
    def waits_for_token(self) -> bool:
        """Whether nothing has succeeded yet because nobody has set the token: expected, and notified once a night.

        A success before `since` was under another token: that of a stack whose data this one has taken over.
        """
        if any(_time(run, "ended_at") >= self.since for run in self.successes):
            return False
        return bool(self.runs) and self.runs[0].get("error") == ErrorName.TOKEN_NOT_SET


@dataclass(frozen=True)
class Finding:
    """The numbers of one export type."""

    export: ExportType
    hours_since_success: float
    days_missing: float
    """How far back the day lies that no export has covered yet; Symplify reaches back two weeks."""
    is_oddly_empty: bool

    @property
    def metrics(self) -> dict[str, float]:
        """The numbers as CloudWatch gets them."""
        return {
            "HoursSinceSuccess": self.hours_since_success,
            "DaysMissing": self.days_missing,
            "OddlyEmpty": float(self.is_oddly_empty),
        }

    def to_json(self) -> dict[str, float | bool]:
        """The numbers as the function answers them."""
        return {
            "hoursSinceSuccess": self.hours_since_success,
            "daysMissing": self.days_missing,
            "isOddlyEmpty": self.is_oddly_empty,
        }


def watched_exports(
    ledgers: Ledgers, switched_on: Iterable[str], now: datetime, *, is_new: bool
) -> tuple[list[Watched], list[ExportType]]:
    """The export types that are switched on, and those that are not; a new deployment restarts the expectations."""
    on: list[Watched] = []
    off: list[ExportType] = []
    for export in EXPORT_TYPES.values():
        ledger = ledgers(export)
        since = ledger.expected_since()
        if export.name not in switched_on:
            off.append(export)
            if since is not None:
                ledger.set_expected_since(None)
            continue
        if since is None or is_new:
            since = now
            ledger.set_expected_since(since)
        on.append(Watched(export, since, ledger.watermark(), ledger.runs(now - LOOK_BACK)))
    return on, off


def recorded_executions(ledgers: Ledgers, now: datetime) -> set[str]:
    """The ARNs of the executions that have a record.

    Compared by these and never by their times: nothing says that the start that a step is told and the one that Step
    Functions lists are the same to the second.
    """
    since = now - LOOK_BACK - _START_DIFFERS
    return {run["execution_arn"] for export in EXPORT_TYPES.values() for run in ledgers(export).runs(since)}


def close_unclosed(
    executions: Iterable[EndedExecution], ledgers: Ledgers, store: Store, catalog: Catalog
) -> Iterator[tuple[RunState, Execution]]:
    """Write the records of runs that could not close themselves, one by one; yield each run once it is recorded."""
    for execution in executions:
        found = unclosed(execution)
        if found is None:
            continue
        state, run = found
        ledger = ledgers(state.export)
        state = with_order(state, ledger.order_of(execution.arn, since=run.started_at - _START_DIFFERS))
        record = record_of(state, run, execution.stopped_at)
        ledger.write_run(run, record)
        write_run_record(store, catalog, run.folder, record)
        yield state, run


def findings(watched: Sequence[Watched], now: datetime) -> list[Finding]:
    """The numbers of every export type that is switched on."""
    return [_finding(one, _is_quiet(watched), now) for one in watched]


def unclosed(execution: EndedExecution) -> tuple[RunState, Execution] | None:
    """The failed run that an execution was, from its input; None when that names no export type."""
    fields = execution.given if isinstance(execution.given, Mapping) else {}
    try:
        state = RunState.from_json(
            {name: fields[name] for name in ("exportType", "period", "scheduledTime") if name in fields}
        )
        name = state.export.name
    except (BadInput, UnknownName):
        return None
    words = {ErrorName.TIMED_OUT: "took longer than the machine allows", ErrorName.ABORTED: "was stopped"}
    stopped = next((name for name in words if name == execution.status), None)
    closed = RunState(
        export_type=name,
        period=state.period,
        scheduled_time=state.scheduled_time,
        outcome=Outcome.FAILED,
        step=None if stopped else "close_run",
        error_name=stopped or ErrorName.NOT_CLOSED,
        reason=f"{name}: The execution {words[stopped] if stopped else 'failed in its last step'}, so it could not "
        "close itself. The next run resumes what it left.",
    )
    return closed, Execution(execution.arn, execution.started_at)


def summary(watched: Sequence[Watched], off: Iterable[ExportType], now: datetime) -> str:
    """What the last day loaded, in one line per export type."""
    lines = [f"Exports of the 24 hours up to {now:%Y-%m-%d %H:%M} UTC:", ""]
    lines += [f"{one.export.name:<13} {_line(one, now)}" for one in watched]
    lines += [f"{export.name:<13} switched off" for export in off]
    return "\n".join(lines)


def profiles(watched: Iterable[Watched], now: datetime) -> str | None:
    """What the last day's first loads took their fields for; None when there was none."""
    found = [
        f"{one.export.name:<13} {run['profile']}"
        for one in watched
        for run in one.runs
        if run.get("profile") and _time(run, "ended_at") >= now - NIGHT
    ]
    if not found:
        return None
    lines = [
        "Tables were made, or made again, from what their first exports' records say. Nobody has told what the fields",
        "are, so please compare this with what you know:",
        "",
        *found,
        "",
        "A time whose text names no offset is in the zone given: the setting timestampTimeZone says another. The",
        "settings eventTime and identityFields choose other fields, and replay --rebuild --reprofile makes a table",
        "again: see docs/shapes.md.",
    ]
    return "\n".join(lines)


def _finding(one: Watched, is_quiet: bool, now: datetime) -> Finding:
    if one.waits_for_token:
        return Finding(one.export, 0.0, 0.0, is_oddly_empty=False)
    last = max([one.since, *(_time(run, "ended_at") for run in one.successes)])
    covered = max(one.since, one.watermark or one.since)
    return Finding(
        one.export,
        round(max((now - last) / timedelta(hours=1), 0.0), 2),
        round(max((now - covered) / timedelta(days=1), 0.0), 2),
        is_oddly_empty=_is_oddly_empty(one, is_quiet),
    )


def _is_oddly_empty(one: Watched, is_quiet: bool) -> bool:
    """Whether the newest export is empty and those of the seven days before it were not."""
    # Nothing is opened, clicked or bounced where nothing was sent.
    if is_quiet and one.export.is_event and one.export.name != "SENT":
        return False
    regular = [run for run in one.successes if run.get("period") != Period.TODAY]
    if not regular or _rows(regular[0]):
        return False
    begins = _time(regular[0], "started_at") - EMPTY_AFTER
    before = [run for run in regular[1:] if _time(run, "started_at") >= begins]
    return bool(before) and all(_rows(run) for run in before)


def _is_quiet(watched: Sequence[Watched]) -> bool:
    return any(one.export.name == "SENT" and one.successes and not _rows(one.successes[0]) for one in watched)


def _line(one: Watched, now: datetime) -> str:
    # Without replays, which load no newer data.
    ours = [run for run in one.runs if run["outcome"] in (Outcome.SUCCEEDED, Outcome.FAILED, Outcome.UNDECIDED)]
    night = [run for run in ours if _time(run, "ended_at") >= now - NIGHT]
    if not night:
        return "no run"
    last = night[0]
    if last["outcome"] != Outcome.SUCCEEDED:
        return f"FAILED  {last.get('reason') or last.get('error')}"
    parts = [f"{_rows(last)} rows, {int(last.get('rows_new') or 0)} new"]
    parts += [f"new columns {last['new_columns']}"] if last.get("new_columns") else []
    parts += [f"{int(last[name])} {word}" for name, word in _COUNTED if last.get(name)]
    parts += [f"SYMPLIFY COUNTED {counted}"] if (counted := _counted_otherwise(last)) else []
    parts += [f"oldest new day {oldest}"] if (oldest := _oldest_new_day(last)) else []
    healed = next(iter(ours[1:]), None)
    if healed is not None and healed["outcome"] != Outcome.SUCCEEDED:
        parts.append("healed after a failure")
    parts += [f"LOST {last['unreachable_days']}"] if last.get("unreachable_days") else []
    return ", ".join(parts)


_COUNTED = (
    ("rows_rescued", "rescued"),
    ("rows_quarantined", "quarantined"),
    ("rows_unknown_time", "without a time"),
    ("rows_recounted", "that stand more or less often than before"),
)


def _counted_otherwise(run: Mapping[str, Any]) -> str | None:
    """Symplify's own counts of a batch's records, where none is near the number that were read."""
    text, read = str(run.get("progress") or ""), _rows(run) + int(run.get("rows_quarantined") or 0)
    # Zero is what it reports before it has counted.
    counts = [int(part) for part in text.split("/") if part.isdigit() and int(part)]
    is_near = any(abs(count - read) <= max(1, count / 1000) for count in counts)
    return None if is_near or not counts or int(run.get("batches") or 1) > 1 else text


def _oldest_new_day(run: Mapping[str, Any]) -> str | None:
    """The oldest day that got new rows: how late events came."""
    days = json.loads(str(run.get("per_day") or "{}"))
    return min((day for day, counts in days.items() if counts.get("new") and day[:1].isdigit()), default=None)


def _rows(run: Mapping[str, Any]) -> int:
    return int(run.get("rows_read") or 0)


def _time(run: Mapping[str, Any], name: str) -> datetime:
    return datetime.fromisoformat(str(run[name]))
