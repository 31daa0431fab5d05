"""The views that are about contacts, and about the lake itself."""

from tests.unit.views.lakes import Lake, event, sends


def test_a_contact_has_what_became_of_its_sends() -> None:
    lake = Lake()
    lake.add("sent", [*sends("k1"), *sends("k1", "k2", campaign="B")])
    lake.add("opens", [event("k1", "B", "2026-11-20 11:00:00")])

    rows = lake.query("SELECT contact, sends, delivered, opened, clicked FROM contact_engagement ORDER BY contact")

    assert [tuple(row.values()) for row in rows] == [("k1", 2, 2, 1, 0), ("k2", 1, 1, 0, 0)]


def test_freshness_counts_from_the_last_success() -> None:
    lake = Lake()
    runs = (("succeeded", 3, 5), ("failed", 2, 9), ("failed", 1, 9))
    for outcome, hours, latest in runs:
        lake.engine.execute(
            "INSERT INTO export_runs (export_type, outcome, reason, ended_at, latest_event, rows_new) "
            "SELECT 'OPENS', ?, ?, now() AT TIME ZONE 'UTC' - to_hours(?), now() AT TIME ZONE 'UTC' - to_hours(?), 1",
            [outcome, None if outcome == "succeeded" else f"reason {hours}", hours, latest],
        )

    row = lake.one("SELECT * FROM data_freshness")

    assert (row["export_type"], row["last_outcome"], row["last_reason"]) == ("OPENS", "failed", "reason 1")
    assert (row["failed_since_success"], round(row["hours_since_success"], 1)) == (2, 3.0)
    assert round(row["hours_since_latest_event"], 1) == 5.0
