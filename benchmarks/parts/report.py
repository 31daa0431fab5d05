"""The morning report of a lake of ten million events: its queries in the engine, and its page."""

import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.measure import Subject, in_turn, run_command
from benchmarks.options import BenchmarkOptions
from benchmarks.subjects.report import make


def measure(options: BenchmarkOptions) -> Iterator[dict[str, Any]]:
    """One line: a whole process, which asks the three queries of the report and writes the page."""
    options.report(f"report: making {options.report_events:,} events")
    lake = make(options.folder, options.report_events)
    subject = Subject(
        "report",
        lambda out: run_command([sys.executable, "-m", "benchmarks.subjects.report", str(lake), str(out)], out),
        lambda done: (done.printed["rows"], done.printed["pageBytes"]),
    )
    options.report("report: queries and page")
    for name, measured in in_turn([subject], options.repetitions, options.folder).items():
        rows, page_bytes = measured.outcome or (None, None)
        yield {
            "subject": name,
            "events": options.report_events,
            **measured.figures(),
            "rows": rows,
            "pageBytes": page_bytes,
            "failed": measured.failed,
        }
