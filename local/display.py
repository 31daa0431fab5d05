"""Output for people: progress, tables, and query results. Machines get JSON instead (`--json`)."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from local.athena import Rows
from local.checks import Check
from local.executions import Run, Watcher

STYLE: Any = {"box": SIMPLE_HEAD, "header_style": "bold", "pad_edge": False}
_ANY_WIDTH = 100_000
_COLOURS = {"loaded": "green", "failed": "red"}


@contextmanager
def progress(console: Console) -> Iterator[Watcher]:
    """Show the progress of runs: one line each, updated in place, or, without a terminal, one line per change."""
    if console.is_terminal:
        with Live(console=console, refresh_per_second=8) as live:
            yield lambda runs: live.update(_lines(runs))
        return
    shown: dict[str, str] = {}

    def show(runs: Sequence[Run]) -> None:
        for run in runs:
            line = f"{run.export_type:<13} {_step(run)}"
            if shown.get(run.execution_arn) != line:
                shown[run.execution_arn] = line
                console.print(line, markup=False, emoji=False, highlight=False, soft_wrap=True)

    yield show


def results(console: Console, runs: Sequence[Run]) -> None:
    """The table of runs, followed by the sentence of every failure."""
    table = Table("export", "period", "batch", **STYLE)
    for name in ("rows", "bytes", "seconds"):
        table.add_column(name, justify="right")
    table.add_column("outcome")
    for run in runs:
        table.add_row(
            run.export_type,
            run.period or "",
            run.batch_id or "",
            _number(run.rows),
            _number(run.bytes),
            "" if run.seconds is None else f"{run.seconds:.1f}",
            _coloured(run.step),
        )
    console.print(table)
    for run in runs:
        if run.error:
            console.print(run.error, style="red", markup=False, emoji=False, highlight=False, soft_wrap=True)


def answer(console: Console, rows: Rows) -> None:
    """The rows of a query."""
    if not rows:
        console.print("no rows")
        return
    cells = [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
    table = Table(**STYLE)
    for name in cells[0]:
        is_number = all(isinstance(row[name], int | float | None) for row in rows)
        table.add_column(Text(name), justify="right" if is_number else "left")
    for row in cells:
        table.add_row(*map(Text, row.values()))
    if Measurement.get(console, console.options.update(width=_ANY_WIDTH), table).maximum <= console.width:
        console.print(table)
        return
    # Too wide for a table: one block per row, one line per column.
    for number, row in enumerate(cells, start=1):
        console.rule(f"row {number}", align="left")
        facts(console, row)


def checks(console: Console, found: Sequence[Check]) -> None:
    """One line per check: a tick, or what to do."""
    for check in found:
        line = f"{check.mark} {check.name:<15} {check.words}"
        style = None if check.is_well else "red"
        console.print(line, style=style, markup=False, emoji=False, highlight=False, soft_wrap=True)


def facts(console: Console, values: Mapping[str, Any]) -> None:
    """Names and values, one per line."""
    width = max(map(len, values))
    for name, value in values.items():
        console.print(f"{name:<{width}}  {value}", markup=False, emoji=False, highlight=False, soft_wrap=True)


def _lines(runs: Sequence[Run]) -> Table:
    table = Table.grid(padding=(0, 2))
    for run in runs:
        table.add_row(run.export_type, _coloured(_step(run)))
    return table


def _step(run: Run) -> str:
    details = [f"batch {run.batch_id}" if run.batch_id else "", run.progress or ""]
    if run.bytes is not None:
        details[1] = f"{run.bytes:,} bytes"
    if run.rows is not None:
        details.append(f"{run.rows:,} rows")
    return "  ".join([run.step, *filter(None, details)])


def _coloured(words: str) -> str:
    colour = _COLOURS.get(words.split(maxsplit=1)[0])
    return f"[{colour}]{words}[/]" if colour else words


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
