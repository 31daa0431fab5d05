"""The view `email_sends`: a row a send, with what became of it."""

from collections.abc import Iterable, Mapping, Sequence

from lambdas.lake.profile.field_names import Role
from lambdas.lake.sql import text as literal
from lambdas.lake.views.metrics import ENOUGH_FOUND
from lambdas.lake.views.sources import EVENT_TYPES, SENT, Match, Source, unmatched
from lambdas.lake.views.view import BIGINT, BOOLEAN, TIMESTAMP, VARCHAR, View, ViewColumn, view

KINDS: Mapping[str, tuple[str, ...]] = {
    "opens": ("open",),
    "clicks": ("click",),
    "bounces": ("hard_bounce", "soft_bounce"),
    "optouts": ("optout",),
}
"""What is known or not of a send, and the events that say it."""

# An event from before its first send, or on the lake's first day one without a send, is of a send that the lake lacks.
_BEGAN = "COALESCE(first_event_at < first_sent_at OR orphans > 0 AND first_sent_dt = first_dt_of_lake, FALSE)"

_COLUMNS = (
    ViewColumn("contact", VARCHAR, "To whom, as the export identifies contacts"),
    ViewColumn("message", VARCHAR, "What was sent: the message, or what message_is says"),
    ViewColumn("message_is", VARCHAR, "What the column message holds: message, campaign or delivery"),
    ViewColumn("send_number", BIGINT, "Which send of this message to this contact over this channel, counted from 1"),
    ViewColumn("campaign", VARCHAR, "The id of the campaign; unknown where the export names none"),
    ViewColumn("campaign_name", VARCHAR, "What the campaign is called"),
    ViewColumn("channel", VARCHAR, "email, sms and so on, in lower case; email where the export names none"),
    ViewColumn("sent_at", TIMESTAMP, "When it was sent (UTC)"),
    ViewColumn("dt", VARCHAR, "The day of the send in the table's time zone, YYYY-MM-DD, or unknown"),
    ViewColumn("outcome", VARCHAR, "Its final outcome: delivered, hard_bounce or soft_bounce", "outcome"),
    ViewColumn("was_delivered", BOOLEAN, "Whether its final outcome is no bounce", "outcome = 'delivered'"),
    ViewColumn("was_bounced", BOOLEAN, "Whether its final outcome is a bounce", "outcome <> 'delivered'"),
    ViewColumn("was_hard_bounced", BOOLEAN, "Whether its final outcome is a hard bounce", "outcome = 'hard_bounce'"),
    ViewColumn("was_soft_bounced", BOOLEAN, "Whether its final outcome is a soft bounce", "outcome = 'soft_bounce'"),
    ViewColumn("was_opened", BOOLEAN, "Whether its image was loaded or a link was clicked", "opens + some_clicks > 0"),
    ViewColumn(
        "was_opened_without_machines",
        BOOLEAN,
        "As was_opened, without suspected machines",
        "opens - machine_opens + some_clicks - some_machine_clicks > 0",
    ),
    ViewColumn("was_clicked", BOOLEAN, "Whether a link was clicked", "clicks > 0"),
    ViewColumn(
        "was_clicked_without_machines",
        BOOLEAN,
        "As was_clicked, without suspected machines; null where no link is exported, by which they are suspected",
        "clicks - machine_clicks > 0",
    ),
    ViewColumn("was_opted_out", BOOLEAN, "Whether the contact opted out after it", "optouts > 0"),
    ViewColumn("opens", BIGINT, "How often its image was loaded"),
    ViewColumn("machine_opens", BIGINT, "How many of these opens are suspected to be a machine's"),
    ViewColumn("clicks", BIGINT, "How often a link was clicked"),
    ViewColumn("machine_clicks", BIGINT, "How many of these clicks are suspected to be a machine's"),
    ViewColumn("bounces", BIGINT, "How often it bounced; a message that is tried again bounces several times"),
    ViewColumn("first_open_at", TIMESTAMP, "When its image was first loaded (UTC)"),
    ViewColumn("first_click_at", TIMESTAMP, "When a link was first clicked (UTC)"),
    ViewColumn("last_bounce_at", TIMESTAMP, "When it last bounced (UTC)"),
    ViewColumn("opted_out_at", TIMESTAMP, "When the contact first opted out after it (UTC)"),
    ViewColumn(
        "began_before_lake", BOOLEAN, "Whether events show that its campaign had sends before its first in the lake"
    ),
    ViewColumn("why_null", VARCHAR, "Why columns that are null cannot be known; null where all can"),
)


def email_sends(found: Mapping[str, Source], by: Match, *, first_day: str | None = None) -> View:
    """The view; it is made of `email_events`.

    `first_day` is that of the lake's sends where `email_events` shows some days alone, and None where it shows all.
    """
    first_sent = f"min(CASE WHEN event_type = '{SENT}' THEN dt END)"
    first_of_lake = f"min({first_sent}) OVER ()" if first_day is None else literal(first_day)
    head = f"""WITH found_events AS (
  SELECT campaign AS found_campaign,
    {_joined(_counted(kind, found) for kind in KINDS)},
    min(CASE WHEN event_type <> '{SENT}' THEN event_at END) AS first_event_at,
    min(CASE WHEN event_type = '{SENT}' THEN event_at END) AS first_sent_at,
    {first_sent} AS first_sent_dt,
    {first_of_lake} AS first_dt_of_lake,
    count(CASE WHEN is_orphan THEN 1 END) AS orphans
  FROM email_events
  GROUP BY campaign
), known_campaigns AS (
  SELECT *,
    {_joined(_known(kind, found) for kind in KINDS)},
    {_reasons(found, by)} AS why_null,
    {_BEGAN} AS began_before_lake
  FROM found_events
), counted_sends AS (
  SELECT contact, message, message_is, send_number, channel,
    max(CASE WHEN event_type = '{SENT}' THEN campaign END) AS campaign,
    max(CASE WHEN event_type = '{SENT}' THEN campaign_name END) AS campaign_name,
    max(sent_at) AS sent_at,
    max(sent_dt) AS dt,
    {_joined(f"{_count(*events)} AS all_{kind}" for kind, events in KINDS.items())},
    {_count("hard_bounce")} AS hard_bounces,
    {_count("open", flag="suspected_machine")} AS all_machine_opens,
    {_count("click", flag="suspected_machine")} AS all_machine_clicks,
    min(CASE WHEN event_type = 'open' THEN event_at END) AS first_open_at,
    min(CASE WHEN event_type = 'click' THEN event_at END) AS first_click_at,
    max(CASE WHEN event_type IN ('open', 'click') THEN event_at END) AS last_read_at,
    max(CASE WHEN event_type IN ('hard_bounce', 'soft_bounce') THEN event_at END) AS last_bounce_at,
    min(CASE WHEN event_type = 'optout' THEN event_at END) AS opted_out_at
  FROM email_events
  WHERE send_number > 0
  GROUP BY contact, message, message_is, send_number, channel
), known_sends AS (
  SELECT *,
    {_joined(f"CASE WHEN knows_{kind} THEN all_{kind} END AS {kind}" for kind in KINDS)},
    CASE WHEN knows_clicks THEN all_clicks ELSE 0 END AS some_clicks,
    CASE WHEN knows_opens THEN all_machine_opens END AS machine_opens,
    CASE WHEN knows_clicks AND {_truth(has_link(found))} THEN all_machine_clicks END AS machine_clicks,
    CASE WHEN knows_clicks THEN all_machine_clicks ELSE 0 END AS some_machine_clicks,
    CASE
      WHEN NOT knows_bounces THEN NULL
      WHEN hard_bounces > 0 THEN 'hard_bounce'
      WHEN all_bounces > 0 AND (last_read_at IS NULL OR last_read_at < last_bounce_at) THEN 'soft_bounce'
      ELSE 'delivered'
    END AS outcome
  FROM counted_sends JOIN known_campaigns ON campaign = found_campaign
)
"""
    return view(
        "email_sends",
        f"A row a send, with what became of it. Events find their send by {by.who.value} and {by.what.value}.",
        head=head,
        columns=_COLUMNS,
        tail="FROM known_sends",
    )


def _joined(parts: Iterable[str]) -> str:
    return ",\n    ".join(parts)


def _count(*events: str, flag: str = "") -> str:
    names = ", ".join(literal(event) for event in events)
    return f"count(CASE WHEN event_type IN ({names}){f' AND {flag}' if flag else ''} THEN 1 END)"


def _counted(kind: str, found: Mapping[str, Source]) -> str:
    """How many events of a kind there are, and how many of them find their send: of the campaign, or of all of them."""
    has_campaign = all(found[event].campaign for event in KINDS[kind] if event in found)
    counts = [_count(*KINDS[kind]), _count(*KINDS[kind], flag="send_number > 0")]
    # Where the events do not name their campaign, their orphans cannot be counted for it.
    every, sent = counts if has_campaign else [f"sum({one}) OVER ()" for one in counts]
    return f"{every} AS every_{kind}, {sent} AS sent_{kind}"


def _known(kind: str, found: Mapping[str, Source]) -> str:
    is_there = any(event in found for event in KINDS[kind])
    # Whole numbers, which all engines multiply alike.
    enough = f"sent_{kind} * 100 >= every_{kind} * {round(ENOUGH_FOUND * 100)}"
    return f"{enough if is_there else 'FALSE'} AS knows_{kind}"


def _reasons(found: Mapping[str, Source], by: Match) -> str:
    """Why numbers are NULL: what is so for all campaigns, and how few events of this one find their send."""
    texts = [literal(f"the table {EVENT_TYPES[event]} is not there") for event in _missing(found)]
    if "click" in found and not has_link(found):
        texts.append(literal("no link is exported, so machines that click cannot be suspected"))
    texts += [
        literal(f"the table {table} lacks a {by.who.value} or a {by.what.value}, by which the sends are found")
        for table in unmatched(found, by)
    ]
    dynamic = [
        f"CASE WHEN sent_{kind} * 100 < every_{kind} * {round(ENOUGH_FOUND * 100)} THEN '{kind}: ' || "
        f"CAST(sent_{kind} AS varchar) || ' of ' || CAST(every_{kind} AS varchar) || ' find their send' END"
        for kind in KINDS
        if any(event in found for event in KINDS[kind])
    ]
    began = f"CASE WHEN {_BEGAN} THEN 'the campaign began before the lake: no rates' END"
    return f"NULLIF(concat_ws('; ', {', '.join([*texts, *dynamic, began])}), '')"


def _missing(found: Mapping[str, Source]) -> Sequence[str]:
    return [event for event in EVENT_TYPES if event not in found]


def has_link(found: Mapping[str, Source]) -> bool:
    """Whether clicks say on what."""
    return "click" in found and found["click"].role(Role.LINK) is not None


def _truth(value: bool) -> str:
    return "TRUE" if value else "FALSE"
