"""Plots a results.json: `plot.py RESULTS FOLDER` with the peers' Python, which has matplotlib."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

document = json.loads(Path(sys.argv[1]).read_text())
folder = Path(sys.argv[2])
parts: dict[str, list[dict[str, Any]]] = document["parts"]
made: list[str] = []
OURS, OTHERS = "#1f77b4", "#bbbbbb"
versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
footer = f"{document['at'][:10]}, {document['machine']['cores']} cores, {document['machine']['processor']}\n{versions}"


def bars(
    axis: Any, names: Sequence[str], values: Sequence[float], labels: Sequence[str], *, title: str, unit: str
) -> None:
    """Horizontal bars with labels, this project's in colour."""
    colours = [OURS if name.startswith("this project") else OTHERS for name in names]
    drawn = axis.barh(names, values, color=colours)
    axis.bar_label(drawn, labels=labels, padding=3, fontsize=8)
    axis.set_xlim(0, max(values) * 1.35 or 1)
    axis.set_title(title, fontsize=9)
    axis.set_xlabel(unit, fontsize=8)
    axis.tick_params(labelsize=8)
    axis.invert_yaxis()


def save(figure: Any, name: str) -> None:
    """Write a figure with its footer."""
    figure.text(0.005, 0.005, footer, fontsize=6, color="#666666", va="bottom")
    figure.tight_layout(rect=(0, 0.06, 1, 1))
    figure.savefig(folder / name, dpi=90)
    made.append(str(folder / name))


def limit(axis: Any, value: float, words: str) -> None:
    """A target as a vertical line."""
    axis.axvline(value, color="#d62728", linewidth=1, linestyle="--")
    axis.text(value, 6.9, f" {words}", color="#d62728", fontsize=7)


def measured(part: str) -> list[dict[str, Any]]:
    """The lines of a part that have a time."""
    return [line for line in parts.get(part, []) if line.get("wall") and not line.get("failed")]


load = measured("load")
if load:
    files = sorted({(line["megabytes"], line["shape"]) for line in load})
    figure, axes = pyplot.subplots(len(files), 2, figsize=(11, 2.1 * len(files) + 0.6), squeeze=False)
    for (megabytes, shape), (speed, memory) in zip(files, axes, strict=True):
        lines = [line for line in load if (line["megabytes"], line["shape"]) == (megabytes, shape)]
        names = [line["subject"] for line in lines]
        rates = [line["bytesPerSecond"] / 1e6 for line in lines]
        ratios = [f"{line['ratioToEngine']:.2f} ×" if line["ratioToEngine"] else "" for line in lines]
        labels = [f"{rate:.0f} ({ratio})" for rate, ratio in zip(rates, ratios, strict=True)]
        bars(speed, names, rates, labels, title=f"Load, {megabytes:,} MB, {shape}", unit="MB/s (× the engine's time)")
        peaks = [line["peak"] / 1e6 for line in lines]
        bars(memory, names, peaks, [f"{peak:.0f}" for peak in peaks], title="Peak memory", unit="MB")
    save(figure, "load.png")

panels: list[Callable[[Any], object]] = []
if merge := measured("merge"):
    names = [f"{line['subject']}\n{'merge' if line['newRows'] else 'read + write'}" for line in merge]
    labels = [f"{line['wall']:.1f} s ({line['ratioToEngine']:.2f} ×)" for line in merge]
    title = f"Merge into {merge[0]['storedRows']:,} rows"
    panels.append(lambda axis: bars(axis, names, [line["wall"] for line in merge], labels, title=title, unit="s"))
if copied := measured("copy"):
    copy_names = [f"{line['subject']}\n{line['megabytes']:,} MB" for line in copied]
    copy_rates = [line["bytesPerSecond"] / 1e6 for line in copied]
    copy_labels = [
        f"{rate:.0f} ({1 / line['ratioToCurl']:.2f} ×)" for rate, line in zip(copy_rates, copied, strict=True)
    ]
    panels.append(
        lambda axis: bars(axis, copy_names, copy_rates, copy_labels, title="Copy into the embedded bucket", unit="MB/s")
    )
if imported := measured("imports"):

    def draw_imports(axis: Any) -> None:
        """Seconds per function, with the target."""
        walls = [line["wall"] for line in imported]
        subjects = [line["subject"] for line in imported]
        bars(axis, subjects, walls, [f"{wall:.2f}" for wall in walls], title="Cold import", unit="s")
        limit(axis, 0.5, "0.5 s, all but load")

    panels.append(draw_imports)
nights = [line for line in measured("idle") if "night" in line]
if nights:

    def draw_nights(axis: Any) -> None:
        """The spread of each night."""
        names = list(dict.fromkeys(line["night"] for line in nights))
        values = [[line["overhead"] for line in nights if line["night"] == name] for name in names]
        axis.boxplot(values, orientation="horizontal", whis=(0, 100), tick_labels=names)
        axis.set_title("An export's own time on the embedded cloud", fontsize=9)
        axis.set_xlabel("s", fontsize=8)
        axis.tick_params(labelsize=8)
        axis.axvline(20, color="#d62728", linewidth=1, linestyle="--")

    panels.append(draw_nights)
if panels:
    figure, axes = pyplot.subplots(
        -(-len(panels) // 2), 2, figsize=(11, 2.6 * -(-len(panels) // 2) + 0.6), squeeze=False
    )
    for axis, draw in zip(axes.flat, panels, strict=False):
        draw(axis)
    for axis in list(axes.flat)[len(panels) :]:
        axis.set_visible(False)
    save(figure, "parts.png")

print(json.dumps({"files": made}))
