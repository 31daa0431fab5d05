"""Reports of made-up nights."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from lambdas.lake.profile.profile import EventTime, Profile
from lambdas.lake.views.metrics import COUNTS, RATES
from lambdas.lake.views.recent import NUMBERS
from lambdas.lake.views.sources import EVENT_TYPES
from lambdas.report.exports import ExportState
from lambdas.report.numbers import Row, campaigns, channels, found_share, shown_days, weeks
from lambdas.report.page import Report
from lambdas.vocabulary import EXPORT_TYPES, TimeFormat

NOW = datetime(2026, 11, 27, 6, tzinfo=UTC)
PROFILE = Profile((EventTime("timestamp", TimeFormat.ISO_8601, "UTC"),), ("contactId", "campaignId"), {}, True)
RUN = {"outcome": "succeeded", "started_at": "2026-11-27T03:30:00+00:00", "ended_at": "2026-11-27T03:40:00+00:00"}
DAYS: list[Row] = [
    {"dt": "2026-11-26", "channel": "email", "event_type": "sent", "number": "1200", "orphans": "0"},
    {"dt": "2026-11-26", "channel": "email", "event_type": "hard_bounce", "number": "3", "orphans": "1"},
    {"dt": "2026-11-26", "channel": "email", "event_type": "soft_bounce", "number": "4", "orphans": "0"},
    {"dt": "2026-11-25", "channel": "sms", "event_type": "sent", "number": "9", "orphans": "0"},
]


def campaign(**more: str | None) -> dict[str, str | None]:
    """A row that answers `campaign_query`."""
    named = {"campaign": "7", "campaign_name": "Spring", "channel": "email"}
    days = {"first_dt": "2026-11-26", "last_dt": "2026-11-26"}
    counts = dict.fromkeys((one.name for one in COUNTS), "5")
    return {**named, **days, **counts, **dict.fromkeys((one.name for one in RATES), "0.25"), **more}


def report(**changes: Any) -> Report:
    """A report of a good night, with changes."""
    plain = Report(
        "lake",
        NOW,
        tuple(ExportState(one, True, PROFILE, [RUN], NOW) for one in EXPORT_TYPES.values()),
        weeks([{"week": "week", **dict.fromkeys(NUMBERS, "1234")}]),
        channels(DAYS, set(EVENT_TYPES.values()), NOW.date()),
        campaigns([campaign()]),
        0,
        "2026-11-20",
        found_share(DAYS),
    )
    return replace(plain, **changes)


def full_report() -> Report:
    """A report in which every part of the page has something to show, and names are long."""
    days: list[Row] = [
        {
            "dt": str(day),
            "channel": channel,
            "event_type": event,
            "number": str(number * (3 + place % 7)),
            "orphans": "1",
        }
        for place, day in enumerate(shown_days(NOW.date()))
        for channel in ("email", "sms")
        for event, number in {"sent": 9000, "open": 3100, "click": 210, "hard_bounce": 4, "optout": 2}.items()
    ]
    failed = RUN | {
        "outcome": "failed",
        "reason": "OPENS: Symplify answered 500 four times. The next run orders again.",
    }
    earlier = RUN | {"started_at": "2026-11-25T03:30:00+00:00", "ended_at": "2026-11-25T03:40:00+00:00"}
    odd = RUN | {"rows_rescued": 3, "rows_quarantined": 2, "new_columns": "weather,temperature_in_the_inbox"}
    states = [
        ExportState(one, one.name != "LISTS", PROFILE, [failed if one.name == "OPENS" else odd, earlier], NOW)
        for one in EXPORT_TYPES.values()
    ]
    rows = [
        campaign(campaign=str(number), campaign_name=f"Autumn letter {number} to everybody who likes long names")
        for number in range(18)
    ]
    why = "the campaign began before the lake: no rates"
    rows += [campaign(campaign="x", channel="sms", first_dt=str(NOW.date() - timedelta(days=20)), why_null=why)]
    return report(
        exports=tuple(states),
        channels=channels(days, set(EVENT_TYPES.values()) - {"soft_bounces", "optouts"}, NOW.date()),
        campaigns=campaigns(rows),
        found_share=found_share(days),
        unknown=("A sentence about what is missing.",),
    )
