"""A campaign's numbers in the lake, by its id or its name."""

from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from lambdas.lake.sql import text
from lambdas.lake.views.metrics import COUNTS
from local.athena import Rows
from local.doctor import Query
from local.problem import Misused
from local.reconcile.judge import Channel, Export


@dataclass(frozen=True)
class Campaign:
    """A campaign of the lake."""

    id: str
    name: str | None
    channels: tuple[Channel, ...]
    """In the order of their sends, the most first."""

    def channel(self, name: str | None) -> Channel:
        """The channel of that name; without one e-mail, or the only one.

        Raises:
            Misused: the campaign has no such channel.
        """
        found = {one.name: one for one in self.channels}
        wanted = name or ("email" if "email" in found else self.channels[0].name)
        if wanted not in found:
            raise Misused(f"Campaign {self.id} has no channel {wanted}. It has: {', '.join(found)}.")
        return found[wanted]


def campaign(query: Query, wanted: str) -> Campaign:
    """The campaign of that id, or else of that name.

    Raises:
        Misused: there is none, or several have that name.
        Problem: Athena did not answer.
    """
    rows = _rows(query, f"campaign = {text(wanted)}")
    if not rows:
        named = _rows(query, f"lower(campaign_name) = {text(wanted.lower())}")
        ids = sorted({row["campaign"] for row in named})
        if not ids:
            raise Misused(_unknown(query, wanted))
        if len(ids) > 1:
            raise Misused(f"Several campaigns are called {wanted}: give one of the ids {', '.join(ids[:10])}.")
        # Not every channel's exports need name it.
        rows = _rows(query, f"campaign = {text(ids[0])}")
    name = next((row["campaign_name"] for row in rows if row["campaign_name"]), None)
    return Campaign(rows[0]["campaign"], name, tuple(map(_channel, rows)))


def exports(query: Query) -> dict[str, Export]:
    """How the runs of each export type went.

    Raises:
        Problem: Athena did not answer.
    """
    rows = query("SELECT export_type, last_outcome, last_reason, last_success_at FROM data_freshness")
    return {
        row["export_type"]: Export(row["last_outcome"], row["last_reason"], _time(row["last_success_at"]))
        for row in rows
    }


def _rows(query: Query, condition: str) -> Rows:
    return query(f"SELECT * FROM campaign_performance WHERE {condition} ORDER BY sent DESC, channel")  # noqa: S608


def _unknown(query: Query, wanted: str) -> str:
    rows = query(
        "SELECT campaign, campaign_name FROM campaign_performance "
        "ORDER BY last_sent_at DESC NULLS LAST, campaign LIMIT 1000"
    )
    names = list(dict.fromkeys(name for row in rows for name in (row["campaign"], row["campaign_name"]) if name))
    near = get_close_matches(wanted, names, n=3)
    if near:
        return f"The lake has no campaign {wanted}. The nearest are: {', '.join(near)}."
    latest = list(dict.fromkeys(f"{row['campaign']} ({row['campaign_name']})" for row in rows))[:3]
    return f"The lake has no campaign {wanted}. The latest are: {', '.join(latest) or 'none yet'}."


def _channel(row: dict[str, Any]) -> Channel:
    return Channel(
        row["channel"],
        {one.name: row[one.name] for one in COUNTS},
        last_sent_at=_time(row["last_sent_at"]),
        orphans=row["orphans"],
        began_before_lake=row["began_before_lake"],
        why_null=row["why_null"],
    )


def _time(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)
