"""Shadow tables: a rebuild fills one from nothing beside the visible table, and switches to it in the end.

Its files lie where a table's files lie, but only the shadow table's own document in the bucket points to them. So a
merge works on it as on any table, and in the end the catalog takes it over.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from lambdas.lake.schema import Column, Kind, Schema
from lambdas.lake.storage import keys
from lambdas.lake.storage.store import Store
from lambdas.lake.tables.catalog import Catalog
from lambdas.lake.tables.glue_tables import Table, frozen
from lambdas.schema_version import check_version
from lambdas.vocabulary import ExportType

# Raised with the version of `glue_tables.py` too: files of two versions must not meet in one table.
SCHEMA_VERSION = 1
"""Of shadow tables."""


class LostShadowTable(Exception):
    """The shadow table is gone, or an earlier version of this stack began it: the rebuild has to start again."""


@dataclass(frozen=True)
class _Document:
    columns: tuple[Column, ...] = ()
    identity: tuple[str, ...] = ()
    identity_is_key: bool = False
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

    def begin(self, left_out: tuple[str, ...]) -> None:
        """Start with nothing, unless it was begun before by this version.

        Raises:
            WrittenByNewer: a newer version of this stack began it.
        """
        try:
            self._read()
        except LostShadowTable:
            self._write(_Document(left_out=left_out))

    def table(self, export: ExportType) -> Table | None:
        """The table so far; None while it has no rows."""
        document = self._read()
        return _table(document) if document.has_rows else None

    def locations(self, export: ExportType) -> dict[str, str]:
        """The location of each day of an event table."""
        return dict(self._read().days)

    def publish_days(
        self, export: ExportType, before: Table | None, schema: Schema, time_zone: str, days: Mapping[str, str]
    ) -> None:
        """Take over new locations of days."""
        document = self._read()
        self._write(replace(_with_schema(document, schema, time_zone), days={**document.days, **days}))
        self._remove([document.days[day] for day in days if day in document.days])

    def publish_entity(
        self, export: ExportType, before: Table | None, schema: Schema, time_zone: str, location: str
    ) -> None:
        """Take over a new state of an entity table."""
        document = self._read()
        self._write(replace(_with_schema(document, schema, time_zone), location=location))
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
        if export.is_event:
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
        found |= {name: tuple(found[name]) for name in ("identity", "left_out")}
        return _Document(columns=columns, **found)

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
    schema = frozen(document.columns, document.identity, is_key=document.identity_is_key)
    return Table(schema, document.time_zone, document.location, document.left_out)


def _with_schema(document: _Document, schema: Schema, time_zone: str) -> _Document:
    return replace(
        document,
        columns=schema.stored,
        identity=schema.identity,
        identity_is_key=schema.identity_is_key,
        time_zone=time_zone,
    )
