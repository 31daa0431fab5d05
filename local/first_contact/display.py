"""Output of `first-contact` for people: the profiles, then what became of each export, and what to do next."""

import shlex
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.display import STYLE
from local.profiling import display as profiling_display


def show(console: Console, document: Mapping[str, Any]) -> None:
    """Print the document."""
    console.print()
    profiling_display.show(console, document["profiles"])
    table = Table("export", "period", "batch", "state", "problem", **STYLE)
    loadable = {one["file"]: one["loadable"] for one in document["profiles"]}
    for one in document["exports"]:
        words = one["error"] or ("" if loadable.get(one["file"]) else "would not be loaded, see above")
        cells = (one["exportType"], one["period"], one["batchId"] or "", one["state"], words)
        table.add_row(*map(Text, cells))
    console.print(table)
    for hint in document["hints"]:
        _print(console, f"• {hint}")
    saved = {one["file"]: one for one in document["exports"] if one["file"]}
    if saved:
        # The one that needs a decision most, else one whose time may be another.
        by_need = sorted(document["profiles"], key=lambda one: (one["loadable"], not one["otherTimes"]))
        one = saved[by_need[0]["file"]]
        words = ["profile", one["file"], "--ordered-at", one["orderedAt"], "--period", one["period"]]
        _print(
            console, f"The results are in {document['folder']}, personal data for your eyes alone: delete it when done."
        )
        _print(console, f"Look again, with settings: python -m local {shlex.join(words)} --setting NAME=VALUE")


def _print(console: Console, words: str) -> None:
    console.print(words, markup=False, emoji=False, highlight=False, soft_wrap=True)
