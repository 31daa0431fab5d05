"""SQL through the Athena API, in the stack's workgroup."""

import time
from math import isfinite
from typing import Any

from local.lifecycle import Running
from local.problem import Problem
from local.views import expanded, stored_views

_PAUSE_SECONDS = 0.2
_NUMBERS = {"tinyint": int, "smallint": int, "integer": int, "int": int, "bigint": int, "double": float, "float": float}

Rows = list[dict[str, Any]]


def query(running: Running, sql: str) -> Rows:
    """Run a query and return its rows; numbers and booleans as such, everything else as text, null as None.

    The embedded Athena cannot read views, so a query that reads some is expanded.

    Raises:
        Problem: Athena refused or failed the query; the sentence has its reason.
    """
    if not sql.strip(" \t\r\n;"):
        raise Problem("The query is empty.")
    database = running.deployment.database
    sql = expanded(sql, stored_views(running.cloud.client("glue"), database))
    return ask(running.cloud.client("athena"), running.deployment.workgroup, database, sql)


def ask(athena: Any, workgroup: str, database: str, sql: str) -> Rows:
    """Run a query with any client of Athena; see `query`.

    Raises:
        Problem: Athena refused or failed the query; the sentence has its reason.
    """
    started = athena.start_query_execution(
        QueryString=sql, WorkGroup=workgroup, QueryExecutionContext={"Database": database}
    )
    execution_id = started["QueryExecutionId"]
    while True:
        status = athena.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"]["Status"]
        if status["State"] in ("FAILED", "CANCELLED"):
            raise Problem(f"Athena could not answer: {status.get('StateChangeReason', status['State'])}")
        if status["State"] == "SUCCEEDED":
            break
        time.sleep(_PAUSE_SECONDS)
    pages = list(athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution_id))
    columns = pages[0]["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    names = _distinct([column["Name"] for column in columns])
    kinds = [column["Type"] for column in columns]
    lines = [row["Data"] for page in pages for row in page["ResultSet"]["Rows"]]
    # The first row holds the columns' names.
    return [dict(zip(names, map(_value, line, kinds), strict=True)) for line in lines[1:]]


def _distinct(names: list[str]) -> list[str]:
    """The names, with a number added to repeated ones."""
    return [name if name not in names[:i] else f"{name}_{i + 1}" for i, name in enumerate(names)]


def _value(cell: dict[str, str], kind: str) -> Any:
    text = cell.get("VarCharValue")
    if text is None:
        return None
    if kind == "boolean":
        return text == "true"
    value = _NUMBERS.get(kind, str)(text)
    # JSON has no NaN and no infinity.
    return None if isinstance(value, float) and not isfinite(value) else value
