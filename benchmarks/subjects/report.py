"""The morning report over Parquet files of a folder: the function's own queries, in the engine, and its page."""

import json
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from lambdas.lake.column_types import Column, Kind, Schema
from lambdas.lake.profile.profile import EventTime, Profile
from lambdas.lake.tables.glue_tables import Table
from lambdas.lake.views.recent import LakeTables, campaign_query, day_query, week_query
from lambdas.lake.views.sources import EVENT_TYPES
from lambdas.report.exports import ExportState
from lambdas.report.numbers import campaigns, channels, found_share, unknown_sends, weeks
from lambdas.report.page import Report, page
from lambdas.vocabulary import EXPORT_TYPES, TimeFormat

TODAY = date(2026, 3, 1)
# Of a year whose last two months the report reads: as much as it reads of a far larger lake.
_DAYS = 59
_CONTACTS, _CAMPAIGNS = 200_000, 300
_SHARES = {"sent": 0.62, "open": 0.3, "click": 0.05, "hard_bounce": 0.01, "soft_bounce": 0.01, "optout": 0.01}
_FIELDS = {"contactId": Kind.ID, "campaignId": Kind.ID, "campaign": Kind.ID, "linkTarget": Kind.ID}


def make(folder: Path, events: int) -> Path:
    """Write so many events of the days that a report reads, a table a folder and a day a file; unless they exist."""
    lake = folder / f"report-{events}"
    if not lake.exists():
        half = folder / f"report-{events}.half"
        half.mkdir()
        engine = duckdb.connect()
        for event, table in EVENT_TYPES.items():
            delay = 0 if event == "sent" else 3 * 86_400
            # Each event has a send before it: the same number, contact and campaign, up to three days later.
            engine.execute(
                f"""COPY (
                SELECT * REPLACE (strftime(_event_at, '%Y-%m-%d') AS dt) FROM (
                  SELECT CAST(hash(n) % {_CONTACTS} AS VARCHAR) AS contact_id,
                    CAST(n % {_CAMPAIGNS} AS VARCHAR) AS campaign_id,
                    'Letter ' || n % {_CAMPAIGNS} AS campaign, 'https://example.com/' || n % 7 AS link_target,
                    TIMESTAMP '{TODAY}' - INTERVAL {_DAYS} DAY
                      + to_microseconds(CAST(floor(n * {_DAYS - 3} * 86.4e9 / {events * _SHARES["sent"]}) AS BIGINT))
                      + to_microseconds(CAST(hash(n, 1) % {delay * 1_000_000 + 1} AS BIGINT)) AS _event_at, '' AS dt
                  FROM range(CAST({events * _SHARES["sent"]} AS BIGINT)) AS r(n)
                  WHERE hash(n, '{event}') % 1000 < {1000 * _SHARES[event] / _SHARES["sent"]})
                ) TO '{half / table}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (dt))"""
            )
        half.rename(lake)
    return lake


def tables() -> dict[str, Table]:
    """The tables of the events."""
    columns = tuple(
        Column(source, column, kind)
        for (source, kind), column in zip(
            _FIELDS.items(), ("contact_id", "campaign_id", "campaign", "link_target"), strict=True
        )
    )
    roles = {"contact": "contactId", "campaign": "campaignId", "link": "linkTarget"}
    profile = Profile((EventTime("timestamp", TimeFormat.ISO_8601, "UTC"),), ("contactId", "campaignId"), roles)
    one = Table(Schema(columns, frozenset(_FIELDS)), profile, "UTC", "s3://lake/curated/")
    return dict.fromkeys(EVENT_TYPES.values(), one)


def main(lake: Path, out: Path) -> None:
    """Ask the queries and write the page; print how many rows came back, and the page's size."""
    engine = duckdb.connect()
    engine.execute("SET threads = 2")
    engine.execute("SET memory_limit = '700MB'")
    engine.execute(f"SET temp_directory = '{out}'")
    found = tables()
    for name in found:
        engine.execute(
            f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{lake / name}/*/*.parquet', "
            "hive_types = {'dt': VARCHAR})"
        )
    answers = []
    for query in (week_query, day_query, campaign_query):
        cursor = engine.execute(str(query(LakeTables(found, "main", f"{TODAY - timedelta(days=_DAYS)}"), TODAY)))
        names = [column[0] for column in cursor.description or ()]
        rows = [[None if value is None else str(value) for value in row] for row in cursor.fetchall()]
        answers.append([dict(zip(names, row, strict=True)) for row in rows])
    now = datetime(TODAY.year, TODAY.month, TODAY.day, 5, tzinfo=UTC)
    week, days, latest = answers
    text = page(
        Report(
            "lake",
            now,
            tuple(ExportState(export, True, None, (), now) for export in EXPORT_TYPES.values()),
            weeks(week),
            channels(days, found, TODAY),
            campaigns(latest),
            unknown_sends(week),
            None,
            found_share(days),
        )
    )
    (out / "page.html").write_text(text)
    print(json.dumps({"rows": [len(rows) for rows in answers], "pageBytes": len(text.encode())}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
