"""What a merge needs of the tables that it publishes to: the catalog's, or a rebuild's shadow table."""

from collections.abc import Mapping
from typing import Protocol

from lambdas.lake.profile.profile import Profile
from lambdas.lake.tables.glue_tables import Table
from lambdas.vocabulary import ExportType


class Tables(Protocol):
    """Reads and publishes tables. `before` is the table as it was read."""

    def table(self, export: ExportType) -> Table | None:
        """Read a table; None before it has rows."""

    def locations(self, export: ExportType) -> dict[str, str]:
        """The location of each day of an event table."""

    def kept_profile(self, export: ExportType) -> Profile | None:
        """The profile that a table without rows begins with, if that is decided."""

    def publish_days(self, export: ExportType, before: Table | None, made: Table, days: Mapping[str, str]) -> None:
        """Publish new locations of days."""

    def publish_entity(self, export: ExportType, before: Table | None, made: Table) -> None:
        """Publish a new state of an entity table, at its location."""
