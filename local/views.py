"""Views where the engine keeps none: a query that reads some is expanded, and said in the engine's own dialect."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import sqlglot
from sqlglot import expressions as exp
from sqlglot.errors import SqlglotError

from local.problem import Problem

_OPENING, _CLOSING = "/* Presto View: ", " */"


def stored_views(glue: Any, database: str) -> dict[str, str]:
    """The text of each view of a database, by name."""
    pages = glue.get_paginator("get_tables").paginate(DatabaseName=database)
    return {
        table["Name"]: _text(table["ViewOriginalText"])
        for page in pages
        for table in page["TableList"]
        if table.get("TableType") == "VIRTUAL_VIEW" and table.get("ViewOriginalText", "").startswith(_OPENING)
    }


def expanded(sql: str, views: Mapping[str, str]) -> str:
    """The query in DuckDB's dialect, with the views that it reads in front of it; a query that reads none as it is.

    Raises:
        Problem: the query cannot be read.
    """
    if not any(name in sql.lower() for name in views):
        return sql
    query = _parsed(sql)
    needed: dict[str, exp.Expr] = {}
    _collect(query, views, needed)
    if not needed:
        return sql
    if not isinstance(query, exp.Query):
        raise Problem("Only a query can read views here.")
    own = query.args.get("with_")
    inner = list(own.expressions) if own is not None else []
    every = [exp.CTE(this=text, alias=exp.TableAlias(this=_name(name))) for name, text in needed.items()]
    query.set("with_", exp.With(expressions=[*every, *inner]))
    return query.sql(dialect="duckdb")


def _collect(query: exp.Expr, views: Mapping[str, str], needed: dict[str, exp.Expr]) -> None:
    """Gather the views that a query reads, each after those that it reads itself, and point the query to them."""
    own = {cte.alias.lower() for cte in query.find_all(exp.CTE)}
    for table in list(query.find_all(exp.Table)):
        name = table.name.lower()
        if name not in views or (name in own and not table.db):
            continue
        if name not in needed:
            text = _parsed(views[name])
            _collect(text, views, needed)
            needed[name] = text
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name)))
        for part, value in (("this", _name(name)), ("db", None), ("catalog", None)):
            table.set(part, value)


def _name(view: str) -> exp.Identifier:
    """What a view is called in front of a query, which may have a name like the view's itself."""
    return exp.to_identifier(f"view_{view}")


def _parsed(sql: str) -> exp.Expr:
    try:
        parsed: exp.Expr = sqlglot.parse_one(sql.rstrip(" \t\r\n;"), dialect="trino")
    except SqlglotError as error:
        raise Problem(f"The query cannot be read: {str(error).splitlines()[0]}") from None
    return parsed


def _text(original: str) -> str:
    document = base64.b64decode(original.removeprefix(_OPENING).removesuffix(_CLOSING))
    text: str = json.loads(document)["originalSql"]
    return text
