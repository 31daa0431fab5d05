"""The merge into a stored day by the function's own code, against the bare engine's read plus write."""

import os
import shutil
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import checksum, events
from benchmarks.landed import forget, landed
from benchmarks.measure import ROOT, Failed, Repetition, Subject, in_turn, ratio, run_command
from benchmarks.options import BenchmarkOptions
from benchmarks.parts.load import ENGINE, OURS, content_of, our_command

_REWRITE = ROOT / "benchmarks" / "subjects" / "rewrite.py"
_LATER = events.ORDERED_AT + timedelta(days=1)


def measure(options: BenchmarkOptions) -> Iterator[dict[str, Any]]:
    """One line for the merge, and one for the engine."""
    options.report(f"merge: making a day of {options.stored_rows:,} rows")
    stored, new = events.make_day(options.folder, options.stored_rows)
    expected = _union(stored, new)
    with TemporaryDirectory(dir=options.folder, prefix="day-") as kept:
        day, merged = Path(kept) / "day", Path(kept) / "merged"
        day.mkdir()
        options.report("merge: storing the day")
        run_command(our_command(day, [landed(stored, day, "1")]), day)
        shutil.rmtree(day / "raw")
        merged.mkdir()
        options.report("merge: merging into it")
        result = _merge(day, new, merged)
        files = result.printed["files"]
        if content_of(result) != expected:
            raise Failed(f"The merged day has {content_of(result)} instead of {expected}.")
        subjects = [
            Subject(OURS, lambda out: _merge(day, new, out), lambda done: (content_of(done), done.printed["tallies"])),
            Subject(
                ENGINE,
                lambda out: run_command([sys.executable, str(_REWRITE), str(out), *files], out),
                lambda done: (content_of(done), None),
            ),
        ]
        found = in_turn(subjects, options.repetitions, options.folder)
        for name, measured in found.items():
            content, tallies = measured.outcome or (None, None)
            yield {
                "subject": name,
                "storedRows": options.stored_rows,
                "newRows": tallies[0]["read"] if tallies else None,
                "knownRows": tallies[0]["known"] if tallies else None,
                "newBytes": new.stat().st_size,
                **measured.figures(),
                "ratioToEngine": ratio(measured, found[ENGINE]),
                "rows": content.rows if content else None,
                "checksum": content.checksum if content else None,
                "isSame": content == expected if content else None,
                "failed": measured.failed,
            }
    for path in (stored, new):
        forget(path)


def _union(stored: Path, new: Path) -> checksum.Content:
    """The expected content of the merged day, by the bare engine: the stored rows and the unknown ones."""
    whole = checksum.of_json([stored], events.COLUMNS)
    names = f"SELECT eventId FROM read_json('{stored}', format='newline_delimited', columns={{'eventId': 'BIGINT'}})"
    fresh = checksum.of_json([new], events.COLUMNS, f"eventId NOT IN ({names})")
    return checksum.Content(whole.rows + fresh.rows, str(int(whole.checksum) + int(fresh.checksum)))


def _merge(day: Path, new: Path, out: Path) -> Repetition:
    """Merge into a copy of the day made of hard links: no load overwrites a file."""
    shutil.copytree(day, out, dirs_exist_ok=True, copy_function=os.link)
    return run_command(our_command(out, [landed(new, out, "2", _LATER)]), out)
