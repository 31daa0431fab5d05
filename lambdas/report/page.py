"""The page: one HTML file that loads nothing and runs nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from lambdas.lake.views.metrics import COUNTS, RATES
from lambdas.lake.views.recent import MOST_CAMPAIGNS, NUMBERS, PAGE_DAYS
from lambdas.report.charts import columns
from lambdas.report.exports import LATE_DAYS, NIGHTS, ExportState
from lambdas.report.numbers import Campaign, Channel, Series, shown_days

NOT_KNOWN = "–"
_TEMPLATE = Path(__file__).with_name("page.html.jinja")


@dataclass(frozen=True)
class Report:
    """What the page shows. Aggregates alone: nothing in it names a contact."""

    stack: str
    now: datetime
    exports: tuple[ExportState, ...]
    weeks: Mapping[str, tuple[int | None, int | None]]
    channels: tuple[Channel, ...]
    campaigns: tuple[Campaign, ...]
    unknown_sends: int
    """How many of the last week's sends lack some of its numbers."""
    first_day: str | None
    """The first day of which sends are in the lake."""
    found_share: float | None
    """Of the events other than sends, the share whose send is in the lake; None where there are none."""
    unknown: tuple[str, ...] = ()
    """Why some numbers are missing: sentences."""

    @property
    def days(self) -> tuple[date, ...]:
        """The days of the charts."""
        return shown_days(self.now.date())

    @property
    def nights(self) -> tuple[date, ...]:
        """The days on which the nights' runs started, the newest first."""
        return tuple(self.now.date() - timedelta(days=ago) for ago in range(NIGHTS))

    @property
    def unwell(self) -> list[ExportState]:
        """The export types that somebody has to look at."""
        return [one for one in self.exports if not one.is_well]


def page(report: Report) -> str:
    """The report as HTML."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"number": number, "percent": percent, "hours": hours}
    return environment.from_string(_TEMPLATE.read_text()).render(
        report=report,
        chart=lambda series, channel: Markup(columns(series, report.days, _label(series, channel, report.days))),  # noqa: S704
        metrics=(*COUNTS, *RATES),
        NOT_KNOWN=NOT_KNOWN,
        NUMBERS=NUMBERS,
        DAYS=PAGE_DAYS,
        NIGHTS=NIGHTS,
        LATE_DAYS=LATE_DAYS,
        MOST_CAMPAIGNS=MOST_CAMPAIGNS,
    )


def number(value: int | None) -> str:
    """A whole number with its thousands apart."""
    return NOT_KNOWN if value is None else f"{value:,}"


def percent(value: float | None) -> str:
    """A share as a percentage."""
    return NOT_KNOWN if value is None else f"{100 * value:.1f} %"


def hours(value: float | None) -> str:
    """Minutes below two hours, days from two days on."""
    if value is None:
        return NOT_KNOWN
    if value < 2:
        return f"{60 * value:.0f} min"
    return f"{value:.1f} h" if value < 48 else f"{value / 24:.1f} days"


def _label(series: Series, channel: Channel, days: tuple[date, ...]) -> str:
    most = max(value or 0 for value in series.values)
    text = f"{series.name} over {channel.name}, a column a day from {days[0]} to {days[-1]}: {series.total:,} in all"
    return f"{text}, at most {most:,} on {days[series.values.index(most)]}" if most else text
