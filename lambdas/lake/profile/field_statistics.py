"""Inferred field statistics: which fields the records of a file have, and of which kinds."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from lambdas.lake.column_types import Kind, Schema, join
from lambdas.lake.formats import json_records
from lambdas.lake.formats.ambiguous_strings import is_text
from lambdas.lake.formats.json_records import Fields, Rejected


@dataclass
class FieldStatistics:
    """Counts of the fields and kinds in the records seen so far."""

    records: int = 0
    kinds: dict[str, Kind] = field(default_factory=dict)
    no_text: set[str] = field(default_factory=set)
    escaped: set[str] = field(default_factory=set)
    """The fields with a backslash in a value."""

    @classmethod
    def of(cls, records: Iterable[Fields | Rejected]) -> "FieldStatistics":
        """Count records; rejected ones are skipped."""
        statistics = cls()
        statistics.add_all(records)
        return statistics

    def add_all(self, records: Iterable[Fields | Rejected]) -> None:
        """Count more records; rejected ones are skipped."""
        for found in records:
            if not isinstance(found, Rejected):
                self._add(found)

    def _add(self, fields: Fields) -> None:
        self.records += 1
        for name, kind in json_records.kinds(fields).items():
            self.kinds[name] = join(self.kinds.get(name, Kind.NULL), kind)
            if kind is not Kind.NULL:
                if not all(map(is_text, fields[name])):
                    self.no_text.add(name)
                if any(b"\\" in value for value in fields[name]):
                    self.escaped.add(name)

    @property
    def texts(self) -> set[str]:
        """The fields whose values were all unambiguous strings (`is_text`)."""
        return set(self.kinds) - self.no_text

    @property
    def numbers(self) -> set[str]:
        """The fields whose values were all whole numbers."""
        return {name for name, kind in self.kinds.items() if kind is Kind.BIGINT}

    def schema(self, known: Schema, is_id: Callable[[str], bool]) -> Schema:
        """Return the schema that fits these records, widened from the table's; `is_id` tells the ids."""
        return known.widened(self.kinds, is_id)
