"""The vacuum: which superseded files are deleted, and when."""

from datetime import UTC, datetime, timedelta
from typing import Any

from lambdas.lake.storage.keys import table_prefix
from lambdas.lake.tables.vacuum import vacuum
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.lake.in_process_lake import InProcessLake, age, array
from tests.unit.lake.opens import LISTS, OPENS, opened


def deleted(lake: InProcessLake, export: Any, hours: float) -> int:
    now = datetime.now(UTC) + timedelta(hours=hours)
    return vacuum(export, lake.store, lake.catalog, retention=timedelta(hours=72), now=now)


def test_superseded_files_are_deleted_after_their_retention_and_live_ones_stay(lake: InProcessLake) -> None:
    for number in (1, 2, 3):
        lake.load(array([opened(1), opened(number, f"2024-03-0{number}T10:00:00Z")][number == 1 :]), at=age(number))
        lake.load(array([{"listId": number}]), "LISTS", at=age(number))
    before = (lake.rows(), lake.rows("LISTS"))
    assert len(lake.objects(table_prefix("lists"))) == 3
    assert deleted(lake, OPENS, 71) == deleted(lake, LISTS, 71) == 0
    assert deleted(lake, OPENS, 73) == 2
    assert deleted(lake, LISTS, 73) == 2
    assert len(lake.objects(table_prefix("opens"))) == 3
    assert len(lake.objects(table_prefix("lists"))) == 1
    assert (lake.rows(), lake.rows("LISTS")) == before


def test_unpublished_files_are_deleted_too(lake: InProcessLake) -> None:
    lake.load(array([opened(1)]), at=age(1))
    lake.store.write("curated/opens/dt=2024-03-01/other-run/part.parquet", b"half", "")
    lake.store.write("curated/opens/dt=2024-03-09/other-run/part.parquet", b"half", "")
    assert deleted(lake, OPENS, 71) == 0
    assert deleted(lake, OPENS, 73) == 2
    assert len(lake.rows()) == 1


def test_without_retention_only_visible_files_stay(lake: InProcessLake) -> None:
    for number in (1, 2):
        lake.load(array([opened(1), opened(2, "2024-03-02T10:00:00Z")]), at=age(number), superseded_retention_hours=0)
    assert len(lake.objects(table_prefix("opens"))) == 2
    assert len(lake.rows()) == 2


def test_the_vacuum_of_one_table_leaves_others_alone(lake: InProcessLake) -> None:
    lake.load(array([opened(1)]), "OPENS", at=age(1))
    lake.load(array([{"eventId": 1, "timestamp": "2024-03-01T10:00:00Z"}]), "OPTOUTS", at=age(1))
    lake.store.write("curated/export_runs/run.json", b"{}", "application/json")
    before = lake.objects()
    assert deleted(lake, EXPORT_TYPES["OPTOUTS"], 1000) == 0
    assert lake.objects() == before


def test_the_files_of_a_dropped_table_stay(lake: InProcessLake) -> None:
    lake.load(array([opened(1)]), at=age(1))
    lake.glue.delete_table(DatabaseName=lake.settings.database, Name="opens")
    assert deleted(lake, OPENS, 1000) == 0
    assert len(lake.objects(table_prefix("opens"))) == 1
