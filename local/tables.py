"""What a lake has: its tables and views with their columns, days, rows and freshness, from the catalog and Athena."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lambdas.lake.column_types import DAY, EVENT_AT
from lambdas.lake.sql import text
from lambdas.lake.storage.keys import RUNS_TABLE, UNKNOWN_DAY
from lambdas.vocabulary import EXPORT_TYPES
from local import display
from local.checks import ClientFactory
from local.doctor import Query
from local.problem import Problem

_VIEW = "VIRTUAL_VIEW"
# Rows of other tables are not counted, since that may cost a whole scan.
_OURS = {RUNS_TABLE, *(export.table for export in EXPORT_TYPES.values())}


@dataclass(frozen=True)
class Listed:
    """A table or a view of the database."""

    name: str
    is_view: bool
    description: str
    columns: tuple[Mapping[str, str], ...]
    """Name, type and comment of each, the partition's last."""
    days: tuple[str, ...] | None
    """The days that have rows, in their order; None where the table has no days."""
    rows: int | None = None
    """None of a view, and of what the lake has not made."""
    newest_event: str | None = None
    """UTC; of the last day that is not in the future."""
    loaded_until: str | None = None
    """UTC: when the newest export that was loaded was ordered, however few rows it had; of run records, the last."""

    def described(self) -> dict[str, Any]:
        """What `--json` prints of it."""
        return {
            "name": self.name,
            "kind": "view" if self.is_view else "table",
            "description": self.description,
            "rows": self.rows,
            "days": None if self.days is None else list(self.days),
            "newestEvent": self.newest_event,
            "loadedUntil": self.loaded_until,
            "columns": [dict(column) for column in self.columns],
        }

    @property
    def dates(self) -> tuple[str, ...]:
        """The days that are dates."""
        return tuple(day for day in self.days or () if day != UNKNOWN_DAY)


def listed(client: ClientFactory, query: Query, database: str, names: Sequence[str] = ()) -> list[Listed]:
    """The tables and views, or those of these names, by name.

    Raises:
        Problem: there is none of that name, or Athena could not count the rows.
    """
    glue = client("glue")
    pages = glue.get_paginator("get_tables").paginate(DatabaseName=database)
    present = {table["Name"]: table for page in pages for table in page["TableList"]}
    missing = [name for name in names if name not in present]
    if missing:
        there = ", ".join(sorted(present)) or "none yet"
        raise Problem(f"There is no table or view {', '.join(missing)}. There are: {there}.")
    wanted = [present[name] for name in sorted(names or present)]
    days = {table["Name"]: _days(glue, database, table) for table in wanted}
    ours = [name for name in days if name in _OURS and not _is_view(present[name])]
    counts = _counts(query, {name: days[name] for name in ours})
    loads = _loads(query) if ours and RUNS_TABLE in present else {}
    return [_listed(table, days[table["Name"]], counts, loads) for table in wanted]


def show(console: Console, found: Sequence[Listed], *, with_columns: bool) -> None:
    """The list for people, with the columns of each where that is wanted."""
    if not found:
        console.print("no tables yet: the first run that ends makes them")
        return
    table = Table(**display.STYLE)
    table.add_column("name", no_wrap=True)
    for name in ("columns", "rows"):
        table.add_column(name, justify="right", no_wrap=True)
    # Wide enough for a date; the time of the day goes below it where there is no room.
    for name in ("days", "newest event (UTC)", "loaded until (UTC)"):
        table.add_column(name, min_width=10)
    for one in found:
        rows = "view" if one.is_view else "" if one.rows is None else f"{one.rows:,}"
        days = f"{len(one.dates)} to {one.dates[-1]}" if one.dates else ""
        moments = map(_minutes, (one.newest_event, one.loaded_until))
        table.add_row(*map(Text, (one.name, str(len(one.columns)), rows, days, *moments)))
    console.print(table)
    for one in found if with_columns else ():
        console.print(f"{one.name}: {one.description}", markup=False, emoji=False, highlight=False, soft_wrap=True)
        columns = Table("column", "type", "comment", **display.STYLE)
        for column in one.columns:
            columns.add_row(*map(Text, column.values()))
        console.print(columns)


def _listed(
    table: Mapping[str, Any],
    days: tuple[str, ...] | None,
    counts: Mapping[str, Mapping[str, Any]],
    loads: Mapping[str, str],
) -> Listed:
    counted = counts.get(table["Name"], {})
    return Listed(
        name=table["Name"],
        is_view=_is_view(table),
        description=table.get("Description", ""),
        columns=tuple(
            {"name": column["Name"], "type": column.get("Type", ""), "comment": column.get("Comment", "")}
            for column in (*table["StorageDescriptor"]["Columns"], *table.get("PartitionKeys", []))
        ),
        days=days,
        rows=counted.get("number"),
        newest_event=counted.get("newest"),
        loaded_until=loads.get(table["Name"]),
    )


def _is_view(table: Mapping[str, Any]) -> bool:
    return table.get("TableType") == _VIEW


def _days(glue: Any, database: str, table: Mapping[str, Any]) -> tuple[str, ...] | None:
    if [key["Name"] for key in table.get("PartitionKeys", [])] != [DAY]:
        return None
    pages = glue.get_paginator("get_partitions").paginate(
        DatabaseName=database, TableName=table["Name"], ExcludeColumnSchema=True
    )
    return tuple(sorted(partition["Values"][0] for page in pages for partition in page["Partitions"]))


def _counts(query: Query, days: Mapping[str, tuple[str, ...] | None]) -> dict[str, Mapping[str, Any]]:
    """Rows and newest event of each table: of the lake's Parquet files, Athena counts without reading columns."""
    parts = [
        f"SELECT {text(name)} AS name, (SELECT count(*) FROM {name}) AS number, "  # noqa: S608 - names of ours
        f"{_newest(name, found)} AS newest"
        for name, found in days.items()
    ]
    return {row["name"]: row for row in query(" UNION ALL ".join(parts))} if parts else {}


def _newest(name: str, days: Iterable[str] | None) -> str:
    # Noon is over in every time zone before the day after is over in UTC. A wrong clock makes days of the future.
    latest = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
    past = [day for day in days or () if day <= latest]
    if not past:
        return "CAST(NULL AS timestamp)"
    return f"(SELECT max({EVENT_AT}) FROM {name} WHERE {DAY} = {text(past[-1])})"  # noqa: S608


def _loads(query: Query) -> dict[str, str]:
    """When each table's newest successful export was ordered, and the newest run ended."""
    rows = query(
        "SELECT export_type, max(CASE WHEN outcome = 'succeeded' THEN ordered_at END) AS ordered, "  # noqa: S608
        f"max(ended_at) AS ended FROM {RUNS_TABLE} GROUP BY export_type"
    )
    orders = {row["export_type"]: row["ordered"] for row in rows if row["ordered"]}
    found = {export.table: orders[name] for name, export in EXPORT_TYPES.items() if name in orders}
    ended = [row["ended"] for row in rows if row["ended"]]
    return found | ({RUNS_TABLE: max(ended)} if ended else {})


def _minutes(moment: str | None) -> str:
    return (moment or "")[:16]
