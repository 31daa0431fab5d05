"""The load of records of other shapes: this project in turn over all of them, and its peers, each once."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import checksum, events, shapes
from benchmarks.landed import landed
from benchmarks.measure import Measured, Repetition, Subject, in_turn, run_command
from benchmarks.options import BenchmarkOptions
from benchmarks.parts.load import ARROW, DICTS, OURS, PANDAS, files_of, our_command, peer_command
from benchmarks.shapes import FLAT, SHAPES, ShapeFile

_VALUES = {
    "eventId": ("eventId::VARCHAR", "event_id::VARCHAR"),
    "contactId": ("contactId", "contact_id"),
    "campaign": ("campaign", "campaign"),
    "time": ("epoch_ms(sentTimestamp::TIMESTAMPTZ)", "epoch_ms(_event_at)"),
}
# The slow peer's files; its speed does not depend on their size.
_SMALLER = 4
_PLAIN_EVENTS = 300
# Other days, so that nothing is merged: the table has its columns, and that is all.
_EARLIER = events.ORDERED_AT - timedelta(days=7)


def measure(options: BenchmarkOptions) -> Iterator[dict[str, Any]]:
    """One line per shape and loader."""
    with TemporaryDirectory(dir=options.folder, prefix="shapes-") as folder:
        (Path(folder) / "small").mkdir()
        made = {}
        for name in SHAPES:
            options.report(f"shapes: making {name}")
            made[name] = shapes.make(Path(folder), name, options.shape_megabytes)
        truths = {name: _truth(name, file) for name, file in made.items()}
        options.report(f"shapes: loading {len(made)} shapes in turn")
        subjects = [_subject(name, file, Path(folder)) for name, file in made.items()]
        found = in_turn(subjects, options.repetitions, options.folder)
        for name, measured in found.items():
            yield _line(OURS, name, made[name], measured) | {
                "ratioToFlat": _ratio(measured, made[name], found[FLAT], made[FLAT]),
                "isSame": measured.outcome == truths[name] if measured.outcome else None,
            }
        if options.shape_megabytes > options.peers_up_to:
            return
        for name, file in made.items():
            options.report(f"shapes: peers, {name}")
            small = shapes.make(Path(folder) / "small", name, options.shape_megabytes // _SMALLER)
            yield _line(DICTS, name, small, _peer(DICTS, small, options))
            for peer in (ARROW, PANDAS):
                if SHAPES[name].is_lines:
                    yield _line(peer, name, file, _peer(peer, file, options))


def _subject(name: str, file: ShapeFile, folder: Path) -> Subject:
    plain = folder / "plain.ndjson"
    if not plain.exists():
        plain.write_text("".join(f"{text}\n" for text in events.day_records(_PLAIN_EVENTS, _EARLIER)))

    def start(out: Path) -> Repetition:
        batches = [landed(file.path, out, "1")]
        if SHAPES[name].follows_a_plain_export:
            run_command(our_command(out, [landed(plain, out, "0", _EARLIER)]), out)
        return run_command(our_command(out, batches), out)

    def content(done: Repetition) -> checksum.Content:
        stored = {value: SHAPES[name].stored.get(value, sql) for value, (_, sql) in _VALUES.items()}
        source = f"read_parquet({files_of(done)!r}, union_by_name=true)"
        # A batch of plain events that came before has its own.
        return checksum.of_values(f"(SELECT * FROM {source} WHERE _batch_id = '1')", list(stored.values()))

    return Subject(name, start, content)


def _truth(name: str, file: ShapeFile) -> checksum.Content:
    """What the plain events say, by the bare engine."""
    types = events.COLUMNS | {"number": "BIGINT"}
    columns = ", ".join(f"'{column}': '{kind}'" for column, kind in types.items())
    values = [SHAPES[name].truth.get(value, sql) for value, (sql, _) in _VALUES.items()]
    return checksum.of_values(f"read_json('{file.plain}', format='newline_delimited', columns={{{columns}}})", values)


def _peer(peer: str, file: ShapeFile, options: BenchmarkOptions) -> Measured:
    def counted(done: Repetition) -> checksum.Content:
        return checksum.of_values(f"read_parquet({files_of(done)!r}, union_by_name=true)", ["true"])

    def start(out: Path) -> Repetition:
        return run_command(peer_command(peer)(file.path, out), out)

    return in_turn([Subject(peer, start, counted, is_slow=True)], 1, options.folder)[peer]


def _line(subject: str, shape: str, file: ShapeFile, measured: Measured) -> dict[str, Any]:
    figures = measured.figures()
    content = measured.outcome
    return {
        "subject": subject,
        "shape": shape,
        "megabytes": round(file.bytes / 1e6),
        "bytes": file.bytes,
        **figures,
        "bytesPerSecond": file.bytes / figures["wall"] if figures else None,
        "rows": content.rows if content else None,
        "checksum": content.checksum if content else None,
        "isSame": None,
        "failed": measured.failed,
    }


def _ratio(one: Measured, file: ShapeFile, flat: Measured, flat_file: ShapeFile) -> float | None:
    """How many times as many bytes a second as of the flat shape: turn by turn, the median."""
    shared = one.repetitions.keys() & flat.repetitions.keys()
    ratios = [
        (file.bytes / one.repetitions[turn].wall) / (flat_file.bytes / flat.repetitions[turn].wall) for turn in shared
    ]
    return median(ratios) if ratios else None
