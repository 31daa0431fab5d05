"""Which superseded files are deleted, and when."""

from datetime import UTC, datetime, timedelta
from typing import Any

from lambdas.lake.storage.keys import table_prefix
from lambdas.lake.tables.vacuum import vacuum
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.lake.lakehouse import House, age, array
from tests.unit.lake.opens import LISTS, OPENS, opened


def forgotten(house: House, export: Any, hours: float) -> int:
    now = datetime.now(UTC) + timedelta(hours=hours)
    return vacuum(export, house.store, house.catalog, retention=timedelta(hours=72), now=now)


def test_superseded_files_go_when_their_retention_is_over_and_live_ones_stay(house: House) -> None:
    for number in (1, 2, 3):
        house.load(array([opened(1), opened(number, f"2024-03-0{number}T10:00:00Z")][number == 1 :]), at=age(number))
        house.load(array([{"listId": number}]), "LISTS", at=age(number))
    before = (house.rows(), house.rows("LISTS"))
    assert len(house.objects(table_prefix("lists"))) == 3
    assert forgotten(house, OPENS, 71) == forgotten(house, LISTS, 71) == 0
    assert forgotten(house, OPENS, 73) == 2
    assert forgotten(house, LISTS, 73) == 2
    assert len(house.objects(table_prefix("opens"))) == 3
    assert len(house.objects(table_prefix("lists"))) == 1
    assert (house.rows(), house.rows("LISTS")) == before


def test_files_that_never_were_published_go_as_well(house: House) -> None:
    house.load(array([opened(1)]), at=age(1))
    house.store.write("curated/opens/dt=2024-03-01/other-run/part.parquet", b"half", "")
    house.store.write("curated/opens/dt=2024-03-09/other-run/part.parquet", b"half", "")
    assert forgotten(house, OPENS, 71) == 0
    assert forgotten(house, OPENS, 73) == 2
    assert len(house.rows()) == 1


def test_no_retention_leaves_only_what_readers_see(house: House) -> None:
    for number in (1, 2):
        house.load(array([opened(1), opened(2, "2024-03-02T10:00:00Z")]), at=age(number), superseded_retention_hours=0)
    assert len(house.objects(table_prefix("opens"))) == 2
    assert len(house.rows()) == 2


def test_tidying_one_table_leaves_others_alone(house: House) -> None:
    house.load(array([opened(1)]), "OPENS", at=age(1))
    house.load(array([{"eventId": 1, "timestamp": "2024-03-01T10:00:00Z"}]), "OPTOUTS", at=age(1))
    house.store.write("curated/export_runs/run.json", b"{}", "application/json")
    before = house.objects()
    assert forgotten(house, EXPORT_TYPES["OPTOUTS"], 1000) == 0
    assert house.objects() == before


def test_dropped_table_keeps_its_files(house: House) -> None:
    house.load(array([opened(1)]), at=age(1))
    house.glue.delete_table(DatabaseName=house.settings.database, Name="opens")
    assert forgotten(house, OPENS, 1000) == 0
    assert len(house.objects(table_prefix("opens"))) == 1
