"""Shadow tables: a rebuild fills one from nothing beside the visible table, and switches to it in the end.

Its files lie where a table's files lie, but only the shadow table's own document in the bucket points to them. So a
merge works on it as on any table, and in the end the catalog takes it over.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from lambdas.lake.column_types import Column, Kind
from lambdas.lake.profile import audit, profile
from lambdas.lake.profile.audit import History
from lambdas.lake.profile.profile import Profile
from lambdas.lake.storage import keys
from lambdas.lake.storage.store import Store
from lambdas.lake.tables.catalog import Catalog
from lambdas.lake.tables.glue_tables import Table, frozen
from lambdas.schema_version import check_version
from lambdas.vocabulary import ExportType

# Raised with the version of `glue_tables.py` too: files of two versions must not meet in one table.
SCHEMA_VERSION = 2
"""Of shadow tables."""


class LostShadowTable(Exception):
    """The shadow table is gone, or an earlier version of this stack began it: the rebuild has to start again."""


@dataclass(frozen=True)
class _Document:
    columns: tuple[Column, ...] = ()
    profile: Mapping[str, Any] | None = None
    history: Mapping[str, Any] | None = None
    time_zone: str = ""
    location: str = ""
    """Of an entity table; empty until there are rows."""
    days: Mapping[str, str] = field(default_factory=dict)
    """The location of each day of an event table."""
    left_out: tuple[str, ...] = ()
    schema_version: int = SCHEMA_VERSION

    @property
    def has_rows(self) -> bool:
        return bool(self.days or self.location)


class ShadowTable:
    """One run's shadow table: the tables of a merge (see `Tables`), and the switch."""

    def __init__(self, store: Store, export: ExportType, run_folder: str) -> None:
        self._store = store
        self._key = keys.shadow_table(export, run_folder)

    @property
    def exists(self) -> bool:
        """Whether it was begun, and not yet switched to."""
        return self._store.read(self._key) is not None

    def begin(self, left_out: tuple[str, ...], kept: Profile | None) -> None:
        """Start with nothing but the profile to keep, unless it was begun before by this version.

        Raises:
            WrittenByNewer: a newer version of this stack began it.
        """
        try:
            self._read()
        except LostShadowTable:
            self._write(_Document(left_out=left_out, profile=None if kept is None else profile.to_json(kept)))

    def table(self, export: ExportType) -> Table | None:
        """The table so far; None while it has no rows."""
        document = self._read()
        return _table(document) if document.has_rows else None

    def kept_profile(self, _export: ExportType) -> Profile | None:
        """The profile that the rebuild keeps."""
        return _profile(self._read())

    def locations(self, export: ExportType) -> dict[str, str]:
        """The location of each day of an event table."""
        return dict(self._read().days)

    def publish_days(self, export: ExportType, before: Table | None, made: Table, days: Mapping[str, str]) -> None:
        """Take over new locations of days."""
        document = self._read()
        self._write(replace(_described(document, made), days={**document.days, **days}))
        self._remove([document.days[day] for day in days if day in document.days])

    def publish_entity(self, export: ExportType, before: Table | None, made: Table) -> None:
        """Take over a new state of an entity table."""
        document = self._read()
        self._write(replace(_described(document, made), location=made.location))
        self._remove([document.location] if document.location else [])

    def switch(self, export: ExportType, catalog: Catalog) -> bool:
        """Replace the catalog's table by this one; false when this one has no rows. Resumes an interrupted switch.

        Raises:
            CatalogRefused: Glue refused a change.
            LostShadowTable: it is gone, or an earlier version of this stack began it.
            WrittenByNewer: a newer version of this stack began it.
        """
        document = self._read()
        if not document.has_rows:
            return False
        table = replace(_table(document), switching_to=self._key)
        if table.profile.has_days:
            catalog.replace_days(export, table, document.days)
        else:
            catalog.replace_entity(export, table)
        self._store.delete([self._key])
        return True

    def _read(self) -> _Document:
        body = self._store.read(self._key)
        if body is None:
            raise LostShadowTable(f"The shadow table {self._key} is gone, so the rebuild has to start again.")
        found = json.loads(body)
        version = check_version(found.get("schema_version"), SCHEMA_VERSION, f"The shadow table {self._key}")
        if version < SCHEMA_VERSION:
            raise LostShadowTable(
                f"The shadow table {self._key} was begun by an earlier version of this stack (schema version "
                f"{version}; this one writes {SCHEMA_VERSION}), so the rebuild has to start again."
            )
        columns = tuple(Column(one["source"], one["name"], Kind(one["kind"])) for one in found.pop("columns"))
        return _Document(columns=columns, **(found | {"left_out": tuple(found["left_out"])}))

    def _write(self, document: _Document) -> None:
        self._store.write(self._key, json.dumps(asdict(document), indent=1).encode(), "application/json")

    def _remove(self, locations: list[str]) -> None:
        """Delete files that no reader has ever seen."""
        gone = [item.key for place in locations for item in self._store.objects(self._store.prefix(place))]
        if gone:
            self._store.delete(gone)


def finish_switch(export: ExportType, store: Store, catalog: Catalog) -> None:
    """Complete a switch that was interrupted when its run was killed.

    Raises:
        LostShadowTable: the shadow table is gone, or an earlier version of this stack began it.
        WrittenByNewer: a newer version of this stack wrote the table or the shadow table.
    """
    table = catalog.table(export)
    if table is not None and table.switching_to is not None:
        folder = table.switching_to.removeprefix(keys.shadow_tables_prefix(export)).removesuffix(".json")
        ShadowTable(store, export, folder).switch(export, catalog)


def _table(document: _Document) -> Table:
    return Table(
        schema=frozen(document.columns),
        profile=_profile(document) or Profile(),
        time_zone=document.time_zone,
        location=document.location,
        history=History() if document.history is None else audit.from_json(document.history),
        left_out=document.left_out,
    )


def _profile(document: _Document) -> Profile | None:
    return None if document.profile is None else profile.from_json(document.profile, "a shadow table")


def _described(document: _Document, made: Table) -> _Document:
    described = profile.to_json(made.profile)
    history = audit.to_json(made.history)
    return replace(document, columns=made.schema.stored, profile=described, history=history, time_zone=made.time_zone)
