"""The metrics: each defined once. Views, docs/metrics.md, and whatever shows a number take their formulas from here.

The vendor's definitions come from the help pages of Symplify's statistics; they are quoted by their sense.
"""

from dataclasses import dataclass

ENOUGH_FOUND = 0.9
"""The share of a campaign's events that must find their send, for its numbers of that kind to be more than NULL."""
MACHINE_CLICK_SECONDS = 1
"""Clicks of one contact and send on two links within so many seconds are suspected to be a machine's, unless the
setting `machineClickSeconds` says otherwise."""

# Tells pairs apart whatever they are made of.
_ONE = "CAST(length(contact) AS varchar) || ':' || contact || message"


@dataclass(frozen=True)
class Count:
    """A number of sends, or of what became of them."""

    name: str
    formula: str
    """SQL over rows of the view `email_sends`, in groups; NULL where the lake cannot know."""
    meaning: str
    vendor: str
    """The vendor's wording for what is nearest; empty where it has none."""
    unit: str = "sends"


@dataclass(frozen=True)
class Rate:
    """A count as a share of another; NULL where that is 0."""

    name: str
    numerator: str
    denominator: str
    meaning: str
    vendor: str

    @property
    def formula(self) -> str:
        """SQL over the columns of the two counts."""
        # Between whole numbers, Trino divides as whole numbers, and other engines do not.
        return f"CAST({self.numerator} AS double) / NULLIF({self.denominator}, 0)"


def _known(flag: str, counted: str) -> str:
    return f"CASE WHEN count({flag}) > 0 THEN {counted} END"


def _sends(flag: str) -> str:
    return _known(flag, f"count(CASE WHEN {flag} THEN 1 END)")


def _unique(flag: str) -> str:
    return _known(flag, f"count(DISTINCT CASE WHEN {flag} AND NOT COALESCE(was_bounced, FALSE) THEN {_ONE} END)")


_UNIQUE = "contacts with messages"

COUNTS = (
    Count(
        "sent",
        "count(*)",
        "Messages handed over for sending.",
        "Sent: the recipients that were tried; some of its screens leave bounces out.",
    ),
    Count(
        "delivered",
        _sends("was_delivered"),
        "Sends whose final outcome is no bounce. A message that is tried again may bounce several times; it is one "
        "send. A hard bounce is final; a soft bounce is, unless an open or a click follows it.",
        "Delivered = sent - bounces.",
    ),
    Count("bounced", _sends("was_bounced"), "Sends whose final outcome is a bounce, hard or soft.", ""),
    Count("hard_bounced", _sends("was_hard_bounced"), "Sends with a hard bounce.", ""),
    Count(
        "soft_bounced",
        _sends("was_soft_bounced"),
        "Sends whose final outcome is a soft bounce.",
        "",
    ),
    Count(
        "opened",
        _unique("was_opened"),
        "Contacts, each once a message (where the exports name none: once a campaign), whose image was loaded or who "
        "clicked, after a send that did not bounce.",
        "Opened: the image was loaded or a link was clicked, unique per recipient.",
        _UNIQUE,
    ),
    Count(
        "opened_without_machines",
        _unique("was_opened_without_machines"),
        "As opened, without the opens and clicks that are suspected to be a machine's.",
        "",
        _UNIQUE,
    ),
    Count(
        "clicked",
        _unique("was_clicked"),
        "Contacts, each once a message (else a campaign), who clicked a link, after a send that did not bounce.",
        "Clicked: unique recipients who clicked.",
        _UNIQUE,
    ),
    Count(
        "clicked_without_machines",
        _unique("was_clicked_without_machines"),
        "As clicked, without the clicks that are suspected to be a machine's.",
        "",
        _UNIQUE,
    ),
    Count(
        "opted_out",
        _unique("was_opted_out"),
        "Contacts, each once a message (else a campaign), who opted out, after a send that did not bounce.",
        "",
        _UNIQUE,
    ),
    Count("opens", _known("opens", "sum(opens)"), "All opens of these sends, every one.", "", "opens"),
    Count(
        "clicks", _known("clicks", "sum(clicks)"), "All clicks of these sends.", "Total clicks counts all.", "clicks"
    ),
)

RATES = (
    Rate("delivery_rate", "delivered", "sent", "Delivered, of sent.", ""),
    Rate("bounce_rate", "bounced", "sent", "Bounced, of sent.", "Bounce rates = hard or soft bounced / sent."),
    Rate(
        "hard_bounce_rate",
        "hard_bounced",
        "sent",
        "Hard bounced, of sent.",
        "Bounce rates = hard or soft bounced / sent.",
    ),
    Rate(
        "soft_bounce_rate",
        "soft_bounced",
        "sent",
        "Soft bounced, of sent.",
        "Bounce rates = hard or soft bounced / sent.",
    ),
    Rate("open_rate", "opened", "delivered", "Opened, of delivered; machines inflate it.", ""),
    Rate(
        "open_rate_without_machines",
        "opened_without_machines",
        "delivered",
        "Opened, of delivered, without suspected machines.",
        "",
    ),
    Rate(
        "click_rate",
        "clicked",
        "delivered",
        "Clicked, of delivered: the rate to lead with.",
        "CTR = clicked / delivered. Some of the vendor's screens call click-to-open the click rate.",
    ),
    Rate(
        "click_rate_without_machines",
        "clicked_without_machines",
        "delivered",
        "Clicked, of delivered, without suspected machines.",
        "",
    ),
    Rate("click_to_open_rate", "clicked", "opened", "Clicked, of opened.", "CTOR = clicked / opened."),
    Rate(
        "opt_out_rate",
        "opted_out",
        "delivered",
        "Opted out, of delivered.",
        "Unsubscribe rate = unsubscribed / delivered.",
    ),
)
