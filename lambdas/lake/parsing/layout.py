"""The layout of a line of texts: which value stands where, for Python, which writes it, and for the engine."""

from collections.abc import Mapping
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
        return [*self._texts.values(), REST, IDENTITY]

    def text(self, path: str) -> str:
        """The engine's name for the text at a field or path of the profile: that of no column, since it has a blank."""
        return self._texts[path]

    @cached_property
    def _texts(self) -> Mapping[str, str]:
        columns = {column.source: f"text {number}" for number, column in enumerate(self.schema.columns)}
        return columns | {path: f"role {number}" for number, path in enumerate(self.roles)}
