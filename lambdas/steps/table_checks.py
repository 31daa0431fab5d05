"""What is frozen with a table, checked against the batch and the settings before anything is merged."""

from collections.abc import Sequence

from lambdas.lake.errors import Unloadable
from lambdas.lake.schema import Kind, Schema
from lambdas.lake.tables.glue_tables import SCHEMA_VERSION, Table
from lambdas.settings import Settings
from lambdas.vocabulary import ExportType


def check_not_left_out(table: Table | None, batch_id: str) -> None:
    """Refuse a batch that a rebuild has excluded from the table.

    Raises:
        Unloadable: it was excluded.
    """
    if table is not None and batch_id in table.left_out:
        raise Unloadable(f"The table was rebuilt without batch {batch_id}, so it is not loaded again.")


def initial_schema(table: Table | None, export: ExportType, settings: Settings) -> Schema:
    """Return the schema that an export extends: the table's, or that of a new table.

    Raises:
        Unloadable: the table is of an earlier version, or contradicts the settings.
    """
    chosen = settings.identity_fields.get(export.name, ())
    if table is None:
        return Schema(identity=chosen, identity_frozen=bool(chosen))
    _check_version(table, export)
    _check_time_zone(table, settings)
    _check_identity(table, chosen)
    return table.schema


def check_identity_fields(schema: Schema, export: ExportType, settings: Settings) -> None:
    """Check that the fields that the settings choose for a new table exist: a typo would make all records one.

    Raises:
        Unloadable: no record has one of them.
    """
    present = {column.source for column in schema.columns if column.kind is not Kind.NULL}
    missing = [name for name in settings.identity_fields.get(export.name, ()) if name not in present]
    if missing:
        raise Unloadable(
            f"No record of this export has {', '.join(missing)}, which the setting identityFields names for "
            f"{export.name}. Its fields are {', '.join(sorted(present))[:300]}."
        )


def _check_version(table: Table, export: ExportType) -> None:
    # A newer table was refused when it was read.
    if table.schema_version < SCHEMA_VERSION:
        raise Unloadable(
            f"The table {export.table} was made by an earlier version of this stack (schema version "
            f"{table.schema_version}; this one writes {SCHEMA_VERSION}), which identified rows differently: they would "
            "count twice. Rebuild it from raw/ with replay --rebuild; until then it stays as it is."
        )


def _check_time_zone(table: Table, settings: Settings) -> None:
    if table.time_zone != settings.time_zone:
        raise Unloadable(
            f"The table's days are those of {table.time_zone}, and the setting timeZone now says {settings.time_zone}: "
            "every row would move. Set it back, or rebuild the table with replay --rebuild."
        )


def _check_identity(table: Table, chosen: Sequence[str]) -> None:
    if chosen and sorted(chosen) != sorted(table.schema.identity):
        raise Unloadable(
            f"The table identifies its rows by {', '.join(table.schema.identity)}, and the setting identityFields now "
            f"says {', '.join(chosen)}: rows would count twice. Set it back, or rebuild the table with replay "
            "--rebuild."
        )
