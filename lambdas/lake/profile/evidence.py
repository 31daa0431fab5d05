"""Evidence: what the records of an export say about the fields that may have a role."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from lambdas.lake.column_types import Column, Kind, Schema
from lambdas.lake.engine import parquet, timestamp
from lambdas.lake.profile import field_names
from lambdas.lake.profile.profile import EventTime
from lambdas.lake.profile.sample import Sample
from lambdas.lake.profile.time_formats import formats_of, has_no_offset, instant, instant_in
from lambdas.lake.profile.window import Window
from lambdas.lake.sql import name, text
from lambdas.vocabulary import TimeFormat

# A sample field with fewer values of a format is no time of every record.
_SAMPLE_SHARE = 0.9
# Measured: 150 columns at once do not fit into the engine's memory, whatever the number of records.
_COLUMNS_AT_ONCE = 24
# A record has some dozens; all else is names that are values.
_MOST_PATHS = 100
# Up to so many rows, people are shown how many times differ; beyond, about how many.
_EXACT_ROWS = 100_000
_WITH_OBJECTS = (Kind.JSON, Kind.STRING, Kind.ID)
_HOUR = 3_600_000_000
_DAY = 24 * _HOUR


@dataclass(frozen=True)
class TimeEvidence:
    """What the records hold at a path, read as times of one format."""

    field: str
    format: TimeFormat
    records: int
    parsed: int
    """Records with a time."""
    inside: int
    """Records whose time lies in the window; all that parsed where the window is unknown."""
    distinct: int
    """Different instants."""
    without_offset: int
    """Texts whose zone has to be assumed."""
    are_dates: bool
    """Whether all are midnights in the zone: dates alone."""
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True)
class FieldEvidence:
    """How many records have a value at a path, and how many values differ."""

    filled: int
    distinct: int


@dataclass(frozen=True)
class Evidence:
    """What an export's records say, over all of them or a sample."""

    records: int
    distinct_records: int
    fields: Mapping[str, FieldEvidence] = field(default_factory=dict)
    """Of those that may have a role."""
    times: tuple[TimeEvidence, ...] = ()
    paths: tuple[str, ...] = ()
    """All fields and paths."""


def of_sample(
    engine: duckdb.DuckDBPyConnection, sample: Sample, formats: Mapping[str, Sequence[TimeFormat]], scope: "Scope"
) -> Evidence:
    """The evidence of a sample; `formats` as `candidates` found them."""
    values = {path: sample.values(path) for path in _telling(sample.paths, formats, scope)}
    fields = {path: FieldEvidence(len(found), len(set(found))) for path, found in values.items()}
    timed = [path for path in values if path in formats]
    times: list[TimeEvidence] = []
    # The engine is given times alone: hundreds of columns take minutes, and more than its memory.
    for start in range(0, len(timed), _COLUMNS_AT_ONCE):
        columns = {path: f"c{number}" for number, path in enumerate(timed[start : start + _COLUMNS_AT_ONCE], start=1)}
        listed = ", ".join(f"unnest($values[{number}]) AS c{number}" for number, _ in enumerate(columns, start=1))
        held = {"values": [[record.get(path) for record in sample.records] for path in columns]}
        relation = f"(SELECT {listed})"
        times += _times(engine, relation, columns, formats, scope=scope, parameters=held)
    contents = {repr(sorted(record.items())) for record in sample.records}
    return Evidence(len(sample.records), len(contents), fields, tuple(times), sample.paths)


def of_files(
    engine: duckdb.DuckDBPyConnection,
    files: Sequence[Path],
    schema: Schema,
    *,
    paths: Iterable[str],
    formats: Mapping[str, Sequence[TimeFormat]],
    scope: "Scope",
) -> Evidence:
    """The evidence of all records of an export, from its staged files."""
    every = tuple(paths)
    listed = [(path, _stored(path, schema)) for path in _telling(every, formats, scope)]
    held = ", ".join(f"coalesce({name(column.name)}::VARCHAR, '')" for column in schema.stored)
    # Events have no key that may be unique, so that it suffices whether values differ: mostly they do in one file.
    content = f"hash({held or text('')})" if scope.may_have_key else text("")
    records, distinct_records = 0, 0
    fields: dict[str, FieldEvidence] = {}
    times: list[TimeEvidence] = []
    # Some columns at a time: each that is counted takes memory for its values.
    for start in range(0, max(len(listed), 1), _COLUMNS_AT_ONCE):
        some = listed[start : start + _COLUMNS_AT_ONCE]
        columns = {path: f"c{number}" for number, (path, _) in enumerate(some, start=1)}
        selected = ", ".join(f"{sql} AS c{number}" for number, (_, sql) in enumerate(some, start=1))
        select = f"SELECT {selected or '1'}, {text('') if start else content} AS content"
        differing = set()
        if not scope.may_have_key and len(files) > 1:
            _, _, of_one = _fields(engine, f"({select} FROM {parquet(files[:1])})", columns, scope)
            differing = {path for path, found in of_one.items() if found.distinct > 1}
        whole = f"({select} FROM {parquet(files)})"
        found = _fields(engine, whole, columns, scope, differing)
        records, distinct_records = found[:2] if not start else (records, distinct_records)
        fields |= found[2]
        times += _times(engine, whole, columns, formats, scope=scope, exactly=records <= _EXACT_ROWS)
    return Evidence(records, distinct_records, fields, tuple(times), every)


def _telling(paths: Sequence[str], formats: Mapping[str, Sequence[TimeFormat]], scope: "Scope") -> list[str]:
    """The paths that may have a role, in their order: values that are used as names are too many to measure."""
    found = [path for path in paths if path in formats or field_names.role(path) or field_names.is_id(path)]
    return list(dict.fromkeys([*(path for path in paths if path in scope.chosen), *found[:_MOST_PATHS]]))


@dataclass(frozen=True)
class Scope:
    """What times are measured by: the zone of texts without an offset, and the window that was ordered."""

    time_zone: str
    window: Window | None = None
    chosen: frozenset[str] = frozenset()
    """The paths that the settings name."""
    may_have_key: bool = True
    """Whether the records may be entities."""


def instants_at(engine: duckdb.DuckDBPyConnection, sample: Sample, time: EventTime) -> list[int | None]:
    """The instants of a sample's records, in microseconds since 1970."""
    found = f"epoch_us({instant('held', time.format, time.time_zone)})"
    rows = engine.execute(
        f"SELECT {found} FROM (SELECT unnest($held::VARCHAR[]) AS held, unnest($positions) AS position) "
        "ORDER BY position",
        {"held": [record.get(time.field) for record in sample.records], "positions": list(range(len(sample.records)))},
    ).fetchall()
    return [moment for (moment,) in rows]


def candidates(sample: Sample, chosen: Collection[str] = ()) -> dict[str, list[TimeFormat]]:
    """The paths of a sample that may be times, with the formats that their texts may be of.

    `chosen` are paths that the settings name: not every record needs one.
    """
    found: dict[str, list[TimeFormat]] = {}
    for path in sample.paths:
        if field_names.is_id(path) and path not in chosen:
            continue
        values = sample.values(path)
        fitting = _fitting(values)
        if fitting and (path in chosen or len(values) >= _SAMPLE_SHARE * len(sample.records)):
            found[path] = fitting
    return found


def _fitting(values: Sequence[str]) -> list[TimeFormat]:
    """The formats that nearly all of these texts may be of."""
    looks: Counter[TimeFormat] = Counter()
    without = 0
    for value in values:
        formats = formats_of(value)
        looks.update(formats)
        without += not formats
        # Most fields are no times, and hundreds of them take long.
        if without > (1 - _SAMPLE_SHARE) * len(values):
            return []
    return [one for one in TimeFormat if looks[one] >= _SAMPLE_SHARE * len(values)]


def _fields(
    engine: duckdb.DuckDBPyConnection,
    relation: str,
    columns: Mapping[str, str],
    scope: Scope,
    differing: Collection[str] = (),
) -> tuple[int, int, dict[str, FieldEvidence]]:
    """Records, different records, and the fields' evidence; `differing` are paths that are known to differ."""
    distinct = "count(DISTINCT {0})" if scope.may_have_key else "(count({0}) > 0)::INT + (min({0}) <> max({0}))::INT"
    measures = ["count(*)", "count(DISTINCT content)"]
    for path, column in columns.items():
        measures += [f"count({column})", f"coalesce({distinct.format(column)}, 0)" if path not in differing else "2"]
    row = engine.execute(f"SELECT {', '.join(measures)} FROM {relation}").fetchone() or ()
    return row[0], row[1], {path: FieldEvidence(row[2 + 2 * n], row[3 + 2 * n]) for n, path in enumerate(columns)}


def _times(
    engine: duckdb.DuckDBPyConnection,
    relation: str,
    columns: Mapping[str, str],
    formats: Mapping[str, Sequence[TimeFormat]],
    *,
    scope: Scope,
    parameters: Mapping[str, object] | None = None,
    exactly: bool = True,
) -> tuple[TimeEvidence, ...]:
    tried = [(path, one) for path, some in formats.items() if path in columns for one in some]
    if not tried:
        return ()
    instants, measures = [], ["count(*)"]
    for number, (path, one) in enumerate(tried):
        instants.append(f"{instant_in(columns[path], one, scope.time_zone)} AS t{number}")
        instants.append(f"t{number} IS NOT NULL AND {has_no_offset(columns[path])} AS n{number}")
        inside, from_midnight = _inside(f"t{number}", scope.window), _from_midnight(f"t{number}", scope.time_zone)
        measures += [
            f"count(t{number})",
            f"count(*) FILTER ({inside})",
            f"count(DISTINCT t{number})" if exactly else f"approx_count_distinct(t{number})",
            f"count(*) FILTER (n{number})",
            f"coalesce(bool_and({from_midnight} IN (0, {_HOUR}, {_DAY - _HOUR})), false)",
            f"epoch_us(min(t{number}))",
            f"epoch_us(max(t{number}))",
        ]
    # Materialized, or the engine would make an instant anew for each of its measures; the texts would take longer.
    records, *rest = (
        engine.execute(
            f"WITH timed AS MATERIALIZED (SELECT {', '.join(instants)} FROM {relation}) "
            f"SELECT {', '.join(measures)} FROM timed",
            parameters,
        ).fetchone()
        or ()
    )
    return tuple(
        TimeEvidence(path, one, records, *rest[7 * n : 7 * n + 5], *map(_moment, rest[7 * n + 5 : 7 * n + 7]))
        for n, (path, one) in enumerate(tried)
    )


def _inside(moment: str, window: Window | None) -> str:
    if window is None:
        return f"{moment} IS NOT NULL"
    return f"{moment} BETWEEN timezone('UTC', {timestamp(window.start)}) AND timezone('UTC', {timestamp(window.end)})"


def _from_midnight(moment: str, time_zone: str) -> str:
    """SQL for the microseconds since the zone's midnight, an hour off for as long as daylight saving lasts."""
    midnight = f"epoch_us(timezone({text(time_zone)}, TIMESTAMPTZ '2026-01-01 00:00:00+00'))"
    return f"(epoch_us({moment}) + {midnight}) % {_DAY}"


def _stored(path: str, schema: Schema) -> str:
    """SQL for the text at a path of staged rows."""
    column: Column | None = schema.by_source.get(path)
    if column is not None and column.kind in _WITH_OBJECTS:
        # An object is no who or what, but its fields may be: as in a sample.
        return f"CASE WHEN NOT {_is_object(name(column.name))} THEN {name(column.name)} END"
    if column is not None and column.kind is not Kind.NULL:
        return f"{name(column.name)}::VARCHAR"
    first, _, rest = path.partition(".")
    outer = schema.by_source.get(first)
    if outer is None or outer.kind not in _WITH_OBJECTS:
        return "NULL::VARCHAR"
    held = name(outer.name)
    found = ", ".join(f"json_extract_string({held}, {text(pointer)})" for pointer in _pointers(rest))
    return f"CASE WHEN {_is_object(held)} THEN coalesce({found}) END"


def _is_object(held: str) -> str:
    """SQL for whether a column has an object's JSON text, and not an id in braces."""
    # Most texts begin otherwise, and the pattern costs ten times the comparison.
    return f"CASE WHEN starts_with({held}, '{{') THEN regexp_matches({held}, '^.\\s*[\"}}]') ELSE false END"


def _pointers(path: str) -> list[str]:
    """JSON pointers for a path: a name that has the dots itself comes before a path, as in `sample.at`."""
    parts = path.split(".")
    named = ([*parts[:count], ".".join(parts[count:])] for count in range(len(parts)))
    # Pointers take any name; of JSON paths, the engine refuses some names and takes `*` for a pattern.
    return ["".join("/" + part.replace("~", "~0").replace("/", "~1") for part in names) for names in named]


def _moment(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else datetime.fromtimestamp(microseconds / 1_000_000, UTC)
