"""Two results are the same when all their values are, whatever columns are called and times are typed as."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from benchmarks.checksum import Content, of_json, of_parquet

FIELDS = ["eventId", "contactId", "timestamp"]
COLUMNS = {"eventId": "BIGINT", "contactId": "VARCHAR", "timestamp": "VARCHAR"}
ROWS = [(1, "k1", "2026-01-12T05:30:02.092+02:00"), (2, None, "2026-01-12T01:00:00.000-04:00")]


def content(path: Path, names: Sequence[str], rows: Sequence[tuple[int, str | None, str]], time: str) -> Content:
    engine = duckdb.connect()
    engine.execute("SET TimeZone = 'UTC'")
    engine.execute("CREATE TABLE t (id BIGINT, contact VARCHAR, moment VARCHAR)")
    engine.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
    columns = ", ".join(f'{value} AS "{name}"' for value, name in zip(("id", "contact", time), names, strict=True))
    engine.execute(f"COPY (SELECT {columns} FROM t) TO '{path}' (FORMAT parquet)")
    return of_parquet([str(path)], FIELDS)


@pytest.fixture
def expected(tmp_path: Path) -> Content:
    return content(tmp_path / "expected.parquet", FIELDS, ROWS, "moment")


def test_other_names_and_instants_for_texts_are_the_same(tmp_path: Path, expected: Content) -> None:
    names = ["event_id", "contact_id", "timestamp"]
    assert content(tmp_path / "a.parquet", names, ROWS[::-1], "moment::TIMESTAMPTZ") == expected
    assert content(tmp_path / "b.parquet", names, ROWS, "(moment::TIMESTAMPTZ AT TIME ZONE 'UTC')") == expected


def test_json_lines_are_the_same_as_their_parquet(tmp_path: Path, expected: Content) -> None:
    path = tmp_path / "rows.json"
    path.write_text(
        '{"eventId":1,"contactId":"k1","timestamp":"2026-01-12T05:30:02.092+02:00"}\n'
        '{"eventId":2,"contactId":null,"timestamp":"2026-01-12T01:00:00.000-04:00"}\n'
    )
    assert of_json([path], COLUMNS) == expected
    assert of_json([path], COLUMNS, "eventId = 1").rows == 1


@pytest.mark.parametrize(
    "rows",
    [
        [ROWS[0]],
        [*ROWS, ROWS[1]],
        [(1, "k2", ROWS[0][2]), ROWS[1]],
        [(1, "k1", "2026-01-12T05:30:02.093+02:00"), ROWS[1]],
        [ROWS[0], (2, "", ROWS[1][2])],
    ],
    ids=["lost", "twice", "another text", "another time", "empty for none"],
)
def test_any_other_row_is_another_checksum(
    rows: list[tuple[int, str | None, str]], tmp_path: Path, expected: Content
) -> None:
    assert content(tmp_path / "other.parquet", FIELDS, rows, "moment") != expected


def test_dropped_column_is_reported(tmp_path: Path) -> None:
    found = content(tmp_path / "other.parquet", ["eventId", "other", "timestamp"], ROWS, "moment")
    assert found == Content(2, "without contactId")
