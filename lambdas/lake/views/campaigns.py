"""The views of campaigns: in all, by day, and by link. They are made of `email_sends` and `email_events`."""

from lambdas.lake.views.metrics import COUNTS, RATES
from lambdas.lake.views.view import BIGINT, BOOLEAN, DOUBLE, TIMESTAMP, VARCHAR, View, ViewColumn, view

_CAMPAIGN = ViewColumn("campaign", VARCHAR, "The id of the campaign; unknown where the exports name none")
_NAME = ViewColumn("campaign_name", VARCHAR, "What the campaign is called")
_CHANNEL = ViewColumn("channel", VARCHAR, "email, sms and so on, in lower case; email where the exports name none")
_WHY = ViewColumn("why_null", VARCHAR, "Why columns that are null cannot be known; null where all can")

_ORPHANS = ViewColumn(
    "orphans", BIGINT, "Events whose send is not in the lake: in no other number", "COALESCE(orphans, 0)"
)


def campaign_performance() -> View:
    """A row a campaign and channel: counts and rates over all of its sends."""
    counts = ",\n    ".join(f"{one.formula} AS {one.name}" for one in COUNTS)
    head = f"""WITH counted_campaigns AS (
  SELECT campaign, channel,
    max(campaign_name) AS campaign_name,
    min(sent_at) AS first_sent_at,
    max(sent_at) AS last_sent_at,
    min(dt) AS first_dt,
    max(dt) AS last_dt,
    {counts},
    COALESCE(max(CASE WHEN began_before_lake THEN 1 END) = 1, FALSE) AS began_before_lake,
    max(why_null) AS why_null
  FROM email_sends
  GROUP BY campaign, channel
), orphan_events AS (
  SELECT campaign AS orphan_campaign, channel AS orphan_channel, max(campaign_name) AS orphan_name, count(*) AS orphans
  FROM email_events
  WHERE is_orphan
  GROUP BY campaign, channel
)
"""
    unsent = "campaign IS NULL"
    rates = [
        ViewColumn(
            one.name,
            DOUBLE,
            f"{one.meaning} A share, 0 to 1",
            f"CASE WHEN NOT began_before_lake THEN {one.formula} END",
        )
        for one in RATES
    ]
    columns = (
        ViewColumn("campaign", VARCHAR, _CAMPAIGN.comment, "COALESCE(campaign, orphan_campaign)"),
        ViewColumn("campaign_name", VARCHAR, _NAME.comment, "COALESCE(campaign_name, orphan_name)"),
        ViewColumn("channel", VARCHAR, _CHANNEL.comment, "COALESCE(channel, orphan_channel)"),
        ViewColumn("first_sent_at", TIMESTAMP, "When its first send in the lake happened (UTC)"),
        ViewColumn("last_sent_at", TIMESTAMP, "When its last send happened (UTC)"),
        ViewColumn("first_dt", VARCHAR, "The day of its first send in the table's time zone, YYYY-MM-DD"),
        ViewColumn("last_dt", VARCHAR, "The day of its last send in the table's time zone, YYYY-MM-DD"),
        *(
            ViewColumn(
                one.name,
                BIGINT,
                _comment(one.meaning, one.unit),
                _or_none(one.name, one.name),
            )
            for one in COUNTS
        ),
        *rates,
        _ORPHANS,
        ViewColumn(
            "began_before_lake",
            BOOLEAN,
            "Whether events show that it had sends before its first in the lake; its rates are null then",
            f"began_before_lake OR {unsent}",
        ),
        ViewColumn(
            "why_null",
            VARCHAR,
            _WHY.comment,
            f"CASE WHEN {unsent} THEN 'no send of it over this channel is in the lake' ELSE why_null END",
        ),
    )
    return view(
        "campaign_performance",
        "A row a campaign and channel: what became of all of its sends, with rates.",
        head=head,
        columns=columns,
        tail="FROM counted_campaigns\n"
        "FULL JOIN orphan_events ON campaign = orphan_campaign AND channel = orphan_channel",
    )


_DAILY = {
    "sent": ("sends", "sent"),
    "open": ("opens", "opened"),
    "click": ("clicks", "clicked"),
    "hard_bounce": ("hard bounces", "bounced hard"),
    "soft_bounce": ("soft bounces", "bounced softly"),
    "optout": ("opt-outs", "opted out"),
}


def campaign_daily() -> View:
    """A row a day, campaign and channel: what happened on that day, and what became of that day's sends."""
    on_day = ",\n    ".join(f"count(CASE WHEN event_type = '{event}' THEN 1 END) AS {event}_events" for event in _DAILY)
    cohort = ",\n    ".join(f"{one.formula} AS cohort_{one.name}" for one in COUNTS)
    unique = {"open": "openers", "click": "clickers"}
    contacts = ",\n    ".join(
        f"count(DISTINCT CASE WHEN event_type = '{event}' THEN contact END) AS {name}" for event, name in unique.items()
    )
    head = f"""WITH day_events AS (
  SELECT dt AS event_dt, campaign AS event_campaign, channel AS event_channel, max(campaign_name) AS event_name,
    {on_day},
    {contacts},
    count(CASE WHEN is_orphan THEN 1 END) AS orphans
  FROM email_events
  GROUP BY dt, campaign, channel
), day_sends AS (
  SELECT dt AS sent_dt, campaign AS sent_campaign, channel AS sent_channel,
    {cohort},
    max(why_null) AS why_null
  FROM email_sends
  GROUP BY dt, campaign, channel
)
"""
    columns = (
        ViewColumn("dt", VARCHAR, "The day in the tables' time zone, YYYY-MM-DD, or unknown", "event_dt"),
        ViewColumn("campaign", VARCHAR, _CAMPAIGN.comment, "event_campaign"),
        ViewColumn("campaign_name", VARCHAR, _NAME.comment, "event_name"),
        ViewColumn("channel", VARCHAR, _CHANNEL.comment, "event_channel"),
        *(
            ViewColumn(f"{event}_events", BIGINT, f"Event day: {plural} on this day, orphans too")
            for event, (plural, _) in _DAILY.items()
        ),
        ViewColumn("openers", BIGINT, "Event day: contacts that opened on this day, each once"),
        ViewColumn("clickers", BIGINT, "Event day: contacts that clicked on this day, each once"),
        ViewColumn("orphans", BIGINT, "Event day: events on this day whose send is not in the lake"),
        *(
            ViewColumn(
                f"cohort_{one.name}",
                BIGINT,
                f"Send cohort, of the sends of this day until now. {_comment(one.meaning, one.unit)}",
                _or_none(f"cohort_{one.name}", one.name),
            )
            for one in COUNTS
        ),
        _WHY,
    )
    return view(
        "campaign_daily",
        "A row a day, campaign and channel. Event-day columns say what happened on the day; cohort columns what became "
        "of the sends of the day, whenever it happened.",
        head=head,
        columns=columns,
        tail="FROM day_events\nLEFT JOIN day_sends\n"
        "  ON event_dt = sent_dt AND event_campaign = sent_campaign AND event_channel = sent_channel",
    )


def link_clicks() -> View:
    """A row a campaign, channel and link."""
    head = """WITH link_events AS (
  SELECT campaign, campaign_name, channel, contact, event_at, suspected_machine, is_orphan,
    split_part(link, '?', 1) AS link
  FROM email_events
  WHERE event_type = 'click' AND link IS NOT NULL
)
"""
    human = "NOT COALESCE(suspected_machine, FALSE)"
    columns = (
        _CAMPAIGN,
        ViewColumn("campaign_name", VARCHAR, _NAME.comment, "max(campaign_name)"),
        _CHANNEL,
        ViewColumn("link", VARCHAR, "The link without its query, which may hold personal data"),
        ViewColumn("clicks", BIGINT, "All clicks on it, those of orphans and machines too", "count(*)"),
        ViewColumn("clickers", BIGINT, "Contacts that clicked on it, each once", "count(DISTINCT contact)"),
        ViewColumn(
            "clicks_without_machines",
            BIGINT,
            "Clicks without those of suspected machines",
            f"count(CASE WHEN {human} THEN 1 END)",
        ),
        ViewColumn(
            "clickers_without_machines",
            BIGINT,
            "Contacts that clicked on it, each once, without suspected machines",
            f"count(DISTINCT CASE WHEN {human} THEN contact END)",
        ),
        ViewColumn(
            "orphans", BIGINT, "Clicks on it whose send is not in the lake", "count(CASE WHEN is_orphan THEN 1 END)"
        ),
        ViewColumn("first_click_at", TIMESTAMP, "When it was first clicked (UTC)", "min(event_at)"),
        ViewColumn("last_click_at", TIMESTAMP, "When it was last clicked (UTC)", "max(event_at)"),
    )
    return view(
        "link_clicks",
        "A row a campaign, channel and link: who clicked on it, with and without suspected machines.",
        head=head,
        columns=columns,
        tail="FROM link_events\nGROUP BY campaign, channel, link",
    )


def _comment(meaning: str, unit: str) -> str:
    """As much of a meaning as a comment takes."""
    return f"{meaning.split('. ', maxsplit=1)[0].rstrip('.')} ({unit})"


def _or_none(column: str, count: str) -> str:
    """Nothing was sent where there are no sends; what became of none is NULL."""
    return f"COALESCE({column}, 0)" if count == "sent" else column
