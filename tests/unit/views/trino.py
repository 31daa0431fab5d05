"""What Athena would say of a view's text, as far as that can be known without it: its grammar, names and types."""

from collections.abc import Mapping
from functools import cache

import sqlglot
import trino_query_parser
from sqlglot import expressions as exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from lambdas.lake.views.view import View

_FAMILIES = {
    "text": exp.DataType.TEXT_TYPES,
    "number": exp.DataType.NUMERIC_TYPES,
    "time": exp.DataType.TEMPORAL_TYPES,
    "truth": {exp.DataType.Type.BOOLEAN},
}
_COMPARED = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)

Columns = Mapping[str, Mapping[str, str]]
"""The columns of tables, with their types."""


class WrongSql(AssertionError):
    """Athena would refuse it."""


# Views over other views have the same text whatever the tables are, and the grammar takes a second for each.
_parse = cache(trino_query_parser.parse_statement)


def check(view: View, columns: Columns) -> None:
    """Check a view over tables with these columns.

    Raises:
        WrongSql: Athena would refuse it.
    """
    schema: dict[str, object] = dict(columns)
    try:
        _parse(view.sql)
        parsed = sqlglot.parse_one(view.sql, dialect="trino")
        qualified = qualify(parsed, schema=schema, dialect="trino", validate_qualify_columns=True)
    except (SqlglotError, trino_query_parser.TrinoSyntaxError) as error:
        raise WrongSql(f"{view.name}: {error}") from error
    names = {cte.alias for cte in qualified.find_all(exp.CTE)} | set(columns)
    for table in qualified.find_all(exp.Table):
        if table.name not in names:
            raise WrongSql(f"{view.name} reads {table.name}, which is not there")
    typed = annotate_types(qualified, schema=schema, dialect="trino")
    assert isinstance(typed, exp.Query)
    _check_types(view, typed)
    for made, promised in zip(typed.selects, view.columns, strict=True):
        cast, wanted = made.unalias(), exp.DataType.build(promised.type, dialect="trino")
        if made.alias != promised.name or not isinstance(cast, exp.Cast) or cast.to != wanted:
            raise WrongSql(f"{view.name}.{promised.name} is {made.sql('trino')}")


def _check_types(view: View, typed: exp.Expr) -> None:
    for comparison in typed.find_all(*_COMPARED):
        if len({_family(side) for side in (comparison.this, comparison.expression)} - {None}) > 1:
            raise WrongSql(f"{view.name} compares other types: {comparison.sql('trino')}")
    for union in typed.find_all(exp.Union):
        for left, right in zip(union.left.selects, union.right.selects, strict=True):
            if len({_family(left), _family(right)} - {None}) > 1:
                raise WrongSql(f"{view.name} unites other types: {left.sql('trino')} and {right.sql('trino')}")


def _family(side: exp.Expr) -> str | None:
    kind = side.type.this if isinstance(side.type, exp.DataType) else None
    return next((name for name, kinds in _FAMILIES.items() if kind in kinds), None)
