"""What the settings decide of a profile."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lambdas.vocabulary import TimeFormat


@dataclass(frozen=True)
class Chosen:
    """What the settings decide for a table, in place of evidence."""

    event_time: tuple[str, ...] = ()
    """Paths, the best first."""
    formats: Mapping[str, TimeFormat] = field(default_factory=dict)
    """Of these paths, where the setting names one."""
    time_zones: Mapping[str, str] = field(default_factory=dict)
    """Of texts without an offset in these paths, where the setting names one."""
    date_zone: str = ""
    """The zone of dates alone, that of the table's days, so that a date keeps the day that it names."""
    identity: tuple[str, ...] = ()
    """Paths."""
