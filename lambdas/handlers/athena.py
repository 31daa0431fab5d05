"""Queries in Athena, in the stack's workgroup."""

import csv
import io
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from botocore.exceptions import ClientError

from lambdas.handlers import clients
from lambdas.lake.storage import keys
from lambdas.lake.views.recent import LakeTables
from lambdas.vocabulary import EXPORT_TYPES

Row = Mapping[str, str | None]

_PAUSE_SECONDS = 1
# Each takes seconds; the watch has five minutes for one, the report ten for three.
_MOST_SECONDS = 120

Query = Callable[[LakeTables, date], str | None]


@dataclass(frozen=True)
class Answer:
    """The rows that answer a query; where they cannot be had, a sentence says why."""

    rows: list[Row] = field(default_factory=list)
    unknown: str = ""


class NotAnswered(Exception):
    """Athena has no answer; the sentence says what is known of the reason."""


def lake() -> LakeTables:
    """What queries over the latest days are made of, from the catalog.

    Raises:
        WrittenByNewer: a newer version of this stack wrote a table.
    """
    settings, catalog = clients.settings(), clients.catalog()
    tables = {export.table: catalog.table(export) for export in EXPORT_TYPES.values()}
    days = [day for day in catalog.locations(EXPORT_TYPES["SENT"]) if day != keys.UNKNOWN_DAY]
    return LakeTables(
        {name: one for name, one in tables.items() if one is not None},
        settings.database,
        min(days, default=None),
        settings.machine_click_seconds,
    )


def answers(tables: LakeTables, queries: Sequence[Query], today: date) -> list[Answer]:
    """The answers of queries, in their order."""
    return [_answer(query(tables, today)) for query in queries]


def _answer(sql: str | None) -> Answer:
    if sql is None:
        return Answer(unknown="No sends are there that could be counted.")
    try:
        return Answer(ask(sql))
    except NotAnswered as error:
        return Answer(unknown=f"What became of the sends is not known. {error}")


def ask(sql: str) -> list[Row]:
    """Run a query of few rows and return them, every value as text; nulls and empty texts as None.

    Raises:
        NotAnswered: Athena refused it, failed, or took too long.
    """
    settings = clients.settings()
    try:
        started = clients.athena().start_query_execution(
            QueryString=sql, WorkGroup=settings.stack_name, QueryExecutionContext={"Database": settings.database}
        )
        # Read where Athena puts it once it is whole: to ask how far a query is takes more rights, and the local cloud,
        # which knows no workgroup of a query that runs, refuses them.
        query = f"{keys.QUERY_RESULTS}{started['QueryExecutionId']}"
        for _ in range(_MOST_SECONDS // _PAUSE_SECONDS):
            content = _result(query)
            if content is not None:
                return _rows(content.decode())
            time.sleep(_PAUSE_SECONDS)
    except ClientError as error:
        raise NotAnswered(f"Athena refused the query: {error}") from error
    raise NotAnswered(
        f"Athena has written no {query}.csv within {_MOST_SECONDS} seconds; its console shows what became of the query."
    )


def _result(query: str) -> bytes | None:
    """The result of a query, which the local cloud puts into a folder of the query's own; None until it is there."""
    store = clients.store()
    found = (one.key for one in store.objects(query) if one.key.endswith(".csv"))
    return next((store.read(key) for key in found), None)


def _rows(text: str) -> list[Row]:
    return [{name: value or None for name, value in row.items()} for row in csv.DictReader(io.StringIO(text))]
