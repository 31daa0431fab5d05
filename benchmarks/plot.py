"""Bars of throughput, a panel a file."""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

results = json.loads(Path(sys.argv[1]).read_text())
files = sorted({(line["shape"], line["bytes"]) for line in results})
figure, axes = pyplot.subplots(1, len(files), figsize=(5 * len(files), 3.2), squeeze=False)
for axis, (shape, size) in zip(axes[0], files, strict=True):
    lines = [line for line in results if (line["shape"], line["bytes"]) == (shape, size)]
    names = [line["subject"] for line in lines]
    colours = ["#1f77b4" if name == "this project" else "#bbbbbb" for name in names]
    bars = axis.barh(names, [line["bytesPerSecond"] / 1e6 for line in lines], color=colours)
    axis.bar_label(bars, fmt="%.0f", padding=3)
    axis.set_title(f"{shape}, {size / 1e6:,.0f} MB")
    axis.set_xlabel("MB/s")
    axis.invert_yaxis()
figure.tight_layout()
figure.savefig(sys.argv[2], dpi=120)
print(json.dumps({"files": sys.argv[2]}))
