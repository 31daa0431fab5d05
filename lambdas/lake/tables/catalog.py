"""The Glue catalog: the tables, their columns, and the files that readers see.

Tables are created and changed only here. A change that Glue refuses is an exception; a retry of the step reads the
catalog again, so a version that has moved, or a partition that exists already, is no problem then.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lambdas.aws_errors import has_code
from lambdas.lake.storage import keys
from lambdas.lake.tables import glue_tables
from lambdas.lake.tables.comments import commented
from lambdas.lake.tables.glue_tables import Table, changed, glue_column, storage
from lambdas.vocabulary import ExportType

if TYPE_CHECKING:
    from types_boto3_glue import GlueClient
    from types_boto3_glue.type_defs import (
        BatchUpdatePartitionRequestEntryTypeDef,
        ColumnTypeDef,
        PartitionInputTypeDef,
        TableInputTypeDef,
    )

# BatchCreatePartition and BatchUpdatePartition take at most 100.
_PARTITIONS_AT_ONCE = 100


class CatalogRefused(Exception):
    """Glue refused a partition; a retry of the step reads the catalog again."""


class Catalog:
    """The tables of one database over one bucket."""

    def __init__(self, glue: "GlueClient", database: str, bucket: str) -> None:
        self._glue = glue
        self._database = database
        self._bucket = bucket

    def table(self, export: ExportType) -> Table | None:
        """Read a table; None before the first load.

        Raises:
            WrittenByNewer: a newer version of this stack wrote it.
        """
        definition = self._definition(export.table)
        return None if definition is None else glue_tables.read_table(definition)

    def locations(self, export: ExportType) -> dict[str, str]:
        """The location of each published day of an event table."""
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

    def kept_profile(self, _export: ExportType) -> None:
        """A table that is not there has no profile."""

    def publish_days(self, export: ExportType, before: Table | None, made: Table, days: Mapping[str, str]) -> None:
        """Publish new locations of days, after the columns that they need. `before` is the table as it was read.

        Raises:
            CatalogRefused: Glue refused one.
        """
        self._write_table(export, before, replace(made, location=self._root(export)))
        self._write_days(export, made, days, self.locations(export))

    def publish_entity(self, export: ExportType, before: Table | None, made: Table) -> None:
        """Publish a new state of an entity table at its location. `before` is the table as it was read."""
        self._write_table(export, before, made)

    def annotate(self, _export: ExportType, table: Table) -> None:
        """Write what an audit has found among the parameters of a table; its rows stay as they are."""
        self._extend(table.definition, [], table.location, parameters=glue_tables.audited(table))

    def replace_days(self, export: ExportType, made: Table, days: Mapping[str, str]) -> None:
        """Replace an event table by a rebuilt one; idempotent, so that an interrupted switch resumes.

        Each day is switched atomically, the table is not: it has `made.switching_to` until all days are switched.

        Raises:
            CatalogRefused: Glue refused a day.
        """
        made = replace(made, location=self._root(export))
        self._rewrite_table(export, made)
        known = self.locations(export)
        self._write_days(export, made, {day: days[day] for day in days if known.get(day) != days[day]}, known)
        for day in sorted(set(known) - set(days)):
            self._glue.delete_partition(DatabaseName=self._database, TableName=export.table, PartitionValues=[day])
        self._rewrite_table(export, replace(made, switching_to=None, switched_at=datetime.now(UTC)))

    def replace_entity(self, export: ExportType, made: Table) -> None:
        """Replace an entity table by a rebuilt one, in one update."""
        self._rewrite_table(export, replace(made, switching_to=None, switched_at=datetime.now(UTC)))

    def ensure_json_table(
        self, table: str, *, description: str, columns: Mapping[str, tuple[str, str]], prefix: str, schema_version: int
    ) -> None:
        """Create a table over newline-delimited JSON, or add what columns and comments it lacks.

        `columns` have a type and a comment each.
        """
        location = f"s3://{self._bucket}/{prefix}"
        comments = {name: comment for name, (_, comment) in columns.items()}
        wanted: list[ColumnTypeDef] = [{"Name": name, "Type": kind} for name, (kind, _) in columns.items()]
        before = self._definition(table)
        if before is None:
            table_input: TableInputTypeDef = {
                "Name": table,
                "Description": description,
                "TableType": "EXTERNAL_TABLE",
                "Parameters": {"classification": "json", "schema_version": str(schema_version)},
                "StorageDescriptor": {
                    "Columns": commented(wanted, comments),
                    "Location": location,
                    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
                    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                    "SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"},
                },
            }
            try:
                self._glue.create_table(DatabaseName=self._database, TableInput=table_input)
            except self._glue.exceptions.AlreadyExistsException:
                # Created by another first run at the same time.
                return
            return
        present = {column["Name"] for column in before["StorageDescriptor"]["Columns"]}
        added = [column for column in wanted if column["Name"] not in present]
        self._extend(before, added, location, comments=comments)

    def _root(self, export: ExportType) -> str:
        return f"s3://{self._bucket}/{keys.table_prefix(export.table)}"

    def _write_table(self, export: ExportType, before: Table | None, made: Table) -> None:
        if before is None:
            self._glue.create_table(DatabaseName=self._database, TableInput=glue_tables.new_table(export, made))
            return
        present = {column.name for column in before.schema.stored}
        added = [glue_column(column) for column in made.schema.stored if column.name not in present]
        self._extend(
            before.definition,
            added,
            made.location,
            parameters=glue_tables.audited(made),
            comments=glue_tables.comments(export, made),
        )

    def _extend(
        self,
        before: Mapping[str, Any],
        added: list["ColumnTypeDef"],
        location: str,
        *,
        parameters: Mapping[str, str] | None = None,
        comments: Mapping[str, str] | None = None,
    ) -> None:
        """Append columns, and set location, parameters and comments; a table that has all of it stays as it is."""
        present = before["StorageDescriptor"]["Columns"]
        columns = commented([*present, *added], comments or {})
        stored = before.get("Parameters", {})
        is_described = all(stored.get(name, "") == value for name, value in (parameters or {}).items())
        if columns != present or before["StorageDescriptor"]["Location"] != location or not is_described:
            self._update(before, changed(before, {"Columns": columns, "Location": location}, parameters))

    def _rewrite_table(self, export: ExportType, made: Table) -> None:
        before = self._definition(export.table)
        if before is not None and bool(before.get("PartitionKeys")) != made.profile.has_days:
            # Partition keys cannot change. Its files stay for the queries that read them now.
            self._glue.delete_table(DatabaseName=self._database, Name=export.table)
            before = None
        if before is None:
            self._glue.create_table(DatabaseName=self._database, TableInput=glue_tables.new_table(export, made))
        else:
            self._update(before, glue_tables.replaced(export, before, made))

    def _update(self, before: Mapping[str, Any], table_input: Any) -> None:
        """Update a table; Glue refuses it by the version if somebody else has changed it since it was read."""
        version = {"VersionId": before["VersionId"]} if before.get("VersionId") else {}
        self._glue.update_table(DatabaseName=self._database, TableInput=table_input, **version)

    def _write_days(self, export: ExportType, made: Table, days: Mapping[str, str], known: Mapping[str, str]) -> None:
        partitions: dict[str, PartitionInputTypeDef] = {
            day: {"Values": [day], "StorageDescriptor": storage(made, where)} for day, where in days.items()
        }
        for some in _chunks([partition for day, partition in partitions.items() if day not in known]):
            answer = self._glue.batch_create_partition(
                DatabaseName=self._database, TableName=export.table, PartitionInputList=some
            )
            _check(answer.get("Errors", []))
        for some in _chunks([partition for day, partition in partitions.items() if day in known]):
            entries: list[BatchUpdatePartitionRequestEntryTypeDef] = [
                {"PartitionValueList": item["Values"], "PartitionInput": item} for item in some
            ]
            moved = self._glue.batch_update_partition(
                DatabaseName=self._database, TableName=export.table, Entries=entries
            )
            _check(moved.get("Errors", []))

    def _definition(self, table: str) -> Mapping[str, Any] | None:
        try:
            return self._glue.get_table(DatabaseName=self._database, Name=table)["Table"]
        except ClientError as error:
            if has_code(error, "EntityNotFoundException"):
                return None
            raise


def _chunks(items: Sequence["PartitionInputTypeDef"]) -> Iterator[list["PartitionInputTypeDef"]]:
    rest = iter(items)
    while some := list(islice(rest, _PARTITIONS_AT_ONCE)):
        yield some


def _check(errors: Sequence[Mapping[str, Any]]) -> None:
    if errors:
        raise CatalogRefused(f"Glue did not take the partitions: {errors[0]}")
