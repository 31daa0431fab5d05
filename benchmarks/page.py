"""The tables of docs/performance.md, written from the numbers in docs/performance: `python -m benchmarks.page`.

With a folder (`python -m benchmarks.page .build/bench`) its numbers and plots are copied there first.
"""

import json
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import cost, show
from benchmarks.cost_model import Unmeasured
from benchmarks.measure import ROOT
from benchmarks.targets import Verdict
from local import prices

PAGE = ROOT / "docs" / "performance.md"
KEPT = ROOT / "docs" / "performance"
_RESULTS = "results.json"


def written(text: str, document: Mapping[str, Any]) -> str:
    """The page with its tables filled from the numbers.

    Raises:
        KeyError: the page asks for a table that does not exist.
        Unmeasured: a part is missing from which costs follow.
    """
    tables = _tables(document)

    def filled(found: re.Match[str]) -> str:
        name = found[1]
        return f"<!-- table: {name} -->\n{tables[name]}\n<!-- end -->"

    return re.sub(r"<!-- table: ([\w-]+) -->\n.*?<!-- end -->", filled, text, flags=re.DOTALL)


def publish(folder: Path) -> None:
    """Copy numbers and plots to docs/performance, and write the page from them.

    Raises:
        Unmeasured: a part that the page shows is missing; nothing is copied then.
    """
    try:
        written(PAGE.read_text(), json.loads((folder / _RESULTS).read_text()))
    except KeyError as name:
        raise Unmeasured(f"The run has no numbers for the page's table {name}.") from None
    KEPT.mkdir(exist_ok=True)
    for path in [folder / _RESULTS, *folder.glob("*.png")]:
        shutil.copyfile(path, KEPT / path.name)
    write()


def write() -> None:
    """Write the page from the published numbers."""
    PAGE.write_text(written(PAGE.read_text(), json.loads((KEPT / _RESULTS).read_text())))


def _tables(document: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for part, lines in document["parts"].items():
        grids = list(show.GRIDS[part](lines))
        titled = [f"**{grid.title}**\n\n{grid.markdown()}" for grid in grids]
        found[part] = "\n\n".join(titled)
    found["targets"] = show.targets([Verdict(**verdict) for verdict in document["verdicts"]]).markdown()
    for name, grid in zip(("night", "dollars", "limits", "functions", "memories"), cost.grids(document), strict=True):
        found[name] = grid.markdown()
    machine = document["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    options = document["options"]
    sizes = ", ".join(f"{size:,}" for size in options["sizes"])
    found["machine"] = (
        f"Measured on {document['at'][:10]}: {machine['cores']} cores ({machine['processor']}, "
        f"{machine['architecture']}), {machine['memoryBytes'] / 1e9:.0f} GB; {versions}. "
        f"Files of {sizes} MB; counted repetitions of each subject: {options['repetitions']}. "
        f"Prices of {prices.READ_ON}."
    )
    return found


if __name__ == "__main__":
    if len(sys.argv) > 1:
        publish(Path(sys.argv[1]))
    else:
        write()
