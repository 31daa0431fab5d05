"""From the pieces of a file to staged rows, under a schema that fits all of it.

The schema is inferred from the first piece (and from the table, whose columns are frozen) and verified by the rest.
When a later piece contradicts it, the schema is inferred from the whole file, which is then read again.
A new table's profile likewise: drafted from the first piece, confirmed by the staged rows of the whole file.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from lambdas.lake.formats import json_records
from lambdas.lake.formats.json_records import Fields, Rejected
from lambdas.lake.formats.splitting import Piece, WrongSplit
from lambdas.lake.parsing.stager import SchemaChanged, Staged, Stager
from lambdas.lake.parsing.survey import survey
from lambdas.lake.profile.field_statistics import FieldStatistics
from lambdas.lake.profile.profile import Profile
from lambdas.lake.rows.staging import Rows

if TYPE_CHECKING:
    from lambdas.lake.profile.inference import Inference

SAMPLE_RECORDS = 500
"""Enough to infer a schema and a profile from; the rest of the file verifies them."""

Pieces = Callable[[bool], Iterator[Piece]]
"""Splits the file into pieces from the start, optimistically or safely; may be called repeatedly."""


def read(
    engine: duckdb.DuckDBPyConnection, pieces: Pieces, rows: Rows, folder: Path, inference: "Inference | None" = None
) -> Staged:
    """Stage every record of a file; `rows.schema` is the table's so far.

    A table without a profile has it decided by `inference`; `rows.profile` counts for nothing then.

    Raises:
        Unloadable: the file is broken.
        Undecided: its records support no profile.
    """
    first = first_records(pieces(False))
    sample = FieldStatistics.of(first)
    if inference is None or not first:
        return _read(engine, pieces, rows, sample, folder)
    draft = inference.draft(engine, first)
    staged = _read(engine, pieces, replace(rows, profile=draft or Profile()), sample, folder / "draft")
    if staged.rows > len(first):
        profile = inference.confirm(engine, staged.files, staged.schema)
    else:
        profile = draft or inference.decide(engine)
    if profile == draft:
        return staged
    shutil.rmtree(folder / "draft")
    return _read(engine, pieces, replace(rows, profile=profile), sample, folder / "decided")


def first_records(pieces: Iterator[Piece], most: int = SAMPLE_RECORDS) -> list[Fields]:
    """A sample of a file's records: the first that are not rejected."""
    return list(islice(_good(pieces), most))


def _good(pieces: Iterator[Piece]) -> Iterator[Fields]:
    """The records of pieces, without those that are rejected."""
    for piece in pieces:
        yield from (found for found in json_records.read(piece) if not isinstance(found, Rejected))


def _read(
    engine: duckdb.DuckDBPyConnection, pieces: Pieces, rows: Rows, sample: FieldStatistics, folder: Path
) -> Staged:
    """Stage every record under a profile; the sample's schema is tried first."""
    known, is_id = rows.schema, rows.profile.is_id
    inferred = replace(rows, schema=sample.schema(known, is_id))
    for is_optimistic in (True, False):
        work = folder / ("optimistic" if is_optimistic else "safe")
        try:
            return Stager(engine, inferred, sample, work, is_optimistic=is_optimistic).stage(pieces(is_optimistic))
        except WrongSplit:
            shutil.rmtree(work)
        except SchemaChanged:
            shutil.rmtree(work)
            break
    surveyed = replace(rows, schema=survey(pieces(False), known, is_id))
    return Stager(engine, surveyed, sample, folder / "surveyed", is_final=True).stage(pieces(False))
