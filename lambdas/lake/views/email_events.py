"""The view `email_events`: every event with the send that it belongs to. The other views are made of it."""

from collections.abc import Mapping

from lambdas.lake.column_types import DAY, EVENT_AT
from lambdas.lake.profile.field_names import Role
from lambdas.lake.sql import name as quoted
from lambdas.lake.sql import text as literal
from lambdas.lake.views.metrics import MACHINE_CLICK_SECONDS
from lambdas.lake.views.sources import EVENT_TYPES, SENT, Match, Source, names_no_one
from lambdas.lake.views.view import BIGINT, BOOLEAN, TIMESTAMP, VARCHAR, View, ViewColumn, view

UNKNOWN = "unknown"
"""The campaign of what names none."""
# What an export that names no channel holds: the vendor's older records name none, and are of e-mail.
_EMAIL = "email"

_COLUMNS = (
    ViewColumn("event_type", VARCHAR, "sent, open, click, hard_bounce, soft_bounce or optout"),
    ViewColumn("contact", VARCHAR, "To whom it happened, as the export identifies contacts"),
    ViewColumn("message", VARCHAR, "With what: the message, or what message_is says"),
    ViewColumn("message_is", VARCHAR, "What the column message holds: message, campaign or delivery"),
    ViewColumn("campaign", VARCHAR, "The id of the campaign, that of the send where there is one; unknown without one"),
    ViewColumn("campaign_name", VARCHAR, "What the campaign is called in the event, or else in its send"),
    ViewColumn("channel", VARCHAR, "email, sms and so on, in lower case; email where the export names none"),
    ViewColumn("link", VARCHAR, "What was clicked, as exported: it may hold personal data; null for other events"),
    ViewColumn("event_at", TIMESTAMP, "When it happened (UTC)"),
    ViewColumn("dt", VARCHAR, "The day of the event in the table's time zone, YYYY-MM-DD, or unknown"),
    ViewColumn(
        "send_number",
        BIGINT,
        "Which send of this contact, message and channel it belongs to: the latest at or before it, counted from 1; 0 "
        "for an orphan, whose send is not in the lake",
    ),
    ViewColumn("is_orphan", BOOLEAN, "Whether its send is not in the lake", "send_number = 0"),
    ViewColumn("sent_at", TIMESTAMP, "When that send happened (UTC); null for an orphan"),
    ViewColumn("sent_dt", VARCHAR, "The day of that send in the table's time zone; null for an orphan"),
    ViewColumn(
        "seconds_since_sent",
        BIGINT,
        "Seconds from the send to the event, rounded down",
        "floor(date_diff('millisecond', sent_at, event_at) / 1000.0e0)",
    ),
    ViewColumn(
        "suspected_machine",
        BOOLEAN,
        "Whether a machine is suspected, not proven, to have opened or clicked; null where nothing can tell",
        "machine_reason <> ''",
    ),
    ViewColumn("machine_reason", VARCHAR, "Why a machine is suspected", "NULLIF(machine_reason, '')"),
)


def email_events(found: Mapping[str, Source], by: Match, *, machine_click_seconds: int = MACHINE_CLICK_SECONDS) -> View:
    """The view over the tables that are there."""
    each = (_events(event, source, by, machine_click_seconds) for event, source in found.items())
    union = "\n  UNION ALL\n".join(each)
    recipients = _only_recipients(found[SENT], by) if any(names_no_one(source, by) for source in found.values()) else ""
    head = f"""WITH {recipients}all_events AS (
{union}
), numbered_events AS (
  SELECT *,
    -- Sends are counted on: an event belongs to the last one that was counted before it.
    CASE
      WHEN event_type <> '{SENT}' AND (contact IS NULL OR message IS NULL OR event_at IS NULL) THEN 0
      ELSE {_so_far("sum", "1", "0")}
    END AS send_number,
    {_so_far("max", "event_at")} AS last_sent_at,
    {_so_far("max", "dt")} AS last_sent_dt,
    {_so_far("max", "own_campaign")} AS last_campaign,
    {_so_far("max", "own_campaign_name")} AS last_campaign_name
  FROM all_events
), sent_events AS (
  SELECT event_type, contact, message, {literal(by.what.value)} AS message_is, channel, link, event_at, dt, send_number,
    COALESCE(own_campaign, CASE WHEN send_number > 0 THEN last_campaign END, '{UNKNOWN}') AS campaign,
    COALESCE(own_campaign_name, CASE WHEN send_number > 0 THEN last_campaign_name END) AS campaign_name,
    CASE WHEN send_number > 0 AND event_at IS NOT NULL THEN last_sent_at END AS sent_at,
    CASE WHEN send_number > 0 THEN last_sent_dt END AS sent_dt,
    machine_reason
  FROM numbered_events
)
"""
    return view(
        "email_events",
        f"Every event with the send that it belongs to, by {by.who.value} and {by.what.value}. Orphans stay.",
        head=head,
        columns=_COLUMNS,
        tail="FROM sent_events",
    )


def _so_far(aggregate: str, of_send: str, of_other: str = "NULL") -> str:
    """An aggregate over the sends until an event. All have the same window, so that rows are sorted once.

    The greatest time is the last one; of the campaign, all sends of a message have the same.
    """
    return f"""{aggregate}(CASE WHEN event_type = '{SENT}' THEN {of_send} ELSE {of_other} END) OVER (
      PARTITION BY contact, message, channel ORDER BY event_at NULLS LAST, event_order
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"""


def _machine(event: str, click_seconds: int) -> str:
    """Why an event is suspected to be a machine's: empty if it is not, NULL if nothing can tell."""
    if event == "open":
        proxy = "user_agent = 'Mozilla/5.0' THEN 'user agent of a privacy proxy'"
        return f"CASE WHEN {proxy} WHEN user_agent IS NOT NULL THEN '' END"
    if event == "click":
        seconds = f"INTERVAL '{click_seconds}' SECOND"
        near = (
            "PARTITION BY contact, message, channel ORDER BY event_at "
            f"RANGE BETWEEN {seconds} PRECEDING AND {seconds} FOLLOWING"
        )
        # A second click on the same link is a person's habit; two links within a second are not.
        return (
            "CASE WHEN link IS NULL THEN NULL WHEN contact IS NOT NULL AND "
            f"min(link) OVER ({near}) <> max(link) OVER ({near}) "
            f"THEN 'two links within {click_seconds} s' ELSE '' END"
        )
    return "''"


def _events(event: str, source: Source, by: Match, click_seconds: int) -> str:
    nothing = "CAST(NULL AS varchar)"

    def text(expression: str | None) -> str:
        return f"NULLIF({expression}, '')" if expression else nothing

    contact, channel, joined = text(source.role(by.who)), _channel(source.channel), ""
    if names_no_one(source, by):
        contact, channel = "only_contact", f"COALESCE(only_channel, {channel})"
        joined = f"\n  LEFT JOIN only_recipients ON {text(source.role(by.what))} = only_message"
    return f"""  SELECT *, {_machine(event, click_seconds)} AS machine_reason FROM (SELECT
    '{event}' AS event_type,
    {0 if event == SENT else 1} AS event_order,
    {contact} AS contact,
    {text(source.role(by.what))} AS message,
    {text(source.campaign)} AS own_campaign,
    {text(source.campaign_name)} AS own_campaign_name,
    {channel} AS channel,
    {text(source.role(Role.LINK) if event == "click" else None)} AS link,
    {text(source.user_agent if event == "open" else None)} AS user_agent,
    CAST({quoted(EVENT_AT)} AS timestamp(3)) AS event_at,
    CAST({DAY} AS varchar) AS dt
  FROM {quoted(EVENT_TYPES[event])}{joined}) AS {event}_events"""


def _only_recipients(sent: Source, by: Match) -> str:
    """To whom each message went that went to one alone: of its events that name nobody, it tells the contact."""
    contact, message = f"NULLIF({sent.role(by.who)}, '')", f"NULLIF({sent.role(by.what)}, '')"
    return f"""only_recipients AS (
  SELECT {message} AS only_message, min({contact}) AS only_contact, min({_channel(sent.channel)}) AS only_channel
  FROM {quoted(EVENT_TYPES[SENT])}
  GROUP BY {message}
  HAVING count(DISTINCT {contact}) = 1
), """


def _channel(expression: str | None) -> str:
    if expression is None:
        return f"'{_EMAIL}'"
    plain = f"COALESCE(NULLIF(lower(trim({expression})), ''), '{_EMAIL}')"
    return f"CASE WHEN {plain} IN ('e-mail', 'mail') THEN '{_EMAIL}' ELSE {plain} END"
