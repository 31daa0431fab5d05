"""Charts as SVG inside the page: without a script, coloured by the page's style sheet."""

from collections.abc import Sequence
from datetime import date
from xml.etree import ElementTree as ET

import leather

from lambdas.report.numbers import Series

_WIDTH, _HEIGHT = 420, 170
_EVERY = 7


def columns(series: Series, days: Sequence[date], label: str) -> str:
    """A column a day; `label` says to screen readers what the chart shows."""
    names = [f"{day:%m-%d}" for day in days]
    values = [value or 0 for value in series.values]
    chart = leather.Chart()
    chart.add_columns(list(zip(names, values, strict=True)))
    chart.add_y_scale(0, max(1, *values))
    # The last day has a label, and each that lies whole weeks before it.
    chart.add_x_axis(ticks=names[::-1][::_EVERY][::-1])
    chart.add_y_axis(tick_formatter=lambda value, _index, _count: f"{value:,.0f}" if value == int(value) else "")
    # Without a size of its own: the page decides how large it is.
    drawn = ET.Element("svg", {"viewBox": f"0 0 {_WIDTH} {_HEIGHT}", "role": "img", "aria-label": label})
    drawn.append(chart.to_svg_group(_WIDTH, _HEIGHT))
    return ET.tostring(drawn, encoding="unicode")
