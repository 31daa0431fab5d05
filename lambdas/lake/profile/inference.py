"""Infer the profile of a new table: a draft from a sample of its first export, confirmed by all of its records.

Small tables gather evidence over several exports; then, and where an overlap contradicts a provisional profile, the one
is taken on which the exports agree.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import duckdb

from lambdas.lake.column_types import Schema
from lambdas.lake.errors import Undecided
from lambdas.lake.formats.json_records import Fields
from lambdas.lake.profile.chosen import Chosen
from lambdas.lake.profile.decide import decide, unique_keys, usable_times
from lambdas.lake.profile.evidence import Scope, candidates, instants_at, of_files, of_sample
from lambdas.lake.profile.profile import EventTime, Profile
from lambdas.lake.profile.ranking import Ranked, doubled, rank_events, rank_keys
from lambdas.lake.profile.sample import Sample, sample_of
from lambdas.lake.profile.window import Window
from lambdas.vocabulary import ExportType


@dataclass
class Inference:
    """What decides the profile of a table that has none yet."""

    export: ExportType
    chosen: Chosen
    scope: Scope
    window: Window | None = None
    """What the export was ordered for; `scope` has that of all exports."""
    earlier: Sequence[tuple[Sample, Window | None]] = ()
    """Exports that left it undecided, in the order of their age."""
    _sample: Sample = field(default_factory=lambda: Sample(()), init=False)

    def draft(self, engine: duckdb.DuckDBPyConnection, records: Iterable[Fields]) -> Profile | None:
        """The profile that the first records support; None where they leave it undecided."""
        self._sample = sample_of(records)
        try:
            return self.decide(engine)
        except Undecided:
            return None

    def decide(self, engine: duckdb.DuckDBPyConnection) -> Profile:
        """The profile that the sample supports.

        Raises:
            Undecided: it supports none.
        """
        evidence = of_sample(engine, self._sample, candidates(self._sample, self.scope.chosen), self.scope)
        if self.earlier:
            # Only of times: an entity's records stand in every export, and differ.
            both = _pooled([self._sample, *(sample for sample, _ in self.earlier)])
            evidence = replace(
                evidence, times=of_sample(engine, both, candidates(both, self.scope.chosen), self.scope).times
            )
        return self._agreed(engine, decide(self.export, evidence, self.chosen, self.scope.time_zone))

    def confirm(self, engine: duckdb.DuckDBPyConnection, files: Sequence[Path], schema: Schema) -> Profile:
        """The profile that all records of the export support, from its staged files.

        Raises:
            Undecided: they support none.
        """
        # A field that only later records have, too.
        paths = dict.fromkeys(
            (*self._sample.paths, *(column.source for column in schema.stored), *sorted(self.scope.chosen))
        )
        formats = candidates(self._sample, self.scope.chosen)
        evidence = of_files(engine, files, schema, paths=paths, formats=formats, scope=self.scope)
        return self._agreed(engine, decide(self.export, evidence, self.chosen, self.scope.time_zone))

    def ranked(
        self, engine: duckdb.DuckDBPyConnection, samples: Sequence[Sample], windows: Sequence[Window | None]
    ) -> list[Ranked]:
        """All profiles that the fields admit, the one on which the exports agree best first."""
        both = _pooled(samples)
        evidence = of_sample(engine, both, candidates(both, self.scope.chosen), self.scope)
        zone = self.scope.time_zone
        times = [EventTime(one.field, one.format, zone, one.are_dates) for one in usable_times(self.export, evidence)]
        if times:
            return rank_events(samples, windows, times, partial(instants_at, engine))
        each = [of_sample(engine, sample, {}, self.scope) for sample in samples if sample.records]
        unique = [unique_keys(self.export, one) for one in each]
        return rank_keys(samples, [key for key in unique[-1] if all(key in one for one in unique)] if unique else [])

    def _agreed(self, engine: duckdb.DuckDBPyConnection, profile: Profile) -> Profile:
        """The profile, unless earlier exports contradict it and agree on another."""
        _check_whole_days(self.export, profile, self.window)
        if not self.earlier or self.chosen.event_time or self.chosen.identity:
            return profile
        exports = [*self.earlier, (self._sample, self.window)]
        twice = doubled([sample for sample, _ in exports], profile, partial(instants_at, engine))
        exports = [one for number, one in enumerate(exports) if number not in twice]
        ranked = self.ranked(engine, [sample for sample, _ in exports], [window for _, window in exports])
        agreeing = [one.profile for one in ranked if one.agrees]
        if not agreeing:
            raise Undecided(
                f"No reading of the fields of {self.export.name} makes this export agree with the earlier ones: where "
                "they were ordered for the same time, they have other events. Name the fields in the settings "
                "eventTime and identityFields."
            )
        same = (one for one in agreeing if one.identity == profile.identity and one.times == profile.times)
        return profile if next(same, None) is not None else agreeing[0]


def _check_whole_days(export: ExportType, profile: Profile, window: Window | None) -> None:
    """Refuse to take parts of a day for the whole: of dates alone, the part with most rows would win."""
    if window is None or not any(time.is_date for time in profile.event_time):
        return
    if window.named.end - window.named.start <= timedelta(days=1):
        raise Undecided(
            f"The times of {export.name} in {profile.event_time[0].field} are dates alone, and exports of one day may "
            "hold parts of two. Order more days, so that exports overlap: LAST_3_DAYS, for one, in the setting "
            "nightlyPeriod."
        )


def _pooled(samples: Sequence[Sample]) -> Sample:
    return Sample(tuple(record for sample in samples for record in sample.records))
