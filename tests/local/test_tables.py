"""The command `tables` lists what the lake has."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from local.lifecycle import Running
from local.problem import Problem
from local.tables import Listed, listed, show
from tests.conftest import local_in_process
from tests.local.answers import Scripted

COLUMNS = [
    {"Name": "contact_id", "Type": "string", "Comment": "The contact"},
    {"Name": "_event_at", "Type": "timestamp"},
]
OPENS = {
    "Name": "opens",
    "TableType": "EXTERNAL_TABLE",
    "Description": "Symplify OPENS",
    "StorageDescriptor": {"Columns": COLUMNS},
    "PartitionKeys": [{"Name": "dt", "Type": "string", "Comment": "The day"}],
}
LISTS = {"Name": "lists", "StorageDescriptor": {"Columns": COLUMNS[:1]}, "PartitionKeys": []}
RUNS = {"Name": "export_runs", "StorageDescriptor": {"Columns": [{"Name": "run", "Type": "string"}]}}
VIEW = {"Name": "email_sends", "TableType": "VIRTUAL_VIEW", "StorageDescriptor": {"Columns": COLUMNS[:1]}}
THEIRS = {"Name": "scratch", "StorageDescriptor": {"Columns": COLUMNS[:1]}}
LATER = f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%d}"


class Lake:
    """A catalog and an Athena that answer what a test says, and note what they were asked."""

    def __init__(self, *tables: Any, days: tuple[str, ...] = ()) -> None:
        pages = {"TableList": list(tables)}
        partitions = {"Partitions": [{"Values": [day]} for day in days]}
        self.glue = Scripted("glue", {"glue__get_tables": pages, "glue__get_partitions": partitions})
        self.asked: list[str] = []

    def query(self, sql: str) -> list[dict[str, Any]]:
        self.asked.append(sql)
        if "FROM export_runs GROUP BY" in sql:
            return [
                {"export_type": "OPENS", "ordered": "2026-11-26 02:30:00.000", "ended": "2026-11-26 02:31:00.000"},
                {"export_type": "LISTS", "ordered": None, "ended": "2026-11-26 02:35:00.000"},
            ]
        return [{"name": "opens", "number": 7, "newest": "2026-11-25 21:00:00.123"}]

    def listed(self, *names: str) -> dict[str, Listed]:
        return {one.name: one for one in listed(lambda _: self.glue, self.query, "lake", names)}


def test_tables_have_rows_days_and_freshness_and_views_and_foreign_tables_are_not_counted() -> None:
    lake = Lake(OPENS, LISTS, RUNS, VIEW, THEIRS, days=("unknown", "2026-11-25", "2026-11-24", LATER))
    found = lake.listed()
    assert list(found) == ["email_sends", "export_runs", "lists", "opens", "scratch"]
    opens = found["opens"]
    assert (opens.rows, opens.newest_event, opens.loaded_until) == (
        7,
        "2026-11-25 21:00:00.123",
        "2026-11-26 02:30:00.000",
    )
    assert opens.days == ("2026-11-24", "2026-11-25", LATER, "unknown")
    assert [column["name"] for column in opens.columns] == ["contact_id", "_event_at", "dt"]
    assert opens.dates == ("2026-11-24", "2026-11-25", LATER)
    assert found["export_runs"].loaded_until == "2026-11-26 02:35:00.000"
    assert found["lists"].days is None
    assert found["lists"].loaded_until is None
    assert found["email_sends"].described()["kind"] == "view"
    counting, _ = lake.asked
    assert "email_sends" not in counting
    assert "scratch" not in counting


def test_the_newest_event_is_looked_for_in_one_day_that_is_not_in_the_future() -> None:
    lake = Lake(OPENS, days=("2026-11-24", "2026-11-25", LATER, "unknown"))
    lake.listed()
    assert "(SELECT max(_event_at) FROM opens WHERE dt = '2026-11-25')" in lake.asked[0]


def test_a_table_that_is_not_there_is_a_sentence_with_those_that_are() -> None:
    with pytest.raises(Problem, match=r"no table or view openings\. There are: lists, opens\."):
        Lake(OPENS, LISTS).listed("openings")


def test_a_lake_without_tables_asks_athena_nothing_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    lake = Lake()
    assert lake.listed() == {}
    assert lake.asked == []
    show(Console(), [], with_columns=False)
    assert "no tables yet" in capsys.readouterr().out


def test_people_see_a_line_for_each_and_the_columns_of_those_that_they_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = list(Lake(OPENS, RUNS, days=("2026-11-25",)).listed().values())
    console = Console(width=160)
    show(console, found, with_columns=False)
    shown = capsys.readouterr().out
    for words in ("loaded until (UTC)", "1 to 2026-11-25", "2026-11-25 21:00", "2026-11-26 02:30"):
        assert words in shown
    assert "The contact" not in shown
    show(console, found, with_columns=True)
    assert "The contact" in capsys.readouterr().out


@pytest.mark.enable_socket
def test_the_local_clouds_tables_are_listed_with_the_comments_of_their_columns(
    cloud_home: Path, running: Running
) -> None:
    assert local_in_process("run", "OPENS", home=cloud_home).returncode == 0
    done = local_in_process("tables", "--json", home=cloud_home)
    assert done.returncode == 0, done.stderr
    found = {one["name"]: one for one in json.loads(done.stdout)}
    assert found["opens"]["rows"] > 0
    assert found["opens"]["days"]
    assert found["opens"]["newestEvent"][:10] in found["opens"]["days"]
    for name in ("opens", "export_runs"):
        assert found[name]["loadedUntil"]
        assert [column["name"] for column in found[name]["columns"] if not column["comment"]] == []
