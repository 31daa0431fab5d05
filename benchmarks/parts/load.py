"""The load of a whole file: this project, the bare engine, and its peers, in both containers."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from glob import glob
from pathlib import Path
from typing import Any

from benchmarks import checksum, events
from benchmarks.landed import forget, landed
from benchmarks.measure import ROOT, Repetition, Subject, in_turn, ratio, run_command
from benchmarks.options import PEERS, BenchmarkOptions

OURS, ENGINE = "this project", "bare DuckDB"
DICTS, ARROW, PANDAS = "dlt, dicts", "dlt, Arrow tables", "pandas, pyarrow"
_SUBJECTS = ROOT / "benchmarks" / "subjects"


@dataclass(frozen=True)
class _Loader:
    """A subject that loads a file into Parquet: name, containers that it reads, and command for a file and a folder."""

    name: str
    shapes: tuple[str, ...]
    command: Callable[[Path, Path], list[str]]
    is_peer: bool = True
    is_slow: bool = False

    def takes(self, shape: str, megabytes: int, options: BenchmarkOptions) -> bool:
        """Whether it loads this file."""
        limit = options.slow_up_to if self.is_slow else options.peers_up_to
        return shape in self.shapes and (not self.is_peer or megabytes <= limit)


def _peer(script: str, *words: str) -> Callable[[Path, Path], list[str]]:
    return lambda source, out: [str(PEERS), str(_SUBJECTS / script), str(source), str(out), *words]


def our_command(out: Path, manifests: list[dict[str, Any]]) -> list[str]:
    """This project's load of landed batches, one after the other."""
    return [sys.executable, "-m", "benchmarks.subjects.ours", str(out), json.dumps(manifests)]


_LOADERS = (
    _Loader(OURS, ("ndjson", "array"), lambda source, out: our_command(out, [landed(source, out, "1")]), is_peer=False),
    _Loader(
        ENGINE,
        ("ndjson", "array"),
        lambda source, out: [
            *(sys.executable, str(_SUBJECTS / "engine.py")),
            *(str(source), str(out), json.dumps(events.COLUMNS)),
        ],
        is_peer=False,
    ),
    _Loader(DICTS, ("ndjson", "array"), _peer("dlt_load.py", "dicts"), is_slow=True),
    _Loader(ARROW, ("ndjson",), _peer("dlt_load.py", "arrow")),
    _Loader(PANDAS, ("ndjson",), _peer("pandas_load.py")),
)


def peer_command(name: str) -> Callable[[Path, Path], list[str]]:
    """A loader's command for a file and an empty folder."""
    return next(loader.command for loader in _LOADERS if loader.name == name)


def measure(options: BenchmarkOptions) -> Iterator[dict[str, Any]]:
    """One line per loader and file."""
    for megabytes in options.sizes:
        for shape in events.SHAPES:
            source = events.make(options.folder, shape, megabytes)
            yield from _of_file(source, shape, megabytes, options)
            # Five gigabytes in two containers do not fit on every disk.
            forget(source)


def content_of(done: Repetition) -> checksum.Content:
    """The content of the Parquet files that a subject has reported."""
    return checksum.of_parquet(files_of(done), list(events.COLUMNS))


def files_of(done: Repetition) -> list[str]:
    """The Parquet files that a subject has reported, as globs."""
    files = done.printed["files"]
    return [files] if isinstance(files, str) else list(files)


def _loaded(loader: _Loader, source: Path, out: Path) -> Repetition:
    """A repetition with the size of its files."""
    done = run_command(loader.command(source, out), out)
    size = sum(Path(path).stat().st_size for pattern in files_of(done) for path in glob(pattern))
    return replace(done, printed={**done.printed, "writtenBytes": size})


def _of_file(source: Path, shape: str, megabytes: int, options: BenchmarkOptions) -> Iterator[dict[str, Any]]:
    options.report(f"load: {source.name}")

    def subject(loader: _Loader) -> Subject:
        return Subject(loader.name, lambda out: _loaded(loader, source, out), content_of, is_slow=loader.is_slow)

    given = [loader for loader in _LOADERS if loader.takes(shape, megabytes, options)]
    found = in_turn([subject(loader) for loader in given], options.repetitions, options.folder)
    size, engine, ours = source.stat().st_size, found[ENGINE], found[OURS]
    for name, measured in found.items():
        figures = measured.figures()
        content = measured.outcome
        written = [done.printed["writtenBytes"] for done in measured.repetitions.values()]
        yield {
            "subject": name,
            "shape": shape,
            "megabytes": megabytes,
            "bytes": size,
            **figures,
            "bytesPerSecond": size / figures["wall"] if figures else None,
            "ratioToEngine": ratio(measured, engine),
            "ratioToOurs": ratio(measured, ours),
            "rows": content.rows if content else None,
            "writtenBytes": max(written, default=None),
            "checksum": content.checksum if content else None,
            "isSame": content == engine.outcome if content and engine.outcome else None,
            "failed": measured.failed,
        }
