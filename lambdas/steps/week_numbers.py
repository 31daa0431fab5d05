"""The numbers of a week beside those of the week before, as the nightly summary shows them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from lambdas.lake.views.recent import NUMBERS, UNKNOWN_SENDS, WEEK, WEEK_BEFORE
from lambdas.outcome import Outcome
from lambdas.steps.watch_runs import Watched

_WEEK = timedelta(days=7)


def week_lines(
    watched: Sequence[Watched], rows: Sequence[Mapping[str, str | None]], now: datetime, unknown: str = ""
) -> str:
    """Eight numbers, each with the week before; `rows` answer `week_query`, `unknown` says why there are none."""
    by_week = {row["week"]: row for row in rows}
    ends = [now, now - _WEEK]
    counts = [
        (number.replace("_", " "), *(_count(by_week.get(week, {}).get(number)) for week in (WEEK, WEEK_BEFORE)))
        for number in NUMBERS
    ]
    days = f"from {(now - _WEEK).date()} to {(now - timedelta(days=1)).date()}"
    lines = [
        f"What became of the e-mail that was sent {days}, and in the seven days before:",
        *([unknown] if unknown else []),
        *(f"{name:<24} {this:>12} {before:>12}" for name, this, before in ([] if unknown else counts)),
        *_unknown_sends(by_week),
        _line("exports failed", [str(_failed(watched, end)) for end in ends]),
        _line("hours since last event", [_hours(watched, end) for end in ends]),
    ]
    return "\n".join(lines)


def _unknown_sends(by_week: Mapping[str | None, Mapping[str, str | None]]) -> Sequence[str]:
    """A line for the sends that lack some of the numbers above; none where there are no such sends."""
    counts = [int(by_week.get(week, {}).get(UNKNOWN_SENDS) or 0) for week in (WEEK, WEEK_BEFORE)]
    return [_line("sent, not all is known", [f"{count:,}" for count in counts])] if any(counts) else []


def _line(name: str, values: Sequence[str]) -> str:
    return f"{name:<24} {' '.join(f'{value:>12}' for value in values)}"


def _count(value: str | None) -> str:
    return "not known" if value is None else f"{int(value):,}"


def _failed(watched: Sequence[Watched], end: datetime) -> int:
    """How many runs failed within the week before."""
    ended = [
        datetime.fromisoformat(str(run["ended_at"]))
        for one in watched
        for run in one.runs
        if run["outcome"] == Outcome.FAILED
    ]
    return sum(end - _WEEK <= at < end for at in ended)


def _hours(watched: Sequence[Watched], end: datetime) -> str:
    """Hours from the latest event that had been loaded by then."""
    latest = [
        # In UTC, which the text does not say.
        datetime.fromisoformat(str(run["latest_event"])).replace(tzinfo=UTC)
        for one in watched
        for run in one.successes
        if run.get("latest_event") and datetime.fromisoformat(str(run["ended_at"])) < end
    ]
    return f"{(end - max(latest)) / timedelta(hours=1):.1f}" if latest else "not known"
