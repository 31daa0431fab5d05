"""The layout of a line of texts: which value stands where, for Python, which writes it, and for the engine."""

from dataclasses import dataclass
from functools import cached_property

from lambdas.lake.column_types import Schema
from lambdas.lake.profile.profile import Profile

REST, IDENTITY = "the rest", "the identity"
"""What an odd record adds: members of `_rescued`, and the texts of its identity where its columns do not have them."""


@dataclass(frozen=True)
class Layout:
    """The texts of the columns' fields, of the roles' paths, and what an odd record adds."""

    schema: Schema
    profile: Profile

    @cached_property
    def roles(self) -> tuple[str, ...]:
        """The profile's paths into objects: no columns have them."""
        paths = dict.fromkeys([*self.profile.identity, *self.profile.times])
        return tuple(path for path in paths if path not in self.schema.by_source)

    @property
    def names(self) -> list[str]:
        """The engine's names for the values of a line."""
        columns = [self.text(column.source) for column in self.schema.columns]
        return [*columns, *map(self.text, self.roles), REST, IDENTITY]

    def text(self, path: str) -> str:
        """The engine's name for the text at a field or path of the profile: that of no column, since it has a blank."""
        column = self.schema.by_source.get(path)
        return f"role {self.roles.index(path)}" if column is None else f"text {self.schema.columns.index(column)}"
