"""The views: valid for Athena, the same numbers in every engine, and made of whatever tables there are."""

from typing import Any

import pytest

from lambdas.lake.column_types import Kind
from lambdas.lake.tables.glue_tables import Table
from lambdas.lake.views.view import View, ViewColumn
from tests.unit.views.lakes import FIELDS, ROLES, Lake, event, sends, table, usual_tables
from tests.unit.views.trino import WrongSql, check

NESTED = {"contact": "event.contact.id", "campaign": "event.campaignId"}
BY_MESSAGE = {"contact": "contactId", "message": "messageId"}
BY_ADDRESS = {"address": "email", "delivery": "deliveryId"}


def _tables(fields: dict[str, Kind], roles: dict[str, str]) -> dict[str, Table]:
    return {name: table(fields, roles) for name in usual_tables()}


SHAPES = {
    "the vendor's webhooks": usual_tables(),
    "within an object": _tables({"event": Kind.JSON}, NESTED),
    "by message": _tables({"contactId": Kind.ID, "messageId": Kind.ID, "deliveryId": Kind.BIGINT}, BY_MESSAGE),
    "by address": _tables({"email": Kind.STRING, "deliveryId": Kind.BIGINT, "userAgent": Kind.STRING}, BY_ADDRESS),
    "sends alone": {"sent": usual_tables()["sent"]},
    "no sends": {"opens": usual_tables()["opens"]},
    "no campaign": {name: table({"contactId": Kind.ID}, {"contact": "contactId"}) for name in usual_tables()},
    "bounces by message alone": _tables(
        {"contactId": Kind.ID, "messageId": Kind.ID, "channel": Kind.STRING}, BY_MESSAGE
    )
    | {
        name: table({"recipient": Kind.ID, "messageId": Kind.ID}, {"recipient": "recipient", "message": "messageId"})
        for name in ("hard_bounces", "soft_bounces")
    },
    "bounces by address": usual_tables()
    | {"hard_bounces": table({"recipient": Kind.ID, "bounceType": Kind.STRING}, {"recipient": "recipient"})},
}


# Traced, the grammar takes ten times as long. In one worker, which reads no text twice.
@pytest.mark.no_cover
@pytest.mark.xdist_group("grammar")
@pytest.mark.parametrize("shape", SHAPES)
def test_athena_accepts_the_views_of_every_shape(shape: str) -> None:
    lake = Lake(SHAPES[shape])
    columns = lake.columns
    for view in lake.views:
        check(view, columns)
        columns[view.name] = {column.name: column.type for column in view.columns}
        lake.query(f"SELECT * FROM {view.name}")


@pytest.mark.parametrize("shape", SHAPES)
def test_every_column_has_a_comment_that_glue_takes(shape: str) -> None:
    for view in Lake(SHAPES[shape]).views:
        for column in view.columns:
            assert 0 < len(column.comment) <= 255, (view.name, column.name)


@pytest.mark.parametrize(
    "wrong",
    [
        "SELECT CAST(nothing AS bigint) AS a FROM sent",
        "SELECT CAST(1 AS bigint) AS a FROM nowhere",
        "SELECT CAST(1 AS bigint) AS a FROM sent WHERE contact_id = 7",
        "SELECT CAST(1 AS bigint) AS a FROM sent QUALIFY 1 = 1",
        "SELECT CAST(1 AS bigint) AS a, FROM sent",
        "SELECT contact_id AS a FROM sent",
        "SELECT CAST(a AS bigint) AS a FROM (SELECT 1 AS a UNION ALL SELECT contact_id FROM sent) AS both",
        "SELECT CAST(contact_id AS varchar) AS a FROM sent",
    ],
)
def test_the_check_sees_what_athena_would_refuse(wrong: str) -> None:
    with pytest.raises(WrongSql):
        check(View("wrong", "", wrong, (ViewColumn("a", "bigint", ""),)), Lake().columns)


def test_a_lake_without_sends_has_freshness_alone() -> None:
    assert [view.name for view in Lake(SHAPES["no sends"]).views] == ["data_freshness"]


def test_links_have_a_view_where_they_are_exported() -> None:
    assert "link_clicks" in {view.name for view in Lake().views}
    assert "link_clicks" not in {view.name for view in Lake(SHAPES["by message"]).views}


def test_what_no_table_says_is_null_and_says_why() -> None:
    lake = Lake(SHAPES["sends alone"])
    lake.add("sent", sends("k1"))

    row = lake.one("SELECT * FROM campaign_performance")

    assert (row["sent"], row["delivered"], row["opened"], row["clicked"], row["open_rate"]) == (
        1,
        None,
        None,
        None,
        None,
    )
    assert "the table opens is not there" in row["why_null"]


def test_a_table_that_appears_later_is_counted_from_then_on() -> None:
    tables = usual_tables()
    opens = tables.pop("opens")
    before = Lake(tables)
    before.add("sent", sends("k1"))
    after = Lake(tables | {"opens": opens})
    after.add("sent", sends("k1"))
    after.add("opens", [event("k1", "A", "2026-11-20 11:00:00")])

    assert before.one("SELECT opened FROM campaign_performance") == {"opened": None}
    assert after.one("SELECT opened FROM campaign_performance") == {"opened": 1}


def test_a_quiet_table_counts_nothing_rather_than_null() -> None:
    lake = Lake()
    lake.add("sent", sends("k1"))

    row = lake.one("SELECT opened, clicked, open_rate, click_to_open_rate, why_null FROM campaign_performance")

    assert row == {"opened": 0, "clicked": 0, "open_rate": 0.0, "click_to_open_rate": None, "why_null": None}


def test_ids_that_were_decided_otherwise_are_compared_as_texts() -> None:
    tables = usual_tables()
    tables["opens"] = table(FIELDS | {"contactId": Kind.BIGINT, "campaignId": Kind.BIGINT}, ROLES)
    lake = Lake(tables)
    lake.add("sent", [event("7", "3", "2026-11-20 10:00:00")])
    lake.add("opens", [{"contact_id": 7, "campaign_id": 3, "_event_at": "2026-11-20 11:00:00"}])

    assert lake.one("SELECT opened FROM campaign_performance") == {"opened": 1}


def test_a_new_column_changes_no_view() -> None:
    tables = usual_tables()
    tables["opens"] = table(FIELDS | {"weather": Kind.STRING}, ROLES)

    assert Lake(tables).views == Lake().views


def test_ids_within_objects_are_found() -> None:
    lake = Lake(SHAPES["within an object"])
    of = '{"contact": {"id": %s}, "campaignId": "A"}'
    lake.add("sent", [{"event": of % '"7"', "_event_at": "2026-11-20 10:00:00"}])
    lake.add("opens", [{"event": of % "7", "_event_at": "2026-11-20 11:00:00"}])

    assert lake.one("SELECT contact, opens FROM email_sends") == {"contact": "7", "opens": 1}


def test_a_message_is_what_events_go_by_where_all_name_it() -> None:
    lake = Lake(SHAPES["by message"])
    for message, at in (("m1", "2026-11-20 10:00:00"), ("m2", "2026-11-20 10:30:00")):
        lake.add("sent", [{"contact_id": "k1", "message_id": message, "delivery_id": 5, "_event_at": at}])
    lake.add("opens", [{"contact_id": "k1", "message_id": "m1", "_event_at": "2026-11-20 11:00:00"}])

    rows = lake.query("SELECT message, message_is, campaign, opens FROM email_sends ORDER BY message")

    assert [tuple(row.values()) for row in rows] == [("m1", "message", "5", 1), ("m2", "message", "5", 0)]
    assert lake.one("SELECT sent, opened FROM campaign_performance") == {"sent": 2, "opened": 1}


def test_events_that_go_by_something_else_are_null_and_not_nothing() -> None:
    lake = Lake(SHAPES["bounces by address"])
    lake.add("sent", sends("k1", "k2"))
    lake.add("hard_bounces", [{"recipient": "k1@example.com", "_event_at": "2026-11-20 10:01:00"}])

    row = lake.one("SELECT sent, delivered, bounced, opened, why_null FROM campaign_performance WHERE sent > 0")

    assert (row["sent"], row["delivered"], row["bounced"], row["opened"]) == (2, None, None, 0)
    assert "hard_bounces lacks a contact" in row["why_null"]
    assert "bounces: 0 of 1 find their send" in row["why_null"]


@pytest.mark.parametrize(("second", "bounced"), [("m2", 1), ("m1", None)], ids=["one each", "shared"])
def test_a_bounce_of_a_message_to_one_contact_alone_is_of_that_contact(second: str, bounced: int | None) -> None:
    lake = Lake(SHAPES["bounces by message alone"])
    for contact, message in (("k1", "m1"), ("k2", second)):
        sent = {"contact_id": contact, "message_id": message, "channel": "SMS", "_event_at": "2026-11-20 10:00:00"}
        lake.add("sent", [sent])
    lake.add("hard_bounces", [{"recipient": "k@x.com", "message_id": "m1", "_event_at": "2026-11-20 10:01:00"}])

    row = lake.one("SELECT sent, bounced, why_null FROM campaign_performance WHERE sent > 0")

    assert (row["sent"], row["bounced"]) == (2, bounced)
    assert ("bounces: 0 of 1 find their send" in (row["why_null"] or "")) == (bounced is None)


@pytest.mark.parametrize(("strangers", "opened"), [(1, 9), (2, None)])
def test_numbers_are_null_below_nine_of_ten_events_that_find_their_send(strangers: int, opened: int | None) -> None:
    lake = Lake()
    lake.add("sent", sends(*(f"k{number}" for number in range(9))))
    known = [event(f"k{number}", "A", "2026-11-20 11:00:00") for number in range(9)]
    lake.add("opens", [*known, *(event(f"s{number}", "A", "2026-11-20 11:00:00") for number in range(strangers))])

    row = lake.one("SELECT opened, orphans FROM campaign_performance")

    assert row == {"opened": opened, "orphans": strangers}


def test_a_campaign_from_before_the_lake_has_counts_and_no_rates() -> None:
    lake = Lake()
    contacts = [f"k{number}" for number in range(20)]
    lake.add("sent", sends(*contacts))
    lake.add("opens", [event(one, "A", "2026-11-20 11:00:00") for one in contacts])
    lake.add("opens", [event("before", "A", "2026-11-19 11:00:00")])

    row = lake.one("SELECT opened, open_rate, began_before_lake, why_null FROM campaign_performance")

    assert (row["opened"], row["open_rate"], row["began_before_lake"]) == (20, None, True)
    assert row["why_null"] == "the campaign began before the lake: no rates"


@pytest.mark.parametrize(("first", "began"), [("2026-11-20", True), ("2026-11-19", False)])
def test_an_orphan_of_the_lakes_first_day_is_of_a_send_before_it(first: str, began: bool) -> None:
    lake = Lake()
    contacts = [f"k{number}" for number in range(20)]
    lake.add("sent", [*sends(*contacts), *sends("k1", campaign="B", at=f"{first} 09:00:00")])
    lake.add("opens", [event(one, "A", "2026-11-20 11:00:00") for one in (*contacts, "stranger")])

    row = lake.one("SELECT opened, began_before_lake FROM campaign_performance WHERE campaign = 'A'")

    assert row == {"opened": 20, "began_before_lake": began}


def test_nobody_is_taken_for_somebody() -> None:
    lake = Lake()
    lake.add(
        "sent", [event(None, "A", "2026-11-20 10:00:00"), {"contact_id": "k1", "campaign_id": "A", "dt": "unknown"}]
    )
    lake.add(
        "opens", [event(None, "A", "2026-11-20 11:00:00"), {"contact_id": "k1", "campaign_id": "A", "dt": "unknown"}]
    )

    assert lake.one("SELECT count(*) AS orphans FROM email_events WHERE is_orphan") == {"orphans": 2}
    assert lake.one(
        "SELECT sum(all_events) AS all_events FROM (SELECT count(*) AS all_events FROM email_events) AS counted"
    ) == {"all_events": 4}


def test_a_send_without_a_time_has_none_of_another() -> None:
    lake = Lake()
    lake.add("sent", [*sends("k1"), {"contact_id": "k1", "campaign_id": "A", "dt": "unknown"}])

    rows = lake.query("SELECT dt, sent_at IS NULL AS is_null FROM email_sends ORDER BY send_number")

    assert rows == [{"dt": "2026-11-20", "is_null": False}, {"dt": "unknown", "is_null": True}]


@pytest.mark.parametrize(
    ("seconds", "window", "machines"), [("00.999", 1, 2), ("01.001", 1, 0), ("01.001", 2, 2), ("00.001", 0, 0)]
)
def test_two_links_within_so_many_seconds_are_suspected(seconds: str, window: int, machines: int) -> None:
    lake = Lake(machine_click_seconds=window)
    lake.add("sent", sends("k1"))
    first, second = (f"2026-11-20 11:00:{at}" for at in ("00.000", seconds))
    lake.add("clicks", [event("k1", "A", first, link_target="x"), event("k1", "A", second, link_target="y")])

    assert lake.one("SELECT clicks, machine_clicks FROM email_sends") == {"clicks": 2, "machine_clicks": machines}


def test_one_link_twice_within_a_second_is_a_person() -> None:
    lake = Lake()
    lake.add("sent", sends("k1"))
    lake.add("clicks", [event("k1", "A", "2026-11-20 11:00:00", link_target="x")] * 2)

    assert lake.one("SELECT clicks, machine_clicks FROM email_sends") == {"clicks": 2, "machine_clicks": 0}


def test_without_links_what_is_without_machines_is_null() -> None:
    tables = usual_tables()
    tables["clicks"] = table(FIELDS, ROLES)
    lake = Lake(tables)
    lake.add("sent", sends("k1"))
    lake.add("clicks", [event("k1", "A", "2026-11-20 11:00:00")])

    row = lake.one("SELECT clicked, clicked_without_machines, why_null FROM campaign_performance")

    assert (row["clicked"], row["clicked_without_machines"]) == (1, None)
    assert "no link is exported" in row["why_null"]


def test_an_open_of_a_privacy_proxy_is_suspected_where_the_user_agent_is_exported() -> None:
    lake = Lake(SHAPES["by address"])
    of: dict[str, Any] = {"email": "a@example.com", "delivery_id": 1}
    lake.add("sent", [{**of, "_event_at": "2026-11-20 10:00:00"}])
    lake.add("opens", [{**of, "user_agent": "Mozilla/5.0", "_event_at": "2026-11-20 10:00:03"}])

    row = lake.one("SELECT opened, opened_without_machines FROM campaign_performance")

    assert row == {"opened": 1, "opened_without_machines": 0}


@pytest.mark.parametrize(
    ("after", "outcome"), [("10:20:00", "delivered"), ("10:05:00", "soft_bounce")], ids=["read later", "read before"]
)
def test_a_soft_bounce_is_final_unless_it_is_read_later(after: str, outcome: str) -> None:
    lake = Lake()
    lake.add("sent", sends("k1"))
    lake.add("soft_bounces", [event("k1", "A", "2026-11-20 10:10:00")])
    lake.add("opens", [event("k1", "A", f"2026-11-20 {after}")])

    assert lake.one("SELECT outcome FROM email_sends") == {"outcome": outcome}
