"""Which views a lake can have, by the tables that are there."""

from collections.abc import Mapping

from lambdas.lake.storage import keys
from lambdas.lake.tables.glue_tables import Table
from lambdas.lake.views.campaigns import campaign_daily, campaign_performance, link_clicks
from lambdas.lake.views.contacts import contact_engagement
from lambdas.lake.views.email_events import email_events
from lambdas.lake.views.email_sends import email_sends, has_link
from lambdas.lake.views.freshness import data_freshness
from lambdas.lake.views.metrics import MACHINE_CLICK_SECONDS
from lambdas.lake.views.sources import match, sources
from lambdas.lake.views.view import View


def views(
    tables: Mapping[str, Table],
    table_names: frozenset[str],
    *,
    has_engagement: bool = False,
    machine_click_seconds: int = MACHINE_CLICK_SECONDS,
) -> tuple[View, ...]:
    """The views that can be made, each after those that it reads.

    Args:
        tables: the tables of exports, by name.
        table_names: of all tables.
        has_engagement: whether `contact_engagement` is wanted.
        machine_click_seconds: within how many seconds clicks on two links are suspected to be a machine's.
    """
    made = [data_freshness()] if keys.RUNS_TABLE in table_names else []
    found = sources(tables)
    by = match(found)
    if by is not None:
        made += [email_events(found, by, machine_click_seconds=machine_click_seconds)]
        made += [email_sends(found, by), campaign_performance(), campaign_daily()]
        made += [link_clicks()] if has_link(found) else []
        made += [contact_engagement()] if has_engagement else []
    return tuple(made)
