"""The audit: whether an export and the table agree where both cover the same time. The overlap of exports is the judge.

A profile that is wrong shows there: identities that no second export has again, or that have other counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

# Rows that vanish while others appear at the same instant, or of the same who and what: the same events under other
# identities. Without such a partner they may be late and deleted events, which good data have too.
REPLACED_SHARE, REPLACED_LEAST = 0.02, 5
UNPAIRED_SHARE = 0.15
# Identities whose number of rows changed: a doubled file, or a wrong profile.
CHANGED_SHARE = 0.2
OUTSIDE_SHARE = 0.05
# So many records, and an overlap that agrees, settle a profile.
SETTLING_RECORDS = 200
# An export with fewer says nothing by its lack of overlap.
TELLING_ROWS = 15
# In fewer, a field may be missing, stand twice or have whole minutes by chance.
TELLING_RECORDS = 20
_RENAMED_SHARE, _RENAMED_LEAST = 0.5, 10
_MOST_SPANS = 30
_DAY = timedelta(days=1)

Interval = tuple[datetime, datetime]


@dataclass(frozen=True)
class Span:
    """The times of an export's events."""

    low: datetime
    """5 % are earlier: a few late events must not widen the span."""
    high: datetime
    """5 % are later."""
    resolution: timedelta
    rows: int
    outside: int = field(default=0, compare=False)
    """Rows outside of the window that was ordered; not stored."""


@dataclass(frozen=True)
class Export:
    """An export as the audit sees it."""

    span: Span | None
    window: Interval | None
    """What it was ordered for."""
    rows: int
    gone: tuple[str, ...] = ()
    """Fields of the identity that none of its records has."""


@dataclass(frozen=True)
class Counts:
    """What a merge found where the export and the table overlap, in rows, or in identities where that is said."""

    shared: int = 0
    """Identities that both have."""
    new: int = 0
    """Rows of the export that the table lacks."""
    missing: int = 0
    """Rows of the table that the export lacks."""
    paired: int = 0
    """Of both, those with a partner of the other kind at the same instant, or of the same who and what."""
    inflated: int = 0
    """Identities of which the export has more rows than the table."""
    deflated: int = 0
    """Identities of which it has fewer."""
    renamed: int = 0
    """Keys of entities that have another name."""

    def __add__(self, other: "Counts") -> "Counts":
        """Both together."""
        return Counts(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    @property
    def replaced(self) -> int:
        """Rows that vanished while as many others appeared."""
        return min(self.new, self.missing)

    @property
    def seen(self) -> int:
        """Rows in the overlap, as far as they bear witness."""
        return self.shared + max(self.new, self.missing)


@dataclass(frozen=True)
class History:
    """What a table keeps of earlier audits, among its parameters."""

    spans: tuple[Interval, ...] = ()
    """The times that earlier exports cover."""
    window: Interval | None = None
    """What the newest export was ordered for."""
    newest: Span | None = None
    """The times of the newest export."""
    records: int = 0
    exports: int = 0
    seen: int = 0
    replaced: int = 0
    """Over all nights: small tables give evidence over several."""
    blocked: str | None = None
    """Why nothing is merged until a person, or an export that agrees, resolves it."""

    def shared(self, span: Span | None) -> tuple[Interval, ...]:
        """Where the table and an export cover the same time, edges rounded inward by the time's resolution."""
        if span is None:
            return ()
        # The first day of an export and the last are partial, whichever of two was ordered first.
        trim = span.resolution if span.resolution >= timedelta(days=1) else timedelta(0)
        found = ((max(low, span.low) + trim, min(high, span.high) - trim) for low, high in self.spans)
        return tuple((low, high) for low, high in found if low <= high)

    def after(self, export: Export, counts: Counts) -> "History":
        """The history with one more export, which agrees."""
        span, window = export.span, export.window
        spans = _union([*self.spans, (span.low, span.high)]) if span is not None else self.spans
        is_newest = self.window is None or window is None or window[1] >= self.window[1]
        return replace(
            self,
            spans=spans[-_MOST_SPANS:],
            window=window if is_newest else self.window,
            newest=span if is_newest else self.newest,
            records=self.records + export.rows,
            exports=self.exports + 1,
            seen=self.seen + counts.seen,
            replaced=self.replaced + counts.paired,
            blocked=None,
        )


@dataclass(frozen=True)
class Finding:
    """What an audit says."""

    contradiction: str | None = None
    """What disagrees, as the end of a sentence; None when nothing does."""
    is_inflated: bool = False
    """Whether the export alone is to blame: it has rows too often."""
    is_evidence: bool = False
    """Whether the overlap says anything."""


def audit(history: History, export: Export, counts: Counts) -> Finding:
    """Judge an export by its overlap with the table."""
    evidence = counts.shared > 0 or counts.replaced >= REPLACED_LEAST
    found = _of_fields(export) or _of_times(history, export.span, export.window) or _of_identities(history, counts)
    changed = counts.inflated + counts.deflated
    if found is None and changed > CHANGED_SHARE * counts.shared and changed >= min(REPLACED_LEAST, counts.shared):
        more = counts.inflated > counts.deflated
        return Finding(
            f"{changed} of {counts.shared} events that both have stand {'more' if more else 'less'} often in "
            "it than in the table",
            is_inflated=more,
            is_evidence=True,
        )
    return Finding(found, is_evidence=evidence)


def _of_fields(export: Export) -> str | None:
    if export.gone and export.rows >= TELLING_RECORDS:
        return f"none of its {export.rows} records has {' or '.join(export.gone)}"
    return None


def _of_times(history: History, span: Span | None, window: Interval | None) -> str | None:
    if span is None:
        return None
    if span.outside > OUTSIDE_SHARE * span.rows:
        return f"{span.outside} of its {span.rows} times lie outside of the span that was ordered"
    before = history.newest
    if window is None or history.window is None or before is None:
        return None
    is_telling = min(span.rows, before.rows) >= TELLING_ROWS
    # No period's start is documented, so a day of each window counts for nothing.
    is_expected = window[0] + _DAY <= before.high and history.window[0] + _DAY <= span.high
    is_disjoint = span.low > before.high or span.high < before.low
    if is_telling and is_expected and is_disjoint:
        return "its times and those of the export before do not overlap, though both were ordered for the same days"
    return None


def _of_identities(history: History, counts: Counts) -> str | None:
    if counts.shared >= _RENAMED_LEAST and counts.renamed > _RENAMED_SHARE * counts.shared:
        return f"{counts.renamed} of {counts.shared} keys that both have stand for something of another name"
    judged = (
        (counts.paired, counts.seen, REPLACED_SHARE),
        (history.replaced + counts.paired, history.seen + counts.seen, REPLACED_SHARE),
        (counts.replaced, counts.seen, UNPAIRED_SHARE),
    )
    for replaced, seen, share in judged:
        if counts.replaced and replaced >= REPLACED_LEAST and replaced > share * seen:
            return (
                f"where it and the table cover the same time, {counts.missing} events of the table are not in it and "
                f"{counts.new} are in it alone"
            )
    return None


def _union(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    merged: list[Interval] = []
    for low, high in sorted(intervals):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return tuple(merged)


def to_json(history: History) -> dict[str, Any]:
    """The history as a table's parameter holds it."""
    newest = history.newest
    return {
        "spans": [_texts(one) for one in history.spans],
        "window": _texts(history.window) if history.window else None,
        "newest": [*_texts((newest.low, newest.high)), newest.resolution.total_seconds(), newest.rows]
        if newest
        else None,
        "records": history.records,
        "exports": history.exports,
        "seen": history.seen,
        "replaced": history.replaced,
        "blocked": history.blocked,
    }


def from_json(stored: Mapping[str, Any]) -> History:
    """Read a history."""
    newest = stored["newest"]
    return History(
        spans=tuple(_interval(one) for one in stored["spans"]),
        window=_interval(stored["window"]) if stored["window"] else None,
        newest=Span(*_interval(newest[:2]), timedelta(seconds=newest[2]), *newest[3:]) if newest else None,
        records=stored["records"],
        exports=stored["exports"],
        seen=stored["seen"],
        replaced=stored["replaced"],
        blocked=stored["blocked"],
    )


def _texts(interval: Interval) -> list[str]:
    return [moment.isoformat() for moment in interval]


def _interval(texts: Sequence[str]) -> Interval:
    low, high = texts
    return datetime.fromisoformat(low), datetime.fromisoformat(high)
