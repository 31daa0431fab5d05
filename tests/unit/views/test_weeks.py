"""The query for a week's numbers, in the engine: the metrics over the days that are asked for alone."""

from datetime import date

import pytest
import sqlglot
import trino_query_parser
from sqlglot import expressions as exp

from lambdas.lake.views.weeks import NUMBERS, week_query
from tests.unit.views.lakes import Lake, event, sends, usual_tables

TODAY = date(2026, 11, 27)


@pytest.fixture
def lake() -> Lake:
    return Lake()


def weeks(lake: Lake) -> dict[str, dict[str, int]]:
    sql = week_query(lake.tables, "main", TODAY)
    assert sql is not None
    cursor = lake.engine.execute(sql)
    names = [column[0] for column in cursor.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {row.pop("week"): row for row in rows}


def test_each_week_has_what_became_of_its_own_sends(lake: Lake) -> None:
    lake.add("sent", sends("a", "b", "c", at="2026-11-26 23:59:59"))
    lake.add("sent", sends("d", "e", campaign="B", at="2026-11-19 23:59:59"))
    lake.add("opens", [event("a", "A", "2026-11-27 01:00:00"), event("d", "B", "2026-11-26 10:00:00")])
    lake.add("opens", [event("a", "A", "2026-11-27 02:00:00")])
    lake.add("clicks", [event("d", "B", "2026-11-26 11:00:00")])
    lake.add("hard_bounces", [event("c", "A", "2026-11-27 00:00:00")])
    lake.add("optouts", [event("a", "A", "2026-11-27 03:00:00")])
    found = weeks(lake)
    assert found["week"] == dict(zip(NUMBERS, (3, 2, 1, 0, 1, 1), strict=True))
    assert found["week_before"] == dict(zip(NUMBERS, (2, 2, 1, 1, 0, 0), strict=True))


@pytest.mark.parametrize("at", ["2026-11-27 00:00:00", "2026-11-12 23:59:59"])
def test_today_and_what_is_older_than_two_weeks_count_for_nothing(lake: Lake, at: str) -> None:
    lake.add("sent", sends("a", at=at))
    assert weeks(lake) == {}


def test_a_text_message_is_no_e_mail(lake: Lake) -> None:
    lake.add("sent", [event("a", "A", "2026-11-26 10:00:00", channel="SMS")])
    assert weeks(lake) == {}


def test_rows_of_unknown_days_and_of_days_long_past_are_not_read(lake: Lake) -> None:
    sql = week_query(lake.tables, "main", TODAY) or ""
    trino_query_parser.parse_statement(sql)
    stored = [table for table in sqlglot.parse_one(sql, dialect="trino").find_all(exp.Table) if table.db]
    tables = {table.name: table.find_ancestor(exp.Select) for table in stored}
    assert set(tables) == set(lake.tables)
    for name, select in tables.items():
        assert select is not None
        since = "2026-10-13" if name == "sent" else "2026-11-13"
        assert select.args["where"].sql() == f"WHERE dt >= '{since}' AND dt <= '2026-11-27'"


def test_without_sends_there_is_nothing_to_ask() -> None:
    tables = {"opens": usual_tables()["opens"]}
    assert week_query(tables, "main", TODAY) is None
