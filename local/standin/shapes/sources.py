"""The records that a shape can start from: those of the export types, and the mails."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from lambdas.vocabulary import EXPORT_TYPES
from local.standin import mails, records
from local.standin.periods import Window
from local.standin.world import DAY_MS, World

MAILS = "MAILS"
SOURCES = (*EXPORT_TYPES, MAILS)

_SAMPLE_DAY = 20_000  # any
_SAMPLE_EVENTS = 20_000  # enough for an event of the rarest kind


def source(world: World, name: str, window: Window, ordered_at: int, events_per_day: int) -> Iterator[str]:
    """The records of a source as JSON texts, see `records.records`."""
    if name == MAILS:
        return mails.mails(world, window, ordered_at, events_per_day)
    return records.records(world, name, window, ordered_at, events_per_day)


@cache
def sample(name: str) -> dict[str, Any]:
    """A record of a source: all of its records have the same fields."""
    start = _SAMPLE_DAY * DAY_MS
    found: dict[str, Any] = json.loads(
        next(source(World(0), name, Window(start, start + DAY_MS), start + DAY_MS, _SAMPLE_EVENTS))
    )
    return found
