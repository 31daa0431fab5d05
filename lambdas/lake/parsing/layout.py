"""The layout of a line of texts: which value stands where, for Python, which writes it, and for the engine."""

from dataclasses import dataclass
from functools import cached_property

from lambdas.lake.column_types import Column, Schema
from lambdas.lake.profile.profile import Profile

REST, OWN, IDENTITY = "of the rest", "of all", "of the identity"
"""What an odd record adds: members of `_rescued`, and the hashes of all its fields and of its identity."""


@dataclass(frozen=True)
class Layout:
    """The texts of the columns' fields, of the roles' paths, and what an odd record adds."""

    schema: Schema
    profile: Profile

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The schema's columns; the names of the last, which only odd records have, are unknown to the decoder."""
        return tuple(sorted(self.schema.columns, key=lambda column: not is_regular(column)))

    @cached_property
    def roles(self) -> tuple[str, ...]:
        """The profile's paths into objects: no columns have them."""
        paths = dict.fromkeys([*self.profile.identity, *self.profile.times])
        return tuple(path for path in paths if path not in self.schema.by_source)

    @property
    def names(self) -> list[str]:
        """The engine's names for the values of a line."""
        columns = [self.text(column.source) for column in self.columns]
        return [*columns, *map(self.text, self.roles), REST, OWN, IDENTITY]

    def text(self, path: str) -> str:
        """The engine's name for the text at a field or path of the profile: that of no column, since it has a blank."""
        column = self.schema.by_source.get(path)
        return f"role {self.roles.index(path)}" if column is None else f"text {self.columns.index(column)}"


def is_regular(column: Column) -> bool:
    """Whether the decoder accepts a column's field name."""
    return not any(mark in column.source for mark in '"\\')
