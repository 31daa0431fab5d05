"""The Glue catalog: tables, their frozen facts, and which files readers see.

Tables are made and changed here alone. A table's facts stand in its parameters, a column's source in the column's.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lambdas.lake import keys
from lambdas.lake.schema import (
    ATHENA_TYPES,
    BATCH_ID,
    DAY,
    EVENT_AT,
    ORDERED_AT,
    RESCUED,
    ROW_ID,
    Column,
    Kind,
    Schema,
)
from lambdas.symplify.vocabulary import ExportType

if TYPE_CHECKING:
    from types_boto3_glue import GlueClient
    from types_boto3_glue.type_defs import (
        BatchUpdatePartitionRequestEntryTypeDef,
        ColumnTypeDef,
        PartitionInputTypeDef,
        StorageDescriptorTypeDef,
        TableInputTypeDef,
    )

SCHEMA_VERSION = "1"

_OWN_COLUMNS = {
    EVENT_AT: ("timestamp", "When the event happened (UTC); null in dt='unknown'"),
    BATCH_ID: ("string", "The batch that the row was last seen in"),
    ORDERED_AT: ("timestamp", "When that batch was ordered (UTC)"),
    ROW_ID: ("string", "Hash of the row's identity"),
    RESCUED: ("string", "JSON of the values that fit no column"),
}
# BatchCreatePartition and BatchUpdatePartition take at most 100.
_PARTITIONS_AT_ONCE = 100


class CatalogRefused(Exception):
    """Glue did not take a partition; a retry of the step reads the catalog anew."""


@dataclass(frozen=True)
class Table:
    """A table as the catalog has it."""

    schema: Schema
    time_zone: str
    location: str
    definition: Mapping[str, Any]


class Catalog:
    """The tables of one database over one bucket."""

    def __init__(self, glue: "GlueClient", database: str, bucket: str) -> None:
        self._glue = glue
        self._database = database
        self._bucket = bucket

    def table(self, export: ExportType) -> Table | None:
        """Read a table; None when nothing was loaded yet."""
        definition = self._definition(export.table)
        if definition is None:
            return None
        facts = definition["Parameters"]
        columns = tuple(
            Column(column["Parameters"]["source"], column["Name"], Kind(column["Parameters"]["kind"]))
            for column in definition["StorageDescriptor"]["Columns"]
            if "source" in column.get("Parameters", {})
        )
        schema = Schema(
            columns=columns,
            frozen=frozenset(column.source for column in columns),
            identity=tuple(json.loads(facts["identity"])),
            identity_is_key=facts["identity_is_key"] == "true",
            identity_frozen=True,
        )
        return Table(schema, facts["time_zone"], definition["StorageDescriptor"]["Location"], definition)

    def locations(self, export: ExportType) -> dict[str, str]:
        """Where each published day of an event table lies."""
        found: dict[str, str] = {}
        pages = self._glue.get_paginator("get_partitions").paginate(
            DatabaseName=self._database, TableName=export.table, ExcludeColumnSchema=True
        )
        try:
            for page in pages:
                for partition in page["Partitions"]:
                    found[partition["Values"][0]] = partition["StorageDescriptor"]["Location"]
        except self._glue.exceptions.EntityNotFoundException:
            return {}
        return found

    def publish_days(
        self, export: ExportType, before: Table | None, schema: Schema, time_zone: str, days: Mapping[str, str]
    ) -> None:
        """Make new locations of days visible, after the columns that they need.

        Raises:
            CatalogRefused: Glue did not take them all.
        """
        location = f"s3://{self._bucket}/{keys.table_prefix(export.table)}"
        self._write_table(export, before, schema, time_zone, location)
        known = self.locations(export)
        partitions: dict[str, PartitionInputTypeDef] = {
            day: {"Values": [day], "StorageDescriptor": _storage(schema, export, where)} for day, where in days.items()
        }
        fresh = [partition for day, partition in partitions.items() if day not in known]
        moved = [partition for day, partition in partitions.items() if day in known]
        for some in _chunks(fresh):
            answer = self._glue.batch_create_partition(
                DatabaseName=self._database, TableName=export.table, PartitionInputList=some
            )
            _check(answer.get("Errors", []))
        for some in _chunks(moved):
            entries: list[BatchUpdatePartitionRequestEntryTypeDef] = [
                {"PartitionValueList": item["Values"], "PartitionInput": item} for item in some
            ]
            changed = self._glue.batch_update_partition(
                DatabaseName=self._database, TableName=export.table, Entries=entries
            )
            _check(changed.get("Errors", []))

    def publish_entity(
        self, export: ExportType, before: Table | None, schema: Schema, time_zone: str, location: str
    ) -> None:
        """Make a new state of an entity table visible."""
        self._write_table(export, before, schema, time_zone, location)

    def ensure_json_table(self, table: str, description: str, columns: Mapping[str, str], prefix: str) -> None:
        """Make a table over newline-delimited JSON, or add the columns that it lacks."""
        location = f"s3://{self._bucket}/{prefix}"
        wanted: list[ColumnTypeDef] = [{"Name": name, "Type": kind} for name, kind in columns.items()]
        before = self._definition(table)
        if before is None:
            table_input: TableInputTypeDef = {
                "Name": table,
                "Description": description,
                "TableType": "EXTERNAL_TABLE",
                "Parameters": {"classification": "json", "schema_version": SCHEMA_VERSION},
                "StorageDescriptor": {
                    "Columns": wanted,
                    "Location": location,
                    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
                    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                    "SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"},
                },
            }
            try:
                self._glue.create_table(DatabaseName=self._database, TableInput=table_input)
            except self._glue.exceptions.AlreadyExistsException:
                # Ten first runs end at about the same time.
                return
            return
        present = {column["Name"] for column in before["StorageDescriptor"]["Columns"]}
        self._extend(before, [column for column in wanted if column["Name"] not in present], location)

    def _write_table(
        self, export: ExportType, before: Table | None, schema: Schema, time_zone: str, location: str
    ) -> None:
        if before is None:
            self._glue.create_table(
                DatabaseName=self._database, TableInput=_table_input(export, schema, time_zone, location)
            )
            return
        present = {column.name for column in before.schema.stored}
        added = [_column(column) for column in schema.stored if column.name not in present]
        self._extend(before.definition, added, location)

    def _extend(self, before: Mapping[str, Any], added: list["ColumnTypeDef"], location: str) -> None:
        """Add columns at the end, and move the location; a table that changed meanwhile is refused by its version."""
        storage = dict(before["StorageDescriptor"])
        if not added and storage["Location"] == location:
            return
        # What somebody else set on the table (a comment, a parameter) stays.
        kept = {"Name", "Description", "Owner", "Retention", "PartitionKeys", "TableType", "Parameters"}
        table_input: Any = {name: value for name, value in before.items() if name in kept and value != ""}
        table_input["StorageDescriptor"] = storage | {"Columns": storage["Columns"] + added, "Location": location}
        version = {"VersionId": before["VersionId"]} if before.get("VersionId") else {}
        self._glue.update_table(DatabaseName=self._database, TableInput=table_input, **version)

    def _definition(self, table: str) -> Mapping[str, Any] | None:
        try:
            return self._glue.get_table(DatabaseName=self._database, Name=table)["Table"]
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "EntityNotFoundException":
                return None
            raise


def _table_input(export: ExportType, schema: Schema, time_zone: str, location: str) -> "TableInputTypeDef":
    kind = "events, one partition a day" if export.is_event else "latest state of each"
    return {
        "Name": export.table,
        "Description": f"Symplify {export.name}: {kind}",
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": DAY, "Type": "string", "Comment": f"The event's day in {time_zone}"}]
        if export.is_event
        else [],
        "Parameters": {
            "classification": "parquet",
            "identity": json.dumps(schema.identity),
            "identity_is_key": "true" if schema.identity_is_key else "false",
            "time_zone": time_zone,
            "schema_version": SCHEMA_VERSION,
        },
        "StorageDescriptor": _storage(schema, export, location),
    }


def _storage(schema: Schema, export: ExportType, location: str) -> "StorageDescriptorTypeDef":
    own = [name for name in _OWN_COLUMNS if export.is_event or name != EVENT_AT]
    return {
        "Columns": [*map(_column, schema.stored), *map(_own_column, own)],
        "Location": location,
        "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
    }


def _column(column: Column) -> "ColumnTypeDef":
    return {
        "Name": column.name,
        "Type": ATHENA_TYPES[column.kind],
        "Parameters": {"source": column.source, "kind": column.kind.value},
    }


def _own_column(name: str) -> "ColumnTypeDef":
    kind, comment = _OWN_COLUMNS[name]
    return {"Name": name, "Type": kind, "Comment": comment}


def _chunks(items: Sequence["PartitionInputTypeDef"]) -> Iterator[list["PartitionInputTypeDef"]]:
    rest = iter(items)
    while some := list(islice(rest, _PARTITIONS_AT_ONCE)):
        yield some


def _check(errors: Sequence[Mapping[str, Any]]) -> None:
    if errors:
        raise CatalogRefused(f"Glue did not take the partitions: {errors[0]}")
