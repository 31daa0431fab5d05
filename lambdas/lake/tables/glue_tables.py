"""Glue definitions of tables: frozen facts as the table's parameters, a column's source as the column's."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lambdas.lake.column_types import ATHENA_TYPES, DAY, EVENT_AT, Column, Kind, Schema
from lambdas.lake.profile import audit, profile
from lambdas.lake.profile.audit import History
from lambdas.lake.profile.profile import Profile
from lambdas.lake.tables.comments import DAY_COMMENT, OWN_COLUMNS, commented, comments_of
from lambdas.schema_version import check_version
from lambdas.vocabulary import ExportType

if TYPE_CHECKING:
    from types_boto3_glue.type_defs import (
        ColumnOutputTypeDef,
        ColumnTypeDef,
        StorageDescriptorTypeDef,
        TableInputTypeDef,
    )

# 4: the profile decides the identity, whose values stand in columns of text; 3 had an identity by the vendor's names,
# 2 repeated a key in _row_id, and 1 had a hash of it there.
# A shadow table becomes a table: raise the version of `shadow_table.py` too.
SCHEMA_VERSION = 4
"""Of merged tables."""

_PROFILE, _HISTORY, _LEFT_OUT, _SWITCHING, _SWITCHED_AT = (
    "profile",
    "history",
    "left_out",
    "switching_to",
    "switched_at",
)
# What versions before 4 wrote in place of a profile.
_FORMER = ("identity", "identity_is_key")
# Preserved by updates, so that what somebody else set on a table (a comment, a parameter) stays.
_KEPT = ("Name", "Description", "Owner", "Retention", "PartitionKeys", "TableType", "Parameters")


@dataclass(frozen=True)
class Table:
    """A table as the catalog (or a shadow table's document) describes it."""

    schema: Schema
    profile: Profile
    time_zone: str
    location: str
    history: History = field(default_factory=History)
    """What earlier audits found."""
    left_out: tuple[str, ...] = ()
    """Batches that a rebuild excluded, or that were refused for having rows too often."""
    switching_to: str | None = None
    """The key of the shadow table that is replacing this one: some days may still be the old ones."""
    switched_at: datetime | None = None
    """When a rebuild replaced the table: the superseded files had readers until then."""
    schema_version: int = SCHEMA_VERSION
    """Of the code that created or rebuilt the table."""
    definition: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Glue's own definition of the table, with its version."""


def read_table(definition: Mapping[str, Any]) -> Table:
    """Read a table from Glue's definition.

    Raises:
        WrittenByNewer: a newer version of this stack wrote it.
    """
    stored = definition["Parameters"]
    version = check_version(stored["schema_version"], SCHEMA_VERSION, f"The table {definition['Name']}")
    columns = tuple(
        Column(column["Parameters"]["source"], column["Name"], Kind(column["Parameters"]["kind"]))
        for column in definition["StorageDescriptor"]["Columns"]
        if "source" in column.get("Parameters", {})
    )
    return Table(
        schema=frozen(columns),
        # Earlier versions have none, and need a rebuild.
        profile=profile.from_json(json.loads(stored[_PROFILE]), definition["Name"])
        if _PROFILE in stored
        else Profile(),
        time_zone=stored["time_zone"],
        location=definition["StorageDescriptor"]["Location"],
        history=audit.from_json(json.loads(stored[_HISTORY])) if _HISTORY in stored else History(),
        left_out=tuple(json.loads(stored.get(_LEFT_OUT) or "[]")),
        switching_to=stored.get(_SWITCHING) or None,
        switched_at=datetime.fromisoformat(stored[_SWITCHED_AT]) if stored.get(_SWITCHED_AT) else None,
        schema_version=version,
        definition=definition,
    )


def frozen(columns: tuple[Column, ...]) -> Schema:
    """The schema of an existing table."""
    return Schema(columns, frozenset(column.source for column in columns))


def new_table(export: ExportType, table: Table) -> "TableInputTypeDef":
    """The definition of a new table."""
    kind = "events, one partition a day" if table.profile.has_days else "latest state of each"
    stored = storage(table, table.location)
    return {
        "Name": export.table,
        "Description": f"Symplify {export.name}: {kind}",
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": DAY, "Type": "string", "Comment": DAY_COMMENT}] if table.profile.has_days else [],
        "Parameters": {name: value for name, value in facts(table).items() if value},
        "StorageDescriptor": {
            **stored,
            "Columns": commented(stored.get("Columns", []), comments(export, table)),
        },
    }


def comments(export: ExportType, table: Table) -> dict[str, str]:
    """The comments of a table's columns, by name."""
    return comments_of(export, table.schema.stored, table.profile, table.time_zone)


def changed(
    before: Mapping[str, Any], storage_changes: Mapping[str, Any], parameters: Mapping[str, str] | None = None
) -> Any:
    """The definition of a table with changes to its storage and its parameters; one without text is removed."""
    # The catalog returns an empty text for what was never set.
    after: dict[str, Any] = {name: before[name] for name in _KEPT if before.get(name, "") != ""}
    after["StorageDescriptor"] = {**before["StorageDescriptor"], **storage_changes}
    if parameters:
        merged = {**after.get("Parameters", {}), **parameters}
        after["Parameters"] = {name: value for name, value in merged.items() if value or name not in parameters}
    return after


def replaced(export: ExportType, before: Mapping[str, Any], table: Table) -> Any:
    """The definition of a table that a rebuild replaces, with the new facts and columns.

    During the switch, dropped columns stay for the days that are still the old ones.
    """
    made = storage(table, table.location)
    old = {column["Name"]: column for column in before["StorageDescriptor"]["Columns"]}
    columns = [_keeping_comment(old.get(column["Name"], {}), column) for column in made.get("Columns", [])]
    if table.switching_to is not None:
        present = {column["Name"] for column in columns}
        columns += [column for name, column in old.items() if name not in present]
    return changed(before, {**made, "Columns": commented(columns, comments(export, table))}, facts(table))


def _keeping_comment(
    old: Mapping[str, Any], column: "ColumnTypeDef | ColumnOutputTypeDef"
) -> "ColumnTypeDef | ColumnOutputTypeDef":
    """The column with the comment that it has had, which may be somebody else's."""
    if not old.get("Comment"):
        return column
    parameters = {**old.get("Parameters", {}), **column.get("Parameters", {})}
    return {**column, "Comment": old["Comment"], "Parameters": parameters}


def storage(table: Table, location: str) -> "StorageDescriptorTypeDef":
    """Columns and location of a table, or of one of its days; readers take comments from the table alone."""
    own = [name for name in OWN_COLUMNS if table.profile.has_days or name != EVENT_AT]
    return {
        "Columns": [*map(glue_column, table.schema.stored), *map(_own_column, own)],
        "Location": location,
        "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
    }


def glue_column(column: Column) -> "ColumnTypeDef":
    """The definition of a column from the source."""
    return {
        "Name": column.name,
        "Type": ATHENA_TYPES[column.kind],
        "Parameters": {"source": column.source, "kind": column.kind.value},
    }


def facts(table: Table) -> dict[str, str]:
    """The table's parameters; an empty text removes one."""
    return {
        "classification": "parquet",
        _HISTORY: json.dumps(audit.to_json(table.history)),
        _PROFILE: json.dumps(profile.to_json(table.profile), ensure_ascii=False),
        **dict.fromkeys(_FORMER, ""),
        "time_zone": table.time_zone,
        "schema_version": str(SCHEMA_VERSION),
        _LEFT_OUT: json.dumps(table.left_out) if table.left_out else "",
        _SWITCHING: table.switching_to or "",
        _SWITCHED_AT: table.switched_at.isoformat() if table.switched_at else "",
    }


def audited(table: Table) -> dict[str, str]:
    """The parameters that an audit may change."""
    return {name: value for name, value in facts(table).items() if name in (_PROFILE, _HISTORY, _LEFT_OUT)}


def _own_column(name: str) -> "ColumnTypeDef":
    return {"Name": name, "Type": OWN_COLUMNS[name][0]}
