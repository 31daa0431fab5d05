"""The query for a week's numbers beside those of the week before: what became of the sends of their days.

Its text holds the views that it reads, and shows them the days alone that are needed: a view reads all of them.
"""

from collections.abc import Mapping
from datetime import date, timedelta

from lambdas.lake.sql import name as quoted
from lambdas.lake.sql import text as literal
from lambdas.lake.tables.glue_tables import Table
from lambdas.lake.views.email_events import email_events
from lambdas.lake.views.email_sends import email_sends
from lambdas.lake.views.metrics import COUNTS
from lambdas.lake.views.sources import EVENT_TYPES, SENT, match, sources

NUMBERS = ("sent", "delivered", "opened", "clicked", "bounced", "opted_out")
"""The counts, by the names that the metrics have."""
WEEK, WEEK_BEFORE = "week", "week_before"

_WEEK = timedelta(days=7)
# Of events of older sends, too few are left to matter.
_OLDEST_SEND = timedelta(days=45)


def week_query(tables: Mapping[str, Table], database: str, today: date) -> str | None:
    """SQL for a row a week (`WEEK`, `WEEK_BEFORE`) with `NUMBERS`; None where no send can be matched.

    `tables` are those of exports, by name. The week ends with the day before `today`, which is not over.
    """
    found = sources(tables)
    by = match(found)
    if by is None:
        return None
    since, begins = today - 2 * _WEEK, today - _WEEK
    parts = [
        _days(database, EVENT_TYPES[event], since if event != SENT else today - _OLDEST_SEND, today) for event in found
    ]
    parts += [f"{view.name} AS (\n{view.sql}\n)" for view in (email_events(found, by), email_sends(found, by))]
    week = f"CASE WHEN dt >= {literal(str(begins))} THEN {literal(WEEK)} ELSE {literal(WEEK_BEFORE)} END"
    counts = ", ".join(f"{one.formula} AS {one.name}" for one in COUNTS if one.name in NUMBERS)
    return (
        f"WITH {', '.join(parts)}\n"
        f"SELECT {week} AS week, {counts} FROM email_sends\n"
        # Channels are never mixed.
        f"WHERE channel = 'email' AND dt >= {literal(str(since))} AND dt < {literal(str(today))} GROUP BY {week}"
    )


def _days(database: str, table: str, since: date, today: date) -> str:
    """A table of its own name that shows the days from one on; that of unknown days is later than any."""
    days = f"dt >= {literal(str(since))} AND dt <= {literal(str(today))}"
    return f"{quoted(table)} AS (SELECT * FROM {quoted(database)}.{quoted(table)} WHERE {days})"
