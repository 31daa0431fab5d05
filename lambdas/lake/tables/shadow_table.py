"""A draft: a table that a rebuild makes from nothing, beside the one that readers see.

Its files lie where a table's files lie, and nothing but the draft's own document points to them, which lies in the
bucket. So the merge works on it as on any table, and in the end the catalog takes it over as it stands.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from lambdas.lake.schema import Column, Kind, Schema
from lambdas.lake.storage import keys
from lambdas.lake.storage.store import Store
from lambdas.lake.tables.catalog import Catalog
from lambdas.lake.tables.glue_tables import Table, frozen
from lambdas.vocabulary import ExportType

SCHEMA_VERSION = 1


class LostDraft(Exception):
    """The draft is gone: the rebuild has to start anew."""


@dataclass(frozen=True)
class _Document:
    columns: tuple[Column, ...] = ()
    identity: tuple[str, ...] = ()
    identity_is_key: bool = False
    time_zone: str = ""
    location: str = ""
    """Of an entity table; empty until there are rows."""
    days: Mapping[str, str] = field(default_factory=dict)
    """Where each day of an event table lies."""
    left_out: tuple[str, ...] = ()
    schema_version: int = SCHEMA_VERSION

    @property
    def has_rows(self) -> bool:
        return bool(self.days or self.location)


class Draft:
    """One run's draft of a table: what a merge asks of a catalog, and the switch."""

    def __init__(self, store: Store, export: ExportType, run_folder: str) -> None:
        self._store = store
        self._key = keys.draft(export, run_folder)

    @property
    def exists(self) -> bool:
        """Whether the draft was begun, and not yet switched to."""
        return self._store.read(self._key) is not None

    def begin(self, left_out: tuple[str, ...]) -> None:
        """Start with nothing, unless it was begun before."""
        if not self.exists:
            self._write(_Document(left_out=left_out))

    def table(self, export: ExportType) -> Table | None:
        """The table so far; None while it has no rows."""
        made = self._read()
        return _table(made) if made.has_rows else None

    def locations(self, export: ExportType) -> dict[str, str]:
        """Where each day of an event table lies."""
        return dict(self._read().days)

    def publish_days(
        self, export: ExportType, before: Table | None, schema: Schema, time_zone: str, days: Mapping[str, str]
    ) -> None:
        """Take over new locations of days."""
        made = self._read()
        self._write(replace(_shaped(made, schema, time_zone), days={**made.days, **days}))
        self._remove([made.days[day] for day in days if day in made.days])

    def publish_entity(
        self, export: ExportType, before: Table | None, schema: Schema, time_zone: str, location: str
    ) -> None:
        """Take over a new state of an entity table."""
        made = self._read()
        self._write(replace(_shaped(made, schema, time_zone), location=location))
        self._remove([made.location] if made.location else [])

    def switch(self, export: ExportType, catalog: Catalog) -> bool:
        """Make the catalog's table this one; false when the draft has no rows. Again goes on where it was broken off.

        Raises:
            CatalogRefused: Glue did not take a change.
        """
        made = self._read()
        if not made.has_rows:
            return False
        table = replace(_table(made), switching_to=self._key)
        if export.is_event:
            catalog.replace_days(export, table, made.days)
        else:
            catalog.replace_entity(export, table)
        self._store.delete([self._key])
        return True

    def _read(self) -> _Document:
        body = self._store.read(self._key)
        if body is None:
            raise LostDraft(f"The draft {self._key} is gone, so the rebuild has to start anew.")
        found = json.loads(body)
        columns = tuple(Column(one["source"], one["name"], Kind(one["kind"])) for one in found.pop("columns"))
        found |= {name: tuple(found[name]) for name in ("identity", "left_out")}
        return _Document(columns=columns, **found)

    def _write(self, made: _Document) -> None:
        self._store.write(self._key, json.dumps(asdict(made), indent=1).encode(), "application/json")

    def _remove(self, locations: list[str]) -> None:
        """Remove files that no reader has ever seen."""
        gone = [item.key for place in locations for item in self._store.objects(self._store.prefix(place))]
        if gone:
            self._store.delete(gone)


def finish_switch(export: ExportType, store: Store, catalog: Catalog) -> None:
    """Bring a switch to its end that a run was killed in.

    Raises:
        LostDraft: what the table was being replaced by is gone.
    """
    table = catalog.table(export)
    if table is not None and table.switching_to is not None:
        folder = table.switching_to.removeprefix(keys.drafts_prefix(export)).removesuffix(".json")
        Draft(store, export, folder).switch(export, catalog)


def _table(made: _Document) -> Table:
    schema = frozen(made.columns, made.identity, is_key=made.identity_is_key)
    return Table(schema, made.time_zone, made.location, made.left_out)


def _shaped(made: _Document, schema: Schema, time_zone: str) -> _Document:
    return replace(
        made,
        columns=schema.stored,
        identity=schema.identity,
        identity_is_key=schema.identity_is_key,
        time_zone=time_zone,
    )
