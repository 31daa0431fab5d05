"""What the latest events of an export that ends with its order say of the zone of texts without an offset."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

# Fewer say little of how late the latest one is.
_FEWEST = 20
# Zones differ by such steps; clocks and the minute of the evidence by a little.
_STEP, _TOLERANCE = 30, 3


def hint(document: Mapping[str, Any], ordered_at: datetime, zone: str) -> str | None:
    """The sentence for a profiled TODAY export; None where it says nothing. `zone` is what its texts are taken for."""
    for time in (*document["eventTime"], *document["otherTimes"]):
        evidence = time["evidence"]
        if evidence and evidence["withoutOffset"] and evidence["parsed"] >= _FEWEST and evidence["last"]:
            last = datetime.strptime(evidence["last"], "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
            return _sentence(document["exportType"], time["field"], last, ordered_at, time.get("timeZone", zone))
    return None


def _sentence(export: str, field: str, last: datetime, ordered_at: datetime, zone: str) -> str:
    printed = last.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)
    ahead = (printed - ordered_at) / timedelta(minutes=1)
    least = math.ceil((ahead - _TOLERANCE) / _STEP) * _STEP
    taken = (ordered_at.astimezone(ZoneInfo(zone)).utcoffset() or timedelta(0)) // timedelta(minutes=1)
    side = "after" if ahead > 0 else "before"
    what = (
        f"{export}: the latest {field} was printed {_length(ahead)} {side} the UTC time of the order, so its zone is "
        f"{_offset(least)} or further east"
    )
    if least == taken:
        return f"{what}, which agrees with {zone}."
    if least > taken:
        return f"{what}; under {zone} it would lie in the future. The setting timestampTimeZone says which zone it is."
    return f"{what}. It is taken for {zone} ({_offset(taken)}), which fits if nothing has happened since."


def _offset(minutes: int) -> str:
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _length(minutes: float) -> str:
    whole = abs(round(minutes))
    return f"{whole // 60} h {whole % 60} min"
