"""What became of sends, computed from the vendor's records themselves and in another way than the views do."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

_SECOND = timedelta(seconds=1)
KINDS = {
    "opens": ("open",),
    "clicks": ("click",),
    "bounces": ("hard_bounce", "soft_bounce"),
    "optouts": ("optout",),
}


@dataclass
class Send:
    """A send, and the events that belong to it."""

    contact: str
    at: datetime
    events: list["Happened"] = field(default_factory=list)

    def times(self, *kinds: str) -> list[datetime]:
        """When events of these kinds happened."""
        return [event.at for event in self.events if event.kind in kinds]

    @property
    def outcome(self) -> str:
        """How it ended."""
        if self.times("hard_bounce"):
            return "hard"
        bounces, read = self.times("soft_bounce"), self.times("open", "click")
        return "soft" if bounces and not (read and max(read) >= max(bounces)) else "delivered"

    @property
    def human_clicks(self) -> int:
        """Clicks without another link within a second."""
        clicks = [event for event in self.events if event.kind == "click"]
        return sum(
            not any(other.link != one.link and abs(other.at - one.at) <= _SECOND for other in clicks) for one in clicks
        )


@dataclass(frozen=True)
class Happened:
    """An event."""

    kind: str
    contact: str
    campaign: str
    channel: str
    at: datetime
    link: str | None = None

    @classmethod
    def of(cls, kind: str, record: Mapping[str, Any]) -> "Happened":
        """The event of a record of the stand-in."""
        at = datetime.fromisoformat(record["timestamp"]).astimezone(UTC)
        campaign, channel = str(record["campaignId"]), record["channel"].lower()
        return cls(kind, record["contactId"], campaign, channel, at, record.get("linkTarget"))


def performance(events: Iterable[Happened]) -> dict[tuple[str, str], dict[str, Any]]:
    """The counts and rates of each campaign and channel."""
    every = list(events)
    by_key: dict[tuple[str, str, str], list[Send]] = defaultdict(list)
    for event in sorted((one for one in every if one.kind == "sent"), key=lambda one: one.at):
        by_key[event.contact, event.campaign, event.channel].append(Send(event.contact, event.at))
    orphans = []
    for event in (one for one in every if one.kind != "sent"):
        sends = by_key.get((event.contact, event.campaign, event.channel), [])
        position = bisect_right([send.at for send in sends], event.at)
        if position:
            sends[position - 1].events.append(event)
        else:
            orphans.append(event)
    grouped: dict[tuple[str, str], list[Send]] = defaultdict(list)
    for (_, campaign, channel), sends in by_key.items():
        grouped[campaign, channel] += sends
    first_day = min(send.at for sends in grouped.values() for send in sends).date()
    places = {*grouped, *((one.campaign, one.channel) for one in orphans)}
    return {place: _numbers(place, grouped, every, orphans, first_day) for place in places}


def _numbers(
    place: tuple[str, str],
    grouped: Mapping[tuple[str, str], list[Send]],
    every: list[Happened],
    orphans: list[Happened],
    first_day: Any,
) -> dict[str, Any]:
    campaign = place[0]
    sends = grouped.get(place, [])
    mine = [one for one in every if one.campaign == campaign and one.kind != "sent"]
    lost = [one for one in orphans if one.campaign == campaign]
    firsts = [send.at for (name, _), some in grouped.items() if name == campaign for send in some]
    began = not sends or min((one.at for one in mine), default=min(firsts)) < min(firsts)
    began = began or bool(lost and min(firsts).date() == first_day)
    known = {
        kind: bool(sends) and 10 * sum(one.kind in names for one in lost) <= sum(one.kind in names for one in mine)
        for kind, names in KINDS.items()
    }
    good = [send for send in sends if not known["bounces"] or send.outcome == "delivered"]

    def count(kind: str, number: int) -> int | None:
        return number if known[kind] else None

    def unique(kind: str, *names: str) -> int | None:
        return count(kind, len({send.contact for send in good if send.times(*names)}))

    opening = ("open", "click") if known["clicks"] else ("open",)
    found: dict[str, Any] = {
        "sent": len(sends),
        "delivered": count("bounces", len(good)),
        "hard_bounced": count("bounces", sum(send.outcome == "hard" for send in sends)),
        "soft_bounced": count("bounces", sum(send.outcome == "soft" for send in sends)),
        "opened": unique("opens", *opening),
        "clicked": unique("clicks", "click"),
        "clicked_without_machines": count("clicks", len({send.contact for send in good if send.human_clicks})),
        "opted_out": unique("optouts", "optout"),
        "opens": count("opens", sum(len(send.times("open")) for send in sends)),
        "clicks": count("clicks", sum(len(send.times("click")) for send in sends)),
        "orphans": sum((one.campaign, one.channel) == place for one in orphans),
        "began_before_lake": began,
    }
    for name, (part, whole) in {"open_rate": ("opened", "delivered"), "click_rate": ("clicked", "delivered")}.items():
        can = not began and found[part] is not None and found[whole]
        found[name] = found[part] / found[whole] if can else None
    return found
