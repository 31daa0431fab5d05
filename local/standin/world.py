"""The synthetic account: its projects, lists, campaigns and messages.

All of it is generated from a seed. Campaign fields are named as in a public client; those of the other entities are
guesses in the same style.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

DAY_MS = 86_400_000
_FIRST_DAY = 19_000  # days since 1970: January 2022, when the oldest entity was made
_PROJECTS = ("Webshop", "Kundklubb", "B2B", "Butiker", "Outlet", "Événements", "Press", "Test \\ intern")
_LISTS = (
    "Alla kunder",
    "VIP",
    "Nya",
    "Aktiva",
    "Sovande",
    "DE",
    "FR",
    "UK",
    'Kund "Plus"',
    "Personal",
    "Press",
    "Test",
)
_THEMES = ("Nyhetsbrev", "Höstrea", "Välkommen", "Påminnelse", "Summer sale", "Kvitto", "Frühling", 'Say "hello"')
_CAMPAIGNS = 48
_MESSAGES = 60


@dataclass(frozen=True)
class Named:
    """A project or a list."""

    id: int
    name: str


@dataclass(frozen=True)
class Campaign:
    """A campaign of one project to one list."""

    id: int
    name: str
    project: Named
    list: Named


class World:
    """The entities of the account of a seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        rng = random.Random(f"{seed}/entities")  # noqa: S311 - test data
        first = rng.randrange(1000, 9000)
        self.projects = [Named(first + i, name) for i, name in enumerate(_PROJECTS)]
        self.lists = [Named(first * 3 + i * 7, name) for i, name in enumerate(_LISTS)]
        self.campaigns = [
            Campaign(
                first * 10 + i * 3,
                f"{_THEMES[i % len(_THEMES)]} {i // len(_THEMES) + 1}",
                rng.choice(self.projects),
                rng.choice(self.lists),
            )
            for i in range(_CAMPAIGNS)
        ]

    @cached_property
    def entities(self) -> dict[str, Callable[[int], Iterator[str]]]:
        """By export type: a function that gives the records, as JSON texts, as they are at an instant (in ms).

        Entities change every few days (`dateModified`, and a field or two), so that "the newest wins" shows.
        """
        return {
            "PROJECTS": lambda at: (
                _record(at, i, {"projectId": project.id, "projectName": project.name}, "active")
                for i, project in enumerate(self.projects)
            ),
            "LISTS": lambda at: (
                _record(at, i, {"listId": each.id, "listName": each.name}, "active")
                for i, each in enumerate(self.lists)
            ),
            "CAMPAIGNS": lambda at: (
                _record(
                    at,
                    i,
                    {"campaignId": campaign.id, "campaignName": campaign.name, "campaignTypeId": i % 4 + 1},
                    "active",
                    "locked",
                )
                for i, campaign in enumerate(self.campaigns)
            ),
            "MESSAGES": lambda at: (_record(at, i, self._message(i), "active") for i in range(_MESSAGES)),
        }

    def campaigns_of(self, day: int) -> list[Campaign]:
        """The campaigns that send on a day (in days since 1970)."""
        return random.Random(f"{self.seed}/{day}/campaigns").sample(self.campaigns, 8)  # noqa: S311 - test data

    def _message(self, i: int) -> dict[str, object]:
        campaign = self.campaigns[i % len(self.campaigns)]
        return {
            "messageId": campaign.id * 10 + i // len(self.campaigns),
            "messageName": f"{campaign.name} / {'ABCD'[i // len(self.campaigns)]}",
            "campaignId": campaign.id,
            "channel": "EMAIL",
            "subject": f"{campaign.name}: 20 % till {campaign.list.name}",
        }


def _record(at: int, i: int, fields: dict[str, object], *flags: str) -> str:
    every = 5 + i % 9
    version = (at // DAY_MS + i) // every
    states = {flag: (version + i) % (4 + position) != 0 for position, flag in enumerate(flags)}
    dates = {"dateCreated": (_FIRST_DAY + i * 11) * DAY_MS, "dateModified": (version * every - i) * DAY_MS}
    return json.dumps({**fields, **states, **dates}, ensure_ascii=False, separators=(",", ":"))
