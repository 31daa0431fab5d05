"""The command line of `reconcile`."""

import argparse
from dataclasses import dataclass
from typing import Any

from local.checks import Check
from local.doctor import Query
from local.problem import Misused
from local.reconcile.campaign import Campaign, campaign, exports
from local.reconcile.judge import NUMBERS, Finding, judge


@dataclass(frozen=True)
class Reconciled:
    """A campaign over one channel, and what was found of each number."""

    campaign: Campaign
    channel: str
    findings: tuple[Finding, ...]

    @property
    def is_well(self) -> bool:
        """Whether everything agrees."""
        return all(one.agrees for one in self.findings)

    @property
    def title(self) -> str:
        """What was compared."""
        name = f" ({self.campaign.name})" if self.campaign.name else ""
        return f"Campaign {self.campaign.id}{name}, channel {self.channel}"

    @property
    def checks(self) -> list[Check]:
        """A line a number."""
        return [Check(one.name.replace("_", " "), one.agrees, one.words) for one in self.findings]

    def described(self) -> dict[str, Any]:
        """What `--json` prints of it."""
        return {
            "campaign": self.campaign.id,
            "name": self.campaign.name,
            "channel": self.channel,
            "agrees": self.is_well,
            "numbers": [one.described() for one in self.findings],
        }


def add_reconcile(parser: Any) -> None:
    """Add the arguments of `reconcile`."""
    parser.add_argument("campaign", metavar="CAMPAIGN", help="its id or its name")
    parser.add_argument("--channel", metavar="NAME", help="email, sms, … (default: email, or the only one)")
    for name in NUMBERS:
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=_number, metavar="N", help="as the vendor's screen shows it"
        )


def reconcile(given: argparse.Namespace, query: Query) -> Reconciled:
    """Compare the numbers that were given with those of the lake.

    Raises:
        Misused: no number was given, or there is no such campaign or channel.
        Problem: Athena did not answer.
    """
    vendor = vendor_numbers(given)
    found = campaign(query, given.campaign)
    channel = found.channel(given.channel)
    others = [one for one in found.channels if one is not channel]
    return Reconciled(found, channel.name, tuple(judge(vendor, channel, others, exports(query))))


def vendor_numbers(given: argparse.Namespace) -> dict[str, int]:
    """The numbers that were given.

    Raises:
        Misused: there is none.
    """
    vendor = {name: number for name in NUMBERS if (number := getattr(given, name)) is not None}
    if not vendor:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in NUMBERS)
        raise Misused(f"Give at least one number of the vendor's screen: {options}.")
    return vendor


def _number(word: str) -> int:
    if not (word.isascii() and word.isdigit()):
        raise argparse.ArgumentTypeError(f"{word} is no whole number from 0 on, without separators")
    return int(word)
