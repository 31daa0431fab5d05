"""What a smoke run has shown, as a page that can be kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What a step has come to."""

    SHOWN = "shown"
    FAILED = "failed"
    SIMULATED = "simulated"
    """IAM's simulation agrees; nothing was done."""
    NOT_SHOWN = "not shown"
    """It could not be walked this time."""
    NOT_HERE = "not on this cloud"
    """It was rehearsed on a cloud that cannot prove it."""


@dataclass(frozen=True)
class Step:
    """A step that has ended."""

    name: str
    verdict: Verdict
    words: str
    seconds: float
    usd: float
    """Estimated from list prices."""

    def described(self) -> dict[str, Any]:
        """What `--json` prints of it."""
        return {
            "step": self.name,
            "result": self.verdict.value,
            "words": self.words,
            "seconds": round(self.seconds, 1),
            "usd": round(self.usd, 5),
        }


@dataclass(frozen=True)
class Report:
    """A smoke run, as far as it came."""

    stack: str
    cloud: str
    what: str
    """The export and period that it ordered."""
    version: str
    began: datetime
    steps: Sequence[Step]
    left: Sequence[str]
    """What could not be taken away."""

    @property
    def is_well(self) -> bool:
        """Whether no step failed, and nothing is left behind."""
        return not self.left and all(step.verdict is not Verdict.FAILED for step in self.steps)

    def described(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "stack": self.stack,
            "cloud": self.cloud,
            "export": self.what,
            "version": self.version,
            "began": self.began.isoformat(timespec="seconds"),
            "steps": [step.described() for step in self.steps],
            "left": list(self.left),
        }

    def page(self) -> str:
        """The report in Markdown."""
        rows = [
            f"| {step.name} | {step.verdict} | {step.seconds:.0f} | {step.usd:.4f} | {_cell(step.words)} |"
            for step in self.steps
        ]
        left = ["", "Left behind, to be removed by hand:", "", *(f"- {one}" for one in self.left)] if self.left else []
        lines = [
            f"# Smoke run of {self.stack}",
            "",
            f"{self.began:%Y-%m-%d %H:%M} UTC, on {self.cloud}, version {self.version}, {self.what}.",
            "",
            "| step | result | seconds | USD | found |",
            "|---|---|---:|---:|---|",
            *rows,
            "",
            f"Estimated at list prices: {sum(step.usd for step in self.steps):.4f} USD, without Symplify's.",
            *left,
        ]
        return "\n".join(lines) + "\n"


def _cell(words: str) -> str:
    return " ".join(words.split()).replace("|", "\\|")
