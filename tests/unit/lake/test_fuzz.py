"""Fuzzing: the rows and quarantined records of a mutated file reconcile, or the file is refused with a sentence."""

import json
import random
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from lambdas.lake import engine
from lambdas.lake.column_types import Kind, Schema
from lambdas.lake.errors import Unloadable
from lambdas.lake.formats.splitting import pieces
from lambdas.lake.parsing import parse
from lambdas.lake.rows.merge import Merge
from lambdas.lake.rows.staging import Rows
from lambdas.lake.storage.raw_object import unpacked
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.lake.in_process_lake import zipped
from tests.unit.lake.parsing_paths import PROFILE
from tests.unit.lake.properties import CAMPAIGN

pytestmark = pytest.mark.no_cover

OPENS = EXPORT_TYPES["OPENS"]
RECORDS = [
    {"eventId": 1, "contactId": "a", "timestamp": "2024-03-01T10:00:00.000+02:00", "rate": 0.5, "ok": True},
    {"eventId": 2, "contactId": 'é},{"x', "timestamp": 1709287200000, "tags": [{"a": [1, None]}, {}], "x": None},
    {"eventId": -3, "contactId": None, "timestamp": "2024-03-02", "rate": 1e-7, "text": 'a\\"\n\t'},
]
SEEDS = [
    json.dumps(RECORDS).encode(),
    json.dumps(RECORDS, ensure_ascii=False, separators=(",", ":")).encode(),
    json.dumps(RECORDS, indent=1).encode(),
    b"".join(json.dumps(record).encode() + b"\n" for record in RECORDS),
    json.dumps({"status": "ok", "data": RECORDS, "n": 3}).encode(),
    b"".join(json.dumps(record).encode() for record in RECORDS),
    b"\r".join(json.dumps(record).encode() for record in RECORDS),
    b"".join(json.dumps(record).encode() + b",\n" for record in RECORDS),
    b"".join(json.dumps([record, record]).encode() + b"\n" for record in RECORDS),
    b"\n".join(json.dumps(record, indent=1).encode() for record in RECORDS),
]
TOKENS = [
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b'"',
    b"\\",
    b"\n",
    b"\r",
    b" ",
    b"null",
    b"NaN",
    b"-",
    b"1e999",
    b"0.5",
    b"\x00",
]
TOKENS += [
    b"\xff",
    b"\xef\xbb\xbf",
    b"\\u0000",
    b"\\ud800",
    b"},{",
    b'"eventId":',
    b"[[[[",
    b"9" * 25,
    b"1e-400",
    b"\x1f\x8b",
]


def mutated(rng: random.Random) -> bytes:
    content = bytearray(rng.choice(SEEDS))
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(content) + 1)
        span = rng.randint(1, 12)
        match rng.randrange(6):
            case 0:
                del content[at : at + span]
            case 1:
                content[at:at] = rng.choice(TOKENS)
            case 2:
                content[at : at + span] = rng.choice(TOKENS)
            case 3:
                content[at:at] = content[rng.randrange(len(content) + 1) :][: span * 8]
            case 4:
                content[at : at + 1] = bytes([rng.randrange(256)])
            case 5:
                content = content[:at] if rng.randrange(4) == 0 else content
    return zipped(bytes(content)) if rng.randrange(20) == 0 else bytes(content)


def outcome(content: bytes, known: Schema, size: int, duck: duckdb.DuckDBPyConnection, folder: Path) -> str:
    """Read a file as the load does, and check that the counts of its records reconcile."""
    rows = Rows(OPENS, known, PROFILE, "Europe/Stockholm", datetime(2024, 3, 3, tzinfo=UTC), "b")
    try:
        staged = parse.read(
            duck,
            lambda is_optimistic: pieces(unpacked(iter([content])), OPENS, size, is_optimistic=is_optimistic),
            rows,
            folder,
        )
    except Unloadable as error:
        # A sentence quotes no value of the file.
        is_sentence = str(error).endswith(".") and "2024" not in str(error)
        return "refused" if is_sentence else f"refused without a sentence: {error}"
    positions = {at for piece in pieces(unpacked(iter([content])), OPENS, size) for at, _ in piece.records()}
    rejects = [json.loads(line) for line in staged.rejects.read_bytes().splitlines()]
    assert staged.rows + staged.rejected == len(positions)
    assert len(rejects) == staged.rejected
    assert {line["position"] for line in rejects} <= positions
    if staged.rows:
        merge = Merge(duck, replace(rows, schema=staged.schema), staged.sorted_files)
        assert sum(run.rows for runs in staged.sorted_files.values() for run in runs) == staged.rows
        assert sum(merge.into(day, [], folder).read for day in staged.sorted_files) == staged.rows
    return "rejected" if staged.rejected else "read"


def test_a_mutated_file_reconciles_or_is_refused_with_a_sentence() -> None:
    kinds = {"eventId": Kind.BIGINT, "contactId": Kind.STRING, "rate": Kind.DOUBLE, "timestamp": Kind.BIGINT}
    table = replace(Schema().widened(kinds, PROFILE.is_id), frozen=frozenset(kinds))
    base = random.randrange(2**32) if CAMPAIGN > 1 else 1
    ends: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder, engine.connect(Path(folder)) as duck:
        for number in range(2000 * CAMPAIGN if CAMPAIGN > 1 else 100):
            rng = random.Random(base + number)
            content, size = mutated(rng), rng.choice([1, 50, 1 << 20])
            try:
                with tempfile.TemporaryDirectory(dir=folder) as work:
                    end = outcome(content, rng.choice([Schema(), table]), size, duck, Path(work))
            except Exception as error:
                raise AssertionError(f"seed {base + number}, pieces of {size}: {content!r}") from error
            ends[end] = ends.get(end, 0) + 1
    assert set(ends) == {"refused", "rejected", "read"}
