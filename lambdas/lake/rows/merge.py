"""The merge: an idempotent upsert. An identity's rows come from the one export that has most of them, or the newest.

A table is thereby a function of the set of exports loaded, whatever their order and however often each was loaded.
The rows store what the rule needs: their age (`_ordered_at`, `_batch_id`) and their identity (`_row_id`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import duckdb

from lambdas.lake.column_types import BATCH_ID, EVENT_AT, ORDERED_AT
from lambdas.lake.engine import files, parquet, timestamp, workers
from lambdas.lake.errors import Unloadable
from lambdas.lake.profile.audit import Counts, Interval
from lambdas.lake.profile.field_names import is_title
from lambdas.lake.rows.sorted_files import SortedFile, follow_each_other, shape, write
from lambdas.lake.rows.spans import within
from lambdas.lake.rows.staging import Rows, content_columns, identity, identity_columns, stored_columns
from lambdas.lake.rows.time_ranges import range_predicates
from lambdas.lake.sql import name, text
from lambdas.lake.storage.keys import UNKNOWN_DAY

# Identities of both; rows of the export alone, and the table's of what both have; identities with more, or fewer.
_OVERLAP = (
    "count(*) FILTER (NOT _is_new AND {shared}), sum(_n) FILTER (_is_new AND {shared}), "
    "sum(_theirs) FILTER ({shared}), count(*) FILTER (NOT _is_new AND _n > _theirs AND {shared}), "
    "count(*) FILTER (_n < _theirs AND {shared})"
)
# Below that share of what both have, rows that vanished and appeared are not compared.
_PAIRED_SHARE = 0.005


@dataclass(frozen=True)
class Merged:
    """The result of merging one day, in rows, and its new files; none when nothing changed."""

    read: int
    new: int
    updated: int
    files: tuple[Path, ...] = ()
    overlap: Counts = field(default_factory=Counts)


class Merge:
    """Merges staged rows into stored files, one day (or one entity table) at a time."""

    def __init__(
        self,
        engine: duckdb.DuckDBPyConnection,
        rows: Rows,
        staged: Mapping[str, Sequence[SortedFile]],
        shared: Sequence[Interval] = (),
    ) -> None:
        """Prepare for the sorted files of an export, by day; `shared` is the time that the table covers too."""
        self._engine = engine
        self._rows = rows
        self._staged = staged
        self._is_shared = within(shared) if rows.profile.has_days else "true"
        self._listed = ", ".join(map(name, stored_columns(rows)))
        self._content = ", ".join(map(name, content_columns(rows)))
        self._identity = ", ".join(map(name, identity(rows)))
        self._has_time = False
        engine.execute(f"CREATE OR REPLACE TABLE shape ({shape(rows)})")

    def check_key(self) -> None:
        """Check that the key is unique.

        Raises:
            Unloadable: two records of the export share the key and differ.
        """
        if not self._repeats:
            return
        twice = self._engine.execute(
            f"SELECT count(*) FROM (SELECT {self._identity} FROM {self._all} WHERE {self._has_key} GROUP BY ALL "
            f"HAVING count(DISTINCT row({self._content})) > 1)"
        ).fetchone()
        if twice is not None and twice[0]:
            fields = " with ".join(self._rows.profile.identity)
            raise Unloadable(
                f"{fields} is no key of {self._rows.export.name}: {twice[0]} of its values stand twice or more in this "
                "export, with different content. Choose other fields in the setting identityFields, and replay."
            )

    def into(self, day: str, stored: list[Path], folder: Path) -> Merged:
        """Merge the staged rows of a day (`ALL` for an entity) with its stored files; write new files to `folder`."""
        fresh = self._staged[day]
        self._has_time = self._rows.profile.has_days and day != UNKNOWN_DAY
        run = self._engine.execute
        # Rows that share a key are equal (`check_key`), so one of them suffices.
        once = (
            f"QUALIFY NOT ({self._has_key}) OR row_number() OVER (PARTITION BY {self._identity}) = 1"
            if self._repeats
            else ""
        )
        run(f"CREATE OR REPLACE VIEW fresh AS SELECT {self._listed} FROM {parquet(_paths(fresh))} {once}")
        if not stored:
            return self._first(fresh, folder)
        run(f"CREATE OR REPLACE VIEW stored AS SELECT {self._listed} FROM {self.stored(stored)}")
        count, shared = self._counted("stored")
        read, new, updated, changed, overlap = self._judge(shared)
        made = self._write(self._merged, "(FROM stored UNION ALL FROM fresh)", count + read, folder) if changed else ()
        # The engine outlives the merge, and its memory is for the next batch.
        run("DROP TABLE verdict")
        return Merged(read, new, updated, made, overlap)

    def stored(self, paths: Sequence[Path]) -> str:
        """SQL for the stored rows in the current columns: files from before a column was added lack it."""
        return (
            f"(SELECT * FROM shape UNION ALL BY NAME SELECT * FROM read_parquet({files(paths)}, union_by_name=true, "
            "hive_partitioning=false))"
        )

    def _counted(self, relation: str) -> tuple[int, int]:
        """How many rows a relation has, and how many of them where the export and the table cover the same time."""
        counted = f"SELECT count(*), count(*) FILTER ({self._is_shared}) FROM {relation}"
        return self._engine.execute(counted).fetchone() or (0, 0)

    def _judge(self, stored: int) -> tuple[int, int, int, bool, Counts]:
        """Decide for every fresh identity whether its rows win; return rows read, new, updated, any change.

        `stored` is the number of the table's rows where both cover the same time.
        """
        run = self._engine.execute
        age = f"({timestamp(self._rows.ordered_at)}, {text(self._rows.batch_id)})"
        # The hash of an identity's rows as a multiset: it counts what changed, and decides nothing.
        content = f"sum(hash({self._content})::HUGEINT) AS _content"
        run(
            "CREATE OR REPLACE TABLE verdict AS WITH "
            f"ours AS (SELECT {self._identity}, count(*) AS _n, {content} FROM fresh GROUP BY ALL), "
            f"theirs AS (SELECT {self._identity}, count(*) AS _n, {content}, max(({ORDERED_AT}, {BATCH_ID})) AS _age "
            f"FROM stored SEMI JOIN ours ON {self._are_same('stored', 'ours')} GROUP BY ALL) "
            "SELECT ours.* EXCLUDE (_content), theirs._n IS NULL AS _is_new, coalesce(theirs._n, 0) AS _theirs, "
            "ours._content IS DISTINCT FROM theirs._content AS _differs, "
            f"theirs._n IS NULL OR ours._n > theirs._n OR (ours._n = theirs._n AND {age} > theirs._age) AS _wins "
            f"FROM ours LEFT JOIN theirs ON {self._are_same('ours', 'theirs')}"
        )
        tally = run(
            "SELECT sum(_n), sum(_n) FILTER (_is_new), sum(_n) FILTER (_wins AND _differs AND NOT _is_new), "
            f"coalesce(bool_or(_wins), false), {_OVERLAP.format(shared=self._is_shared)} FROM verdict"
        ).fetchone()
        assert tally is not None  # noqa: S101 - an aggregate has one row
        read, new, updated, changed, both, appeared, theirs, *counts = (int(number or 0) for number in tally)
        return read, new, updated, bool(changed), self._overlap(both, appeared, stored - theirs, *counts)

    def _overlap(self, shared: int, new: int, missing: int, inflated: int, deflated: int) -> Counts:
        """What both have where they cover the same time, and what only the export, or the table, has."""
        is_worth = self._rows.profile.has_days and min(new, missing) > _PAIRED_SHARE * shared
        return Counts(
            shared=shared,
            new=new,
            missing=missing,
            paired=self._paired() if is_worth else 0,
            inflated=inflated,
            deflated=deflated,
            renamed=0 if self._rows.profile.has_days else self._renamed(),
        )

    def _paired(self) -> int:
        """How many rows that vanished have a new one at their instant, or of their who and what.

        Only where these are a single row's: a mailing's many rows share an instant, and a contact may click often.
        """
        columns = identity_columns(self._rows.profile, self._rows.schema)
        named = ", ".join(name(column.name) for column in columns)
        vanished = f"stored ANTI JOIN verdict ON {self._are_same('stored', 'verdict')} WHERE {self._is_shared}"
        parts = [
            f"SELECT count(*) FROM (SELECT {one} FROM {vanished} INTERSECT "
            f"SELECT {one} FROM stored WHERE {self._is_shared} GROUP BY ALL HAVING count(*) = 1 INTERSECT "
            f"SELECT {one} FROM verdict WHERE _is_new AND {self._is_shared} GROUP BY ALL HAVING sum(_n) = 1)"
            for one in (EVENT_AT, named)
            if one
        ]
        found = self._engine.execute(f"SELECT {' + '.join(f'({part})' for part in parts)}").fetchone()
        return int(found[0]) if found else 0

    def _renamed(self) -> int:
        """How many keys stand for something of another name."""
        named = [column.name for column in self._rows.schema.stored if is_title(column.source)]
        differ = " AND ".join(f"fresh.{name(column)} <> stored.{name(column)}" for column in named)
        (count,) = self._engine.execute(
            f"SELECT count(*) FROM fresh JOIN stored ON {self._are_same('fresh', 'stored')} WHERE {differ or 'false'}"
        ).fetchone() or (0,)
        return int(count)

    def _first(self, fresh: Sequence[SortedFile], folder: Path) -> Merged:
        """Merge into a day without stored rows: every fresh row is new, and sorted files may be stored as they are."""
        count, shared = self._counted("fresh")
        overlap = Counts(new=shared) if self._rows.profile.has_days else Counts()
        is_sorted = not self._repeats and follow_each_other(fresh)
        made = _paths(fresh) if is_sorted else self._write(self._fresh, "fresh", count, folder)
        return Merged(count, count, 0, made, overlap)

    def _fresh(self, span: str) -> str:
        return f"SELECT {self._listed} FROM fresh WHERE {span}"

    def _merged(self, span: str) -> str:
        won = f"(FROM verdict WHERE _wins AND {span}) AS won"
        return (
            f"SELECT {self._listed} FROM (FROM stored WHERE {span}) AS stored ANTI JOIN {won} "
            f"ON {self._are_same('stored', 'won')} UNION ALL "
            f"SELECT {self._listed} FROM (FROM fresh WHERE {span}) AS fresh SEMI JOIN {won} "
            f"ON {self._are_same('fresh', 'won')}"
        )

    def _write(self, selected: Callable[[str], str], rows: str, count: int, folder: Path) -> tuple[Path, ...]:
        """Write the selected rows to consecutive files, one a time range of `rows`, which are `count`."""

        def write_range(number: int, span: str) -> Path:
            file = folder / f"merged-{number:05}.parquet"
            with self._engine.cursor() as engine:
                write(engine, selected(span), self._rows, file)
            return file

        spans = range_predicates(self._engine, rows, count) if self._rows.profile.has_days else ["true"]
        if len(spans) == 1:
            return (write_range(0, *spans),)
        with workers(self._engine) as pool:
            return tuple(pool.map(write_range, range(len(spans)), spans))

    def _are_same(self, one: str, other: str) -> str:
        """SQL for whether rows of two relations have the same identity."""
        # Equal times let the engine skip stored rows of other times; where all are null they are the same, not equal.
        equal = [EVENT_AT] if self._has_time else []
        return " AND ".join(
            f"{one}.{name(column)} {'=' if column in equal else 'IS NOT DISTINCT FROM'} {other}.{name(column)}"
            for column in identity(self._rows)
        )

    @cached_property
    def _all(self) -> str:
        return parquet(_paths([file for fresh in self._staged.values() for file in fresh]))

    @cached_property
    def _repeats(self) -> bool:
        """Whether a key occurs twice: rare, and checking once costs less than deduplicating."""
        if not self._rows.profile.is_key:
            return False
        found = self._engine.execute(
            f"SELECT count(*) > count(DISTINCT row({self._identity})) FROM {self._all}"
        ).fetchone()
        return bool(found and found[0])

    @cached_property
    def _has_key(self) -> str:
        """SQL for whether a row has its key."""
        held = identity_columns(self._rows.profile, self._rows.schema)
        return " OR ".join(f"{name(column.name)} IS NOT NULL" for column in held) or "true"


def _paths(files: Sequence[SortedFile]) -> tuple[Path, ...]:
    return tuple(file.path for file in files)
