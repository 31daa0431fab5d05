"""Queries in Athena, in the stack's workgroup."""

import csv
import io
import time
from collections.abc import Mapping

from botocore.exceptions import ClientError

from lambdas.handlers import clients
from lambdas.lake.storage import keys

Row = Mapping[str, str | None]

_PAUSE_SECONDS = 1
# A week's numbers take seconds; the watch has five minutes.
_MOST_SECONDS = 120


class NotAnswered(Exception):
    """Athena has no answer; the sentence says what is known of the reason."""


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
