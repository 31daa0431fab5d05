"""The queries of the nightly summary and of the morning page: what became of the sends of the latest days.

Their texts hold the views that they read, and show these the days alone that are needed: a view reads all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from lambdas.lake.sql import name as quoted
from lambdas.lake.sql import text as literal
from lambdas.lake.tables.glue_tables import Table
from lambdas.lake.views.email_events import email_events
from lambdas.lake.views.email_sends import email_sends
from lambdas.lake.views.metrics import COUNTS, MACHINE_CLICK_SECONDS, RATES
from lambdas.lake.views.sources import EVENT_TYPES, SENT, match, sources

NUMBERS = ("sent", "delivered", "opened", "clicked", "bounced", "opted_out")
"""The counts of a week, by the names that the metrics have."""
UNKNOWN_SENDS = "unknown_sends"
"""How many of a week's sends lack some of these, since too few events of their campaigns find their send."""
WEEK, WEEK_BEFORE = "week", "week_before"
PAGE_DAYS = 28
"""How many days the morning page shows."""
MOST_CAMPAIGNS = 20

_WEEK = timedelta(days=7)
# Of events of older sends, too few are left to matter.
_SEND_BEFORE_EVENT = timedelta(days=31)


@dataclass(frozen=True)
class LakeTables:
    """What the queries are made of."""

    tables: Mapping[str, Table]
    """Those of exports, by name."""
    database: str
    first_day: str | None = None
    """The first day of which sends are in the lake; None takes the first day that is read for it."""
    machine_click_seconds: int = MACHINE_CLICK_SECONDS


def week_query(lake: LakeTables, today: date) -> str | None:
    """SQL for a row a week (`WEEK`, `WEEK_BEFORE`) with `NUMBERS` and `UNKNOWN_SENDS`; None without sends to match.

    The week ends with the day before `today`, which is not over.
    """
    since, begins = today - 2 * _WEEK, today - _WEEK
    week = f"CASE WHEN dt >= {literal(str(begins))} THEN {literal(WEEK)} ELSE {literal(WEEK_BEFORE)} END"
    counts = ", ".join(f"{one.formula} AS {one.name}" for one in COUNTS if one.name in NUMBERS)
    flags = ("was_delivered", "was_opened", "was_clicked", "was_opted_out")
    unknown = f"count(CASE WHEN {' OR '.join(f'{flag} IS NULL' for flag in flags)} THEN 1 END) AS {UNKNOWN_SENDS}"
    # Channels are never mixed.
    return _over(
        lake,
        f"SELECT {week} AS week, {counts}, {unknown} FROM email_sends\n"
        f"WHERE channel = 'email' AND {_days(since, today)} GROUP BY {week}",
        since,
        today,
    )


def day_query(lake: LakeTables, today: date) -> str | None:
    """SQL for a row a day, channel and type of events: `number` of them, and how many of these are `orphans`."""
    since = today - timedelta(days=PAGE_DAYS)
    return _over(
        lake,
        "SELECT dt, channel, event_type, count(*) AS number, count(CASE WHEN is_orphan THEN 1 END) AS orphans\n"
        f"FROM email_events WHERE {_days(since, today)} GROUP BY dt, channel, event_type",
        since,
        today,
    )


def campaign_query(lake: LakeTables, today: date) -> str | None:
    """SQL for the latest campaigns, the newest first: what became of their sends of the days that the page shows.

    The columns are those of `campaign_performance`. Of a campaign without older sends the numbers are the same.
    """
    since = today - timedelta(days=PAGE_DAYS)
    counts = ", ".join(f"{one.formula} AS {one.name}" for one in COUNTS)
    rates = ", ".join(f"CASE WHEN NOT began_before_lake THEN {one.formula} END AS {one.name}" for one in RATES)
    return _over(
        lake,
        f"SELECT *, {rates} FROM (\n"
        "SELECT campaign, channel, max(campaign_name) AS campaign_name, min(dt) AS first_dt, max(dt) AS last_dt, "
        "max(sent_at) AS last_sent_at, COALESCE(max(CASE WHEN began_before_lake THEN 1 END) = 1, FALSE) "
        f"AS began_before_lake, max(why_null) AS why_null, {counts}\n"
        f"FROM email_sends WHERE {_days(since, today)} GROUP BY campaign, channel\n"
        f") AS counted ORDER BY last_sent_at DESC, campaign, channel LIMIT {MOST_CAMPAIGNS}",
        since,
        today,
    )


def _over(lake: LakeTables, query: str, since: date, today: date) -> str | None:
    """The query over events from `since` on, each with its send; None where no send can be matched."""
    found = sources(lake.tables)
    by = match(found)
    if by is None:
        return None
    parts = [
        _shown(lake.database, EVENT_TYPES[event], since if event != SENT else since - _SEND_BEFORE_EVENT, today)
        for event in found
    ]
    events = email_events(found, by, machine_click_seconds=lake.machine_click_seconds)
    sends = email_sends(found, by, first_day=lake.first_day)
    parts += [f"{view.name} AS (\n{view.sql}\n)" for view in (events, sends)]
    return f"WITH {', '.join(parts)}\n{query}"


def _shown(database: str, table: str, since: date, today: date) -> str:
    """A table of its own name that shows the days from one on; that of unknown days is later than any."""
    days = f"dt >= {literal(str(since))} AND dt <= {literal(str(today))}"
    return f"{quoted(table)} AS (SELECT * FROM {quoted(database)}.{quoted(table)} WHERE {days})"


def _days(since: date, today: date) -> str:
    return f"dt >= {literal(str(since))} AND dt < {literal(str(today))}"
