"""The week's numbers in the nightly summary: each with that of the week before."""

from datetime import UTC, datetime, timedelta
from typing import Any

from lambdas.lake.views.recent import NUMBERS
from lambdas.steps.watch_runs import Watched
from lambdas.steps.week_numbers import week_lines
from lambdas.vocabulary import EXPORT_TYPES

NOW = datetime(2026, 11, 27, 6, tzinfo=UTC)


def ran(days_ago: float, outcome: str = "succeeded", latest: str | None = None) -> dict[str, Any]:
    return {"ended_at": (NOW - timedelta(days=days_ago)).isoformat(), "outcome": outcome, "latest_event": latest}


def lines(*runs: dict[str, Any], rows: list[dict[str, str | None]], unknown: str = "") -> list[str]:
    watched = Watched(EXPORT_TYPES["OPENS"], NOW - timedelta(days=30), None, runs)
    return [" ".join(line.split()) for line in week_lines([watched], rows, NOW, unknown).splitlines()]


def test_each_of_eight_numbers_has_that_of_the_week_before_beside_it() -> None:
    this: dict[str, str | None] = {
        "week": "week",
        **dict(zip(NUMBERS, ("12345", "9", "8", None, "6", "5"), strict=True)),
    }
    before: dict[str, str | None] = {"week": "week_before", **dict.fromkeys(NUMBERS, "0")}
    found = lines(
        ran(0.5, latest="2026-11-27 03:00:00"),
        ran(1.5, "failed"),
        ran(6.9, "failed"),
        ran(8, "failed"),
        ran(8.5, latest="2026-11-18 06:00:00.5"),
        rows=[before, this],
    )
    assert found == [
        "What became of the e-mail that was sent from 2026-11-20 to 2026-11-26, and in the seven days before:",
        "sent 12,345 0",
        "delivered 9 0",
        "opened 8 0",
        "clicked not known 0",
        "bounced 6 0",
        "opted out 5 0",
        "exports failed 2 1",
        "hours since last event 3.0 48.0",
    ]


def test_sends_of_which_not_all_is_known_have_a_line() -> None:
    rows: list[dict[str, str | None]] = [
        {"week": "week", "sent": "9", "unknown_sends": "4"},
        {"week": "week_before", "sent": "1", "unknown_sends": "0"},
    ]
    assert "sent, not all is known 4 0" in lines(rows=rows)
    assert len(lines(rows=[one | {"unknown_sends": "0"} for one in rows])) == 9


def test_a_week_without_sends_is_not_known_rather_than_nothing() -> None:
    assert lines(rows=[])[1] == "sent not known not known"


def test_what_cannot_be_asked_is_said_and_the_rest_stands() -> None:
    found = lines(ran(1, "failed"), rows=[], unknown="Athena is away.")
    assert found[1:] == ["Athena is away.", "exports failed 1 0", "hours since last event not known not known"]
