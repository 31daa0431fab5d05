"""The event file that all subjects read: three days of synthetic SENT records, as the stand-in Symplify makes them."""

from datetime import UTC, datetime
from pathlib import Path

from lambdas.symplify.vocabulary import Period
from local.standin.containers import container
from local.standin.periods import Windows, milliseconds, window
from local.standin.records import records
from local.standin.spool import write
from local.standin.world import World

EXPORT = "SENT"
ORDERED_AT = datetime(2026, 1, 15, 3, 30, tzinfo=UTC)
COLUMNS = {
    "eventId": "BIGINT",
    "contactId": "VARCHAR",
    "carmaContactId": "BIGINT",
    "campaignId": "BIGINT",
    "campaign": "VARCHAR",
    "projectId": "BIGINT",
    "project": "VARCHAR",
    "listId": "BIGINT",
    "list": "VARCHAR",
    "module": "VARCHAR",
    "channel": "VARCHAR",
    "messageType": "VARCHAR",
    "description": "VARCHAR",
    "sentTimestamp": "VARCHAR",
    "timestamp": "VARCHAR",
}
"""The fields of a record and the engine's types for them."""

_DAYS = 3
_RECORD_BYTES = 362


def make(folder: Path, shape: str, megabytes: int) -> Path:
    """Write the file of about that size (10^6 bytes) in a container, `ndjson` or `array`, unless it is there."""
    path = folder / f"events-{megabytes}.{shape}.json"
    if not path.exists():
        per_day = megabytes * 1_000_000 // _RECORD_BYTES // _DAYS
        span = window(Period.LAST_3_DAYS, ORDERED_AT, Windows.ROLLING)
        half = path.with_suffix(".half")
        made = records(World(1), EXPORT, span, milliseconds(ORDERED_AT), per_day)
        write(half, made, container(shape), EXPORT, lambda _count: None)
        half.rename(path)
    return path
