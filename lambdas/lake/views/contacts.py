"""The view `contact_engagement`: a row a contact. It profiles persons, so a setting has to ask for it."""

from lambdas.lake.views.view import BIGINT, TIMESTAMP, VARCHAR, View, ViewColumn, view

CONTACT_ENGAGEMENT = "contact_engagement"


def contact_engagement() -> View:
    """The view; it is made of `email_sends`."""
    columns = (
        ViewColumn("contact", VARCHAR, "The contact, as the export identifies contacts"),
        ViewColumn("channel", VARCHAR, "email, sms and so on, in lower case; email where the exports name none"),
        ViewColumn("sends", BIGINT, "Messages sent to the contact", "count(*)"),
        ViewColumn("delivered", BIGINT, "Of these, how many were delivered", _known("was_delivered")),
        ViewColumn("opened", BIGINT, "Of these, how many were opened", _known("was_opened")),
        ViewColumn("clicked", BIGINT, "Of these, in how many a link was clicked", _known("was_clicked")),
        ViewColumn("last_sent_at", TIMESTAMP, "When the last message was sent (UTC)", "max(sent_at)"),
        ViewColumn("last_open_at", TIMESTAMP, "When a message was last opened first (UTC)", "max(first_open_at)"),
        ViewColumn("last_click_at", TIMESTAMP, "When a message was last clicked first (UTC)", "max(first_click_at)"),
        ViewColumn("opted_out_at", TIMESTAMP, "When the contact last opted out (UTC)", "max(opted_out_at)"),
    )
    return view(
        CONTACT_ENGAGEMENT,
        "A row a contact and channel: what was sent, and what became of it. Personal data.",
        head="",
        columns=columns,
        tail="FROM email_sends\nWHERE contact IS NOT NULL\nGROUP BY contact, channel",
    )


def _known(flag: str) -> str:
    return f"CASE WHEN count({flag}) > 0 THEN count(CASE WHEN {flag} THEN 1 END) END"
