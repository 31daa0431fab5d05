"""Views as Athena keeps them in Glue: the document that its engine, Trino, stores for a view.

Trino's class `ConnectorViewDefinition` has the members; AWS's documentation of views in Glue has the form around it.
"""

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lambdas.lake.views.view import BIGINT, BOOLEAN, DOUBLE, TIMESTAMP, VARCHAR, View

if TYPE_CHECKING:
    from types_boto3_glue.type_defs import TableInputTypeDef

_HIVE_TYPES = {VARCHAR: "string", BIGINT: "bigint", DOUBLE: "double", BOOLEAN: "boolean", TIMESTAMP: "timestamp"}
_MADE_BY = ("made_by", "close_run")


def view_document(view: View, database: str) -> str:
    """The text that Glue keeps of a view: JSON in base64 in a comment."""
    columns = [{"name": column.name, "type": column.type} for column in view.columns]
    document = {"originalSql": view.sql, "catalog": "awsdatacatalog", "schema": database, "columns": columns}
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return f"/* Presto View: {base64.b64encode(text.encode()).decode()} */"


def view_input(view: View, database: str) -> "TableInputTypeDef":
    """The definition of a view in Glue."""
    return {
        "Name": view.name,
        "Description": view.description,
        "TableType": "VIRTUAL_VIEW",
        "PartitionKeys": [],
        "Parameters": {"presto_view": "true", "comment": "Presto View", _MADE_BY[0]: _MADE_BY[1]},
        "StorageDescriptor": {
            "Columns": [
                {"Name": column.name, "Type": _HIVE_TYPES[column.type], "Comment": column.comment}
                for column in view.columns
            ],
            "Location": "",
            # Athena fails where there is none.
            "SerdeInfo": {"Name": "-", "SerializationLibrary": "-"},
        },
        "ViewOriginalText": view_document(view, database),
        "ViewExpandedText": "/* Presto View */",
    }


def is_ours(definition: Mapping[str, Any]) -> bool:
    """Whether a definition in Glue is of a view that was written here, and not by somebody else."""
    parameters: Mapping[str, str] = definition.get("Parameters", {})
    return parameters.get(_MADE_BY[0]) == _MADE_BY[1]


def differs(definition: Mapping[str, Any], wanted: "TableInputTypeDef") -> bool:
    """Whether a view has to be written again."""
    return any(definition.get(name) != wanted.get(name) for name in ("ViewOriginalText", "Description")) or _comments(
        definition["StorageDescriptor"]
    ) != _comments(wanted["StorageDescriptor"])


def _comments(storage: Mapping[str, Any]) -> dict[str, str | None]:
    return {column["Name"]: column.get("Comment") for column in storage.get("Columns", [])}
