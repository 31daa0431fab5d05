"""Tables of an engine in memory, and the views over them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb

from lambdas.lake.column_types import ATHENA_TYPES, Column, Kind, Schema, snake_case
from lambdas.lake.profile.profile import EventTime, Profile
from lambdas.lake.tables.export_runs import COLUMNS as RUN_COLUMNS
from lambdas.lake.tables.glue_tables import Table
from lambdas.lake.views.all_views import views
from lambdas.lake.views.recent import LakeTables
from lambdas.lake.views.sources import EVENT_TYPES
from lambdas.lake.views.view import View
from lambdas.vocabulary import TimeFormat
from local.views import expanded

ROLES = {"contact": "contactId", "campaign": "campaignId"}
FIELDS = {"contactId": Kind.ID, "campaignId": Kind.ID, "campaign": Kind.ID, "channel": Kind.STRING}
_ENGINE_TYPES = {
    "string": "VARCHAR",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
}

Rows = list[dict[str, Any]]


def table(fields: Mapping[str, Kind], roles: Mapping[str, str]) -> Table:
    """A table of events with these fields."""
    columns = tuple(Column(source, snake_case(source), kind) for source, kind in fields.items())
    time = EventTime("timestamp", TimeFormat.ISO_8601, "UTC")
    profile = Profile((time,), tuple(roles.values()), roles)
    return Table(Schema(columns, frozenset(fields)), profile, "UTC", "s3://lake/curated/")


def usual_tables() -> dict[str, Table]:
    """The tables of all events, with the fields of the vendor's webhooks."""
    link = {"linkTarget": Kind.ID}
    return {
        name: table(
            FIELDS | (link if name == "clicks" else {}), ROLES | ({"link": "linkTarget"} if name == "clicks" else {})
        )
        for name in EVENT_TYPES.values()
    }


@dataclass
class Lake:
    """Tables with rows, in the engine that runs the local Athena."""

    tables: dict[str, Table] = field(default_factory=usual_tables)
    machine_click_seconds: int = 1

    def __post_init__(self) -> None:
        self.engine = duckdb.connect()
        for name, columns in self.columns.items():
            listed = ", ".join(f'"{column}" {_ENGINE_TYPES[kind]}' for column, kind in columns.items())
            self.engine.execute(f'CREATE TABLE "{name}" ({listed})')

    @property
    def columns(self) -> dict[str, dict[str, str]]:
        """The tables' columns, with Hive's types."""
        own = {"_event_at": "timestamp", "dt": "string"}
        return {
            name: {column.name: ATHENA_TYPES[column.kind] for column in one.schema.stored} | own
            for name, one in self.tables.items()
        } | {"export_runs": {column: kind for column, (kind, _) in RUN_COLUMNS.items()}}

    @property
    def views(self) -> tuple[View, ...]:
        """The views that can be made."""
        return views(
            self.tables,
            frozenset(self.columns),
            has_engagement=True,
            machine_click_seconds=self.machine_click_seconds,
        )

    def add(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows to a table; the day follows from the time, what is not given is null."""
        columns = list(self.columns[name])
        given = [{"dt": str(row["_event_at"])[:10], **row} if "_event_at" in row else row for row in rows]
        marks = f"({', '.join('?' for _ in columns)})"
        # One statement for many rows: each costs more than a row.
        for start in range(0, len(given), 500):
            some = given[start : start + 500]
            values = [row.get(column) for row in some for column in columns]
            self.engine.execute(f'INSERT INTO "{name}" VALUES {", ".join([marks] * len(some))}', values)

    def query(self, sql: str) -> Rows:
        """The rows of a query that may read the views."""
        cursor = self.engine.execute(expanded(sql, {one.name: one.sql for one in self.views}))
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def query_recent(self, query: Callable[[LakeTables, date], str | None], today: date, **more: Any) -> Rows:
        """The rows of a query over the latest days."""
        sql = query(LakeTables(self.tables, "main", **more), today)
        assert sql is not None
        return self.query(sql)

    def one(self, sql: str) -> dict[str, Any]:
        """The only row of a query."""
        (row,) = self.query(sql)
        return row


def event(contact: str | None, campaign: str | None, at: str, **other: Any) -> dict[str, Any]:
    """A row of a table of events."""
    return {"contact_id": contact, "campaign_id": campaign, "_event_at": at, **other}


def sends(*contacts: str, campaign: str = "A", at: str = "2026-11-20 10:00:00") -> Sequence[Mapping[str, Any]]:
    """Sends of a campaign to contacts."""
    return [event(contact, campaign, at) for contact in contacts]
