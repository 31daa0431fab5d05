"""In-process fake of the Glue Data Catalog: the operations that the lake and its tests use."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.unit.aws.failure import AwsFailure

# Glue chooses the page size; a small one makes callers paginate.
_PAGE = 20
_BATCH_LIMIT = 100


@dataclass
class _Table:
    definition: dict[str, Any]
    partitions: dict[tuple[str, ...], dict[str, Any]] = field(default_factory=dict)


class Glue:
    """Databases, tables with a version, and partitions."""

    def __init__(self) -> None:
        self._databases: dict[str, dict[str, _Table]] = {}

    def CreateDatabase(self, *, DatabaseInput: Mapping[str, Any], **_: Any) -> None:
        if DatabaseInput["Name"] in self._databases:
            raise AwsFailure("AlreadyExistsException", "Database already exists.")
        self._databases[DatabaseInput["Name"]] = {}

    def CreateTable(self, *, DatabaseName: str, TableInput: Mapping[str, Any], **_: Any) -> None:
        tables = self._tables(DatabaseName)
        if TableInput["Name"] in tables:
            raise AwsFailure("AlreadyExistsException", "Table already exists.")
        tables[TableInput["Name"]] = _Table(self._defined(DatabaseName, TableInput, "0", datetime.now(UTC)))

    def GetTable(self, *, DatabaseName: str, Name: str, **_: Any) -> dict[str, Any]:
        return {"Table": deepcopy(self._table(DatabaseName, Name).definition)}

    def GetTables(self, *, DatabaseName: str, **_: Any) -> dict[str, Any]:
        return {"TableList": [deepcopy(table.definition) for table in self._tables(DatabaseName).values()]}

    def UpdateTable(
        self, *, DatabaseName: str, TableInput: Mapping[str, Any], VersionId: str | None = None, **_: Any
    ) -> None:
        table = self._table(DatabaseName, TableInput["Name"])
        version = table.definition["VersionId"]
        if VersionId is not None and VersionId != version:
            raise AwsFailure("ConcurrentModificationException", f"The table's version is {version} by now.")
        made = table.definition["CreateTime"]
        table.definition = self._defined(DatabaseName, TableInput, str(int(version) + 1), made)

    def DeleteTable(self, *, DatabaseName: str, Name: str, **_: Any) -> None:
        self._table(DatabaseName, Name)
        del self._tables(DatabaseName)[Name]

    def GetPartition(self, *, DatabaseName: str, TableName: str, PartitionValues: list[str], **_: Any) -> Any:
        partitions = self._table(DatabaseName, TableName).partitions
        return {"Partition": deepcopy(_found(partitions, tuple(PartitionValues)))}

    def GetPartitions(
        self,
        *,
        DatabaseName: str,
        TableName: str,
        ExcludeColumnSchema: bool = False,
        NextToken: str = "0",
        MaxResults: int = _PAGE,
        **_: Any,
    ) -> dict[str, Any]:
        partitions, start = list(self._table(DatabaseName, TableName).partitions.values()), int(NextToken)
        end = start + min(MaxResults, _PAGE)
        page = deepcopy(partitions[start:end])
        if ExcludeColumnSchema:
            for partition in page:
                partition.get("StorageDescriptor", {}).pop("Columns", None)
        return {"Partitions": page, **({"NextToken": str(end)} if end < len(partitions) else {})}

    def BatchCreatePartition(
        self, *, DatabaseName: str, TableName: str, PartitionInputList: Sequence[Mapping[str, Any]], **_: Any
    ) -> dict[str, Any]:
        table = self._table(DatabaseName, TableName)
        _check_size(PartitionInputList)
        errors = []
        for given in PartitionInputList:
            values = self._values(table, given["Values"])
            if values in table.partitions:
                errors.append(_error(values, "AlreadyExistsException", "Partition already exists."))
            else:
                table.partitions[values] = _partition(DatabaseName, TableName, given)
        return {"Errors": errors} if errors else {}

    def BatchUpdatePartition(
        self, *, DatabaseName: str, TableName: str, Entries: Sequence[Mapping[str, Any]], **_: Any
    ) -> dict[str, Any]:
        table = self._table(DatabaseName, TableName)
        _check_size(Entries)
        errors = []
        for entry in Entries:
            before = tuple(entry["PartitionValueList"])
            if before in table.partitions:
                values = self._values(table, entry["PartitionInput"]["Values"])
                del table.partitions[before]
                table.partitions[values] = _partition(DatabaseName, TableName, entry["PartitionInput"])
            else:
                found = _error(before, "EntityNotFoundException", "Partition not found.")
                errors.append({"PartitionValueList": found.pop("PartitionValues"), **found})
        return {"Errors": errors} if errors else {}

    def DeletePartition(self, *, DatabaseName: str, TableName: str, PartitionValues: list[str], **_: Any) -> None:
        partitions = self._table(DatabaseName, TableName).partitions
        _found(partitions, tuple(PartitionValues))
        del partitions[tuple(PartitionValues)]

    def _tables(self, database: str) -> dict[str, _Table]:
        if database not in self._databases:
            raise AwsFailure("EntityNotFoundException", f"Database {database} not found.")
        return self._databases[database]

    def _table(self, database: str, name: str) -> _Table:
        tables = self._tables(database)
        if name not in tables:
            raise AwsFailure("EntityNotFoundException", f"Table {name} not found.")
        return tables[name]

    @staticmethod
    def _defined(database: str, given: Mapping[str, Any], version: str, made: datetime) -> dict[str, Any]:
        return {
            **deepcopy(dict(given)),
            "DatabaseName": database,
            "CreateTime": made,
            "UpdateTime": datetime.now(UTC),
            "CreatedBy": "arn:aws:iam::123456789012:root",
            "IsRegisteredWithLakeFormation": False,
            "CatalogId": "123456789012",
            "VersionId": version,
        }

    @staticmethod
    def _values(table: _Table, given: Sequence[str]) -> tuple[str, ...]:
        if len(given) != len(table.definition.get("PartitionKeys", [])):
            raise AwsFailure("InvalidInputException", "The number of partition keys do not match the partition values.")
        return tuple(given)


def _partition(database: str, table: str, given: Mapping[str, Any]) -> dict[str, Any]:
    made = {"DatabaseName": database, "TableName": table, "CreationTime": datetime.now(UTC)}
    return {**deepcopy(dict(given)), **made, "CatalogId": "123456789012"}


def _found(partitions: Mapping[tuple[str, ...], dict[str, Any]], values: tuple[str, ...]) -> dict[str, Any]:
    if values not in partitions:
        raise AwsFailure("EntityNotFoundException", "Cannot find partition.")
    return partitions[values]


def _check_size(some: Sequence[Any]) -> None:
    if len(some) > _BATCH_LIMIT:
        raise AwsFailure("ValidationException", f"Member must have length less than or equal to {_BATCH_LIMIT}.")


def _error(values: tuple[str, ...], code: str, message: str) -> dict[str, Any]:
    return {"PartitionValues": list(values), "ErrorDetail": {"ErrorCode": code, "ErrorMessage": message}}
