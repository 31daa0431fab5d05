"""The queries of summary and report, in the engine: the metrics over the days that are asked for alone."""

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlglot
import trino_query_parser
from sqlglot import expressions as exp

from lambdas.lake.views.recent import NUMBERS, UNKNOWN_SENDS, LakeTables, campaign_query, day_query, week_query
from tests.unit.views.lakes import Lake, event, sends, usual_tables

TODAY = date(2026, 11, 27)


@pytest.fixture
def lake() -> Lake:
    return Lake()


def weeks(lake: Lake) -> dict[str, dict[str, int]]:
    rows = lake.query_recent(week_query, TODAY)
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
    assert found["week"] == dict(zip(NUMBERS, (3, 2, 1, 0, 1, 1), strict=True)) | {UNKNOWN_SENDS: 0}
    assert found["week_before"] == dict(zip(NUMBERS, (2, 2, 1, 1, 0, 0), strict=True)) | {UNKNOWN_SENDS: 0}


def test_sends_of_which_something_is_unknown_are_counted(lake: Lake) -> None:
    lake.add("sent", sends("a", "b", at="2026-11-26 10:00:00"))
    lake.add("sent", sends("a", campaign="B", at="2026-11-26 10:00:00"))
    lake.add("opens", [event("z", "A", "2026-11-26 11:00:00"), event("a", "B", "2026-11-26 11:00:00")])
    found = weeks(lake)["week"]
    assert (found["sent"], found["opened"], found[UNKNOWN_SENDS]) == (3, 1, 2)


@pytest.mark.parametrize("at", ["2026-11-27 00:00:00", "2026-11-12 23:59:59"])
def test_today_and_what_is_older_than_two_weeks_count_for_nothing(lake: Lake, at: str) -> None:
    lake.add("sent", sends("a", at=at))
    assert weeks(lake) == {}


def test_a_text_message_is_no_e_mail(lake: Lake) -> None:
    lake.add("sent", [event("a", "A", "2026-11-26 10:00:00", channel="SMS")])
    assert weeks(lake) == {}


@pytest.mark.parametrize(
    ("query", "sends_since", "events_since"),
    [
        (week_query, "2026-10-13", "2026-11-13"),
        (day_query, "2026-09-29", "2026-10-30"),
        (campaign_query, "2026-09-29", "2026-10-30"),
    ],
)
def test_rows_of_unknown_days_and_of_days_long_past_are_not_read(
    lake: Lake, query: Any, sends_since: str, events_since: str
) -> None:
    sql = query(LakeTables(lake.tables, "main"), TODAY)
    trino_query_parser.parse_statement(sql)
    stored = [table for table in sqlglot.parse_one(sql, dialect="trino").find_all(exp.Table) if table.db]
    tables = {table.name: table.find_ancestor(exp.Select) for table in stored}
    assert set(tables) == set(lake.tables)
    for name, select in tables.items():
        assert select is not None
        since = sends_since if name == "sent" else events_since
        assert select.args["where"].sql() == f"WHERE dt >= '{since}' AND dt <= '2026-11-27'"


def test_without_sends_there_is_nothing_to_ask() -> None:
    tables = {"opens": usual_tables()["opens"]}
    assert week_query(LakeTables(tables, "main"), TODAY) is None


@pytest.mark.parametrize("query", [week_query, day_query, campaign_query])
def test_files_of_days_long_past_are_not_opened(tmp_path: Path, query: Any) -> None:
    lake = Lake()
    for name in lake.tables:
        lake.add(name, [event("a", "A", f"{TODAY - timedelta(days=ago)} 10:00:00") for ago in range(100)])
        folder = tmp_path / name
        lake.engine.execute(f"COPY {name} TO '{folder}' (FORMAT parquet, PARTITION_BY (dt))")
        lake.engine.execute(f"DROP TABLE {name}")
        columns = "{'dt': VARCHAR}"
        lake.engine.execute(
            f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{folder}/*/*.parquet', hive_types = {columns})"
        )
    plan = lake.engine.execute(f"EXPLAIN {query(LakeTables(lake.tables, 'main'), TODAY)}").fetchall()[0][1]
    touched = re.findall(r"(\d+)/100", plan)
    days = 14 if query is week_query else 28
    # Today too, whose events may belong to sends of yesterday.
    assert sorted(map(int, touched)) == sorted([days + 32] + [days + 1] * 5)


def test_a_day_counts_all_that_happened_on_it_as_the_view_does(lake: Lake) -> None:
    lake.add("sent", sends("a", "b", at="2026-11-26 10:00:00"))
    lake.add("sent", [event("a", "B", "2026-11-26 10:00:00", channel="SMS")])
    lake.add("opens", [event("a", "A", "2026-11-26 11:00:00"), event("z", "A", "2026-11-26 11:00:00")])
    lake.add("opens", [event("a", "A", "2026-11-27 11:00:00"), event("a", "A", "2026-10-29 11:00:00")])
    found = lake.query_recent(day_query, TODAY)
    assert sorted((row["channel"], row["event_type"], row["number"], row["orphans"]) for row in found) == [
        ("email", "open", 2, 1),
        ("email", "sent", 2, 0),
        ("sms", "sent", 1, 0),
    ]
    assert {row["dt"] for row in found} == {"2026-11-26"}
    (view,) = lake.query(
        "SELECT sum(sent_events) AS sent, sum(open_events) AS opens FROM campaign_daily "
        "WHERE dt = '2026-11-26' AND channel = 'email'"
    )
    assert view == {"sent": 2, "opens": 2}


def test_the_latest_campaigns_come_first_and_those_without_sends_of_the_days_not_at_all(lake: Lake) -> None:
    lake.add("sent", sends("a", campaign="old", at="2026-10-29 10:00:00"))
    lake.add("sent", sends("a", campaign="older", at="2026-11-01 10:00:00"))
    lake.add("sent", sends("a", campaign="newer", at="2026-11-26 10:00:00"))
    lake.add("sent", sends("a", campaign="today", at="2026-11-27 00:00:00"))
    lake.add("opens", [event("a", "old", "2026-11-20 10:00:00")])
    assert [row["campaign"] for row in lake.query_recent(campaign_query, TODAY)] == ["newer", "older"]


def test_a_campaign_that_never_ends_has_the_rates_of_its_latest_sends(lake: Lake) -> None:
    """Its older sends are known although they are not counted, so what belongs to them is neither orphan nor opened."""
    for day, contact in (("2026-07-01", "x"), ("2026-10-10", "y"), ("2026-11-10", "a"), ("2026-11-11", "b")):
        lake.add("sent", sends(contact, at=f"{day} 10:00:00"))
    late = [
        event(contact, "A", "2026-11-01 10:00:00") for contact in ("y", "y", "y", "y", "y", "y", "y", "y", "y", "x")
    ]
    lake.add("opens", [*late, event("a", "A", "2026-11-12 10:00:00")])
    (row,) = lake.query_recent(campaign_query, TODAY, first_day="2026-07-01")
    assert (row["sent"], row["opened"], row["first_dt"]) == (2, 1, "2026-11-10")
    assert (row["began_before_lake"], row["open_rate"]) == (False, 0.5)


def test_a_campaign_that_began_before_the_lake_has_no_rates_as_in_the_view(lake: Lake) -> None:
    lake.add("sent", sends("a", "b", at="2026-11-10 10:00:00"))
    opened = [event("a", "A", "2026-11-12 10:00:00")] * 10
    lake.add("opens", [*opened, event("z", "A", "2026-11-12 10:00:00")])
    (row,) = lake.query_recent(campaign_query, TODAY, first_day="2026-11-10")
    (view,) = lake.query("SELECT * FROM campaign_performance")
    assert row["began_before_lake"]
    assert {name: view[name] for name in row} == row
    assert row["open_rate"] is None


def test_suspected_machines_follow_the_setting(lake: Lake) -> None:
    lake.add("sent", sends("a", at="2026-11-26 10:00:00"))
    clicks = [event("a", "A", f"2026-11-26 11:00:0{second}", link_target=str(second)) for second in (0, 5)]
    lake.add("clicks", clicks)
    for seconds, people in ((1, 1), (10, 0)):
        (row,) = lake.query_recent(campaign_query, TODAY, machine_click_seconds=seconds)
        assert (row["clicked"], row["clicked_without_machines"]) == (1, people)
