"""How long to wait after a 429."""

import math
import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Used without a usable header: one public client reports "one request per minute" from an error message.
RATE_LIMIT_SECONDS = 60
# More than an hour is a mistake or a ban; the run's deadline decides then.
CAP_SECONDS = 3600


def retry_after(header: str | None, now: datetime) -> int:
    """Seconds to wait: the Retry-After header (seconds or a date) within bounds, or a minute, plus jitter."""
    return spread(min(max(_requested(header, now), 1), CAP_SECONDS))


def spread(seconds: float) -> int:
    """A wait of at least that long, plus jitter, so that ten runs do not come back at the same moment."""
    return int(seconds + random.uniform(1, 10))  # noqa: S311 - no security


def _requested(header: str | None, now: datetime) -> float:
    if header is None:
        return RATE_LIMIT_SECONDS
    try:
        seconds = float(header)
    except ValueError:
        return _until(header, now)
    return RATE_LIMIT_SECONDS if math.isnan(seconds) else seconds


def _until(date: str, now: datetime) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return RATE_LIMIT_SECONDS
    # A date with the zone -0000 is parsed without one, and means UTC.
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
