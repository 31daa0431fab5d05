"""docs/queries.md: every question is answered, by SQL that Athena takes, with the right numbers."""

import re
from datetime import datetime
from typing import Any

import pytest
import trino_query_parser

from lambdas.lake.column_types import Kind
from tests.conftest import ROOT
from tests.unit.views.lakes import FIELDS, ROLES, Lake, event, table, usual_tables

QUESTION = re.compile(r"^## (.+?)\n\n(.+?)\n\n```sql\n(.+?)```", re.MULTILINE | re.DOTALL)
QUERIES = {title: sql for title, _, sql in QUESTION.findall((ROOT / "docs" / "queries.md").read_text(encoding="utf-8"))}
TODAY = "DATE '2026-11-27'"


@pytest.fixture(scope="module")
def lake() -> Lake:
    """Two campaigns: A of a hundred mails and one text message this week, B of ten mails in the week before."""
    made = Lake(usual_tables() | {"opens": table(FIELDS | {"userAgent": Kind.STRING}, ROLES)})
    contacts = [f"k{n:03}" for n in range(101)]
    a, b = {"campaign": "Autumn"}, {"campaign": "Brief"}
    made.add("sent", [event(one, "A", "2026-11-25 10:00:00") | a for one in contacts])
    made.add("sent", [event("k000", "A", "2026-11-25 12:00:00", channel="sms") | a])
    made.add("sent", [event(one, "B", "2026-11-16 10:00:00") | b for one in contacts[:10]])
    made.add("opens", [event(one, "A", "2026-11-25 10:30:00", user_agent="Mail") | a for one in contacts[:3]])
    made.add("opens", [event("k003", "A", "2026-11-25 23:00:00", user_agent="Mozilla/5.0") | a])
    made.add("opens", [event("k004", "A", "2026-11-26 23:00:00", user_agent="Mail") | a])
    made.add(
        "opens", [event(f"x{n}", "C", "2026-11-26 08:00:00", user_agent="Mail") | {"campaign": "Cold"} for n in (1, 2)]
    )
    link = {"link_target": "https://shop.example.com/a?c=1"}
    made.add("clicks", [event(one, "A", "2026-11-26 11:00:00") | a | link for one in ("k000", "k001", "k000")])
    made.add("hard_bounces", [event("k100", "A", "2026-11-25 10:00:01") | a])
    made.add("optouts", [event("k005", "B", "2026-11-26 10:00:00") | b])
    runs = [("OPENS", "succeeded", "2026-11-27 03:00:00"), ("CLICKS", "failed", "2026-11-26 03:00:00")]
    for export, outcome, ended in runs:
        reason = None if outcome == "succeeded" else "CLICKS: No."
        at = datetime.fromisoformat(ended)
        made.add("export_runs", [{"export_type": export, "outcome": outcome, "ended_at": at, "reason": reason}])
    return made


# All rows, by the columns that tell.
ANSWERS: dict[str, list[dict[str, Any]]] = {
    "How did last week's campaigns do?": [
        {"campaign_name": "Autumn", "channel": "sms", "sent": 1},
        {"campaign_name": "Autumn", "channel": "email", "sent": 101, "delivered": 100, "opened": 5, "clicked": 2},
    ],
    "Which campaigns are clicked best?": [{"campaign_name": "Autumn", "delivered": 100, "click_rate": 0.02}],
    "What happened yesterday?": [{"sent": 0, "opens": 3, "clicks": 3, "hard_bounces": 0, "opt_outs": 1}],
    "What became of each day's sends?": [
        {"dt": "2026-11-16", "sent": 10, "delivered": 10, "opened": 0},
        {"dt": "2026-11-25", "sent": 102, "delivered": 101, "opened": 5, "clicked": 2},
        {"dt": "2026-11-26", "sent": 0},
    ],
    "How was this week against the week before?": [
        {"week": "this week", "sent": 102, "delivered": 101, "clicked": 2},
        {"week": "week before", "sent": 10, "delivered": 10, "clicked": 0},
    ],
    "How fast do people open?": [
        {"opened": "1: within an hour", "sends": 3},
        {"opened": "2: within a day", "sends": 1},
        {"opened": "3: later", "sends": 1},
    ],
    "At what hour do people open?": [
        {"hour_utc": 8, "opens": 2},
        {"hour_utc": 10, "opens": 3},
        {"hour_utc": 23, "opens": 1},
    ],
    "Which links are clicked most?": [
        {"link": "https://shop.example.com/a", "clickers_without_machines": 2, "clicks": 3}
    ],
    "Which campaigns bounce?": [{"campaign_name": "Autumn", "hard_bounced": 1, "soft_bounced": 0}],
    "After which campaigns do people opt out?": [{"campaign_name": "Brief", "opted_out": 1, "opt_out_rate": 0.1}],
    "How does e-mail do against text messages?": [
        {"channel": "email", "delivered": 110, "clicked": 2, "click_rate": 2 / 110},
        {"channel": "sms", "delivered": 1, "clicked": 0, "click_rate": 0},
    ],
    "How much of it is machines?": [
        {"event_type": "click", "machine_reason": None, "events": 3},
        {"event_type": "open", "machine_reason": None, "events": 6},
        {"event_type": "open", "events": 1},
    ],
    "Which events have no send?": [{"campaign_name": "Cold", "orphans": 2}],
    "Is the data fresh?": [
        {"export_type": "CLICKS", "last_outcome": "failed", "failed_since_success": 1, "last_reason": "CLICKS: No."},
        {"export_type": "OPENS", "last_outcome": "succeeded", "failed_since_success": 0},
    ],
    "Which runs failed lately, and why?": [{"export_type": "CLICKS", "outcome": "failed", "reason": "CLICKS: No."}],
}


def test_fifteen_questions_are_answered() -> None:
    assert list(QUERIES) == list(ANSWERS)
    assert len(QUERIES) == 15


@pytest.mark.parametrize("question", ANSWERS)
def test_each_is_sql_that_athena_takes_and_gives_the_right_numbers(question: str, lake: Lake) -> None:
    trino_query_parser.parse_statement(QUERIES[question])
    found = lake.query(re.sub(r"\bcurrent_date\b", TODAY, QUERIES[question]))
    for row, wanted in zip(found, ANSWERS[question], strict=True):
        assert {name: row[name] for name in wanted} == pytest.approx(wanted)
