"""Infer the profile of a new table: a draft from a sample of its first export, confirmed by all of its records."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from lambdas.lake.errors import Undecided
from lambdas.lake.formats.json_records import Fields
from lambdas.lake.profile.decide import Chosen, decide
from lambdas.lake.profile.evidence import Scope, candidates, of_files, of_sample
from lambdas.lake.profile.profile import Profile
from lambdas.lake.profile.sample import Sample, sample_of
from lambdas.lake.schema import Schema
from lambdas.vocabulary import ExportType


@dataclass
class Inference:
    """What decides the profile of a table that has none yet."""

    export: ExportType
    chosen: Chosen
    scope: Scope
    earlier: Sample = field(default_factory=lambda: Sample(()))
    """Records of earlier exports that left it undecided: small tables gather evidence over several."""
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
        evidence = of_sample(engine, self._sample, candidates(self._sample), self.scope)
        if self.earlier.records:
            # Only of times: an entity's records stand in every export, and differ.
            both = Sample((*self._sample.records, *self.earlier.records))
            evidence = replace(evidence, times=of_sample(engine, both, candidates(both), self.scope).times)
        return decide(self.export, evidence, self.chosen, self.scope.time_zone)

    def confirm(self, engine: duckdb.DuckDBPyConnection, files: Sequence[Path], schema: Schema) -> Profile:
        """The profile that all records of the export support, from its staged files.

        Raises:
            Undecided: they support none.
        """
        # A field that only later records have, too.
        paths = dict.fromkeys((*self._sample.paths, *(column.source for column in schema.stored)))
        evidence = of_files(engine, files, schema, paths=paths, formats=candidates(self._sample), scope=self.scope)
        return decide(self.export, evidence, self.chosen, self.scope.time_zone)
