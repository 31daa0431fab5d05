"""A view: its text in the dialect of Trino, and its columns."""

from collections.abc import Sequence
from dataclasses import dataclass

VARCHAR, BIGINT, DOUBLE, BOOLEAN, TIMESTAMP = "varchar", "bigint", "double", "boolean", "timestamp(3)"
"""Trino's names of the types that views have."""


@dataclass(frozen=True)
class ViewColumn:
    """A column of a view."""

    name: str
    type: str
    comment: str
    """Its meaning, with unit and time zone: at most 255 characters, Glue's limit."""
    sql: str = ""
    """The expression that gives it; empty for the column of the same name."""


@dataclass(frozen=True)
class View:
    """A view that can be written."""

    name: str
    description: str
    sql: str
    columns: tuple[ViewColumn, ...]


def view(name: str, description: str, *, head: str, columns: Sequence[ViewColumn], tail: str) -> View:
    """A view with explicit columns, each cast to its type, so that no change of a table makes it stale."""
    chosen = ",\n  ".join(f"CAST({one.sql or one.name} AS {one.type}) AS {one.name}" for one in columns)
    return View(name, description, f"{head}SELECT\n  {chosen}\n{tail}", tuple(columns))
