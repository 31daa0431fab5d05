"""What agrees between the vendor's numbers of a campaign and the lake's, and what is likely the reason where not.

A reason is said only where numbers of the lake support it. `lambdas/lake/views/metrics.py` has the definitions.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

NUMBERS: Mapping[str, tuple[str, ...]] = {
    "sent": ("SENT",),
    "delivered": ("SENT", "HARD_BOUNCES", "SOFT_BOUNCES"),
    "opened": ("OPENS", "CLICKS"),
    "clicked": ("CLICKS",),
    "bounced": ("HARD_BOUNCES", "SOFT_BOUNCES"),
    "opted_out": ("OPTOUTS",),
}
"""What can be compared, and the exports that it is made of."""

OTHER_DEFINITIONS: Mapping[str, Mapping[str, str]] = {
    "sent": {"sent less bounced": "the vendor leaves bounces out of sent on some screens"},
    "delivered": {"sent": "the vendor's number is before bounces"},
    "opened": {
        "opens": "the vendor's number counts every open, not each contact once",
        "opened_without_machines": "the vendor's number leaves machines out",
    },
    "clicked": {
        "clicks": "the vendor's number counts every click, not each contact once",
        "clicked_without_machines": "the vendor's number leaves machines out",
    },
    "bounced": {
        "hard_bounced": "the vendor's number is that of hard bounces alone",
        "soft_bounced": "the vendor's number is that of soft bounces alone",
    },
    "opted_out": {},
}
"""Numbers of the lake that the vendor's may be instead, with what it means if they are equal."""

# Few events come later after a send.
_STILL_GROWS = timedelta(days=14)


@dataclass(frozen=True)
class Channel:
    """A campaign over one channel: a row of `campaign_performance`."""

    name: str
    counts: Mapping[str, int | None]
    """By column; None where the lake cannot know."""
    last_sent_at: datetime | None = None
    """UTC."""
    orphans: int = 0
    began_before_lake: bool = False
    why_null: str | None = None

    def count(self, name: str) -> int | None:
        """A column's number, or that of `sent less bounced`."""
        if name != "sent less bounced":
            return self.counts.get(name)
        sent, bounced = self.counts.get("sent"), self.counts.get("bounced")
        return None if sent is None or bounced is None else sent - bounced


@dataclass(frozen=True)
class Export:
    """How the runs of an export went: a row of `data_freshness`."""

    last_outcome: str
    last_reason: str | None = None
    last_success_at: datetime | None = None
    """UTC."""


@dataclass(frozen=True)
class Finding:
    """One number of the vendor beside that of the lake."""

    name: str
    vendor: int
    lake: int | None
    reasons: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether they are equal."""
        return self.vendor == self.lake

    @property
    def words(self) -> str:
        """What people read of it."""
        if self.agrees:
            return f"{self.vendor} in both"
        why = "; ".join(self.reasons) or "nothing in the lake explains it"
        if self.lake is None:
            return f"the vendor has {self.vendor}, the lake cannot know: {why}."
        side = "more" if self.vendor > self.lake else "fewer"
        return f"the vendor has {self.vendor}, the lake {self.lake}: {abs(self.vendor - self.lake)} {side}; {why}."

    def described(self) -> dict[str, Any]:
        """What `--json` prints of it."""
        difference = None if self.lake is None else self.vendor - self.lake
        return {
            "number": self.name,
            "vendor": self.vendor,
            "lake": self.lake,
            "difference": difference,
            "agrees": self.agrees,
            "reasons": list(self.reasons),
        }


def judge(
    vendor: Mapping[str, int], channel: Channel, others: Sequence[Channel], exports: Mapping[str, Export]
) -> list[Finding]:
    """Compare the vendor's numbers, by names of `NUMBERS`, with those of a channel.

    `others` are the campaign's other channels, `exports` the runs by export type.
    """
    return [
        Finding(name, number, ours, () if number == ours else tuple(_reasons(name, number, channel, others, exports)))
        for name, number in vendor.items()
        for ours in [channel.count(name)]
    ]


def _reasons(
    name: str, vendor: int, channel: Channel, others: Sequence[Channel], exports: Mapping[str, Export]
) -> Iterator[str]:
    equal = list(_equal(name, vendor, channel, others))
    if equal:
        # Nothing that may lack is a better reason than a number that is the same.
        yield from equal
        return
    ours = channel.count(name)
    if ours is None:
        yield channel.why_null or "the lake has no number of it"
    # What the lake lacks makes its numbers smaller, but for delivered, from which bounces are taken away.
    may_lack = ours is None or vendor > ours
    if may_lack:
        yield from _lacking(name, channel)
    if may_lack or name == "delivered":
        yield from _exports(name, channel, exports, may_lack=may_lack)


def _equal(name: str, vendor: int, channel: Channel, others: Sequence[Channel]) -> Iterator[str]:
    """Other numbers of the lake that are the vendor's."""
    for column, meaning in OTHER_DEFINITIONS[name].items():
        if channel.count(column) == vendor:
            yield f"{column} is {vendor} in the lake: {meaning}"
    together = [one.count(name) for one in (channel, *others)]
    known = [number for number in together if number is not None]
    if others and len(known) == len(together) and sum(known) == vendor:
        yield f"with {', '.join(one.name for one in others)} it is {vendor} in the lake, where channels stand apart"


def _lacking(name: str, channel: Channel) -> Iterator[str]:
    if channel.began_before_lake:
        yield "the campaign began before the lake's first day"
    if channel.orphans and name != "sent":
        yield f"{channel.orphans} of its events find no send in the lake, and are in no number"


def _exports(name: str, channel: Channel, exports: Mapping[str, Export], *, may_lack: bool) -> Iterator[str]:
    for export in NUMBERS[name]:
        # More sends are delivered than the vendor has only where bounces are lacking.
        if not may_lack and export == "SENT":
            continue
        found = exports.get(export)
        if found is None:
            yield f"no run of {export} has ended"
        elif found.last_outcome != "succeeded":
            why = f": {found.last_reason}" if found.last_reason else ""
            yield f"the last run of {export} is {found.last_outcome}{why}".rstrip(".")
        elif _still_grows(channel, found):
            yield f"{export} is as of {found.last_success_at:%Y-%m-%d %H:%M} UTC, and a young campaign still grows"


def _still_grows(channel: Channel, export: Export) -> bool:
    sent, loaded = channel.last_sent_at, export.last_success_at
    return sent is not None and loaded is not None and loaded - sent < _STILL_GROWS
