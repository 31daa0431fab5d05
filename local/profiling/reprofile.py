"""Files that contradict each other under a profile of which little is known: decided again, as the load does it."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import duckdb

from lambdas.lake.column_types import Schema
from lambdas.lake.errors import Contradiction, Unloadable
from lambdas.lake.parsing import parse
from lambdas.lake.profile.profile import Profile
from lambdas.lake.profile.sample import Sample, sample_of
from lambdas.lake.storage.landing import Manifest
from lambdas.lake.tables.glue_tables import frozen
from lambdas.settings import Settings
from lambdas.steps.reprofile import profile_again
from lambdas.steps.table_checks import may_be_decided_again
from local.profiling.reading import Known, Reading, evidence, merged, split


def reprofiled(
    engine: duckdb.DuckDBPyConnection, reading: Reading, known: Known, settings: Settings, folder: Path
) -> Reading:
    """Return the reading under the profile on which all files agree, with the table made again in its `made`.

    It stays as it is when there is nothing to decide again, and says why when no profile agrees.
    """
    table, files = known.table, {one.file.name: one for one in (*known.loaded, reading)}
    # Two files of one name could not be told apart.
    if not reading.is_contradiction or table is None or len(files) <= len(known.loaded):
        return reading
    if not may_be_decided_again(table, reading.export, settings):
        return reading

    def taken(manifest: Manifest, most: int) -> Sample:
        one = files[manifest.batch_id]
        return sample_of(parse.first_records(split(one.file, one.export, is_optimistic=False), most))

    try:
        profile, twice = profile_again(
            engine,
            reading.export,
            table,
            [one.manifest for one in files.values()],
            taken,
            settings=settings,
            newest=reading.manifest,
            cause=Contradiction(reading.problem or ""),
        )
        kept = [one for one in files.values() if one.manifest.batch_id not in twice]
        return _made_again(engine, kept, profile, settings, folder)
    except Unloadable as error:
        return replace(reading, problem=str(error))


def _made_again(
    engine: duckdb.DuckDBPyConnection, files: list[Reading], profile: Profile, settings: Settings, folder: Path
) -> Reading:
    """Read and merge files anew under a profile; return the reading of the last.

    Raises:
        Unloadable: one of them cannot be merged.
    """
    known, last = Known(), files[-1]
    for number, one in enumerate(sorted(files, key=lambda one: one.manifest.age)):
        work, table = folder / f"again-{number}", known.table
        schema, taken = (Schema(), profile) if table is None else (frozen(table.schema.stored), table.profile)
        rows = replace(one.rows, schema=schema, profile=taken)
        staged = parse.read(engine, partial(split, one.file, one.export), rows, work / "load")
        made = replace(one, rows=rows, staged=staged, profile=taken, problem=None, made=None)
        made = replace(made, is_contradiction=False, is_reprofiled=True)
        known = merged(engine, made, known, settings, work) or known
        last = made if one.file == last.file else last
    return replace(last, evidence=evidence(engine, last), made=known)
