"""The event files that all subjects read: synthetic SENT records, as the stand-in Symplify makes them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from lambdas.vocabulary import Period
from local.standin.containers import container
from local.standin.periods import Window, Windows, milliseconds, window
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
SHAPES = {"ndjson": "newline-delimited", "array": "array"}
"""The containers, and their names for people."""

_DAYS = 3
# On average, rounded up, so that a file is never larger than asked for.
_RECORD_BYTES = 366
# Of 21 parts of a day's events, the stored day lacks the last, and the new file has that one and as many rows of the
# four before it: half of its rows are known, and the day grows by a twentieth.
_OF, _KNOWN = 21, 4
_LINES_A_WRITE = 20_000


def make(folder: Path, shape: str, megabytes: int) -> Path:
    """Write three days in a file of about that size (10^6 bytes), in a container, unless it exists."""
    path = folder / f"events-{megabytes}.{shape}.json"
    if not path.exists():
        per_day = megabytes * 1_000_000 // _RECORD_BYTES // _DAYS
        half = path.with_suffix(".half")
        write(half, day_records(per_day), container(shape), EXPORT, lambda _count: None)
        half.rename(path)
    return path


def make_day(folder: Path, stored_rows: int) -> tuple[Path, Path]:
    """Write the stored day, and a new file of a tenth of it, half of whose rows are known; unless they exist."""
    stored, new = (folder / f"day-{stored_rows}-{name}.ndjson.json" for name in ("stored", "new"))
    if not (stored.exists() and new.exists()):
        part = stored_rows // (_OF - 1)
        total = stored_rows + part

        def is_new(number: int) -> bool:
            return number >= stored_rows or (number >= stored_rows - _KNOWN * part and number % _KNOWN == 0)

        made = enumerate(_records(Period.LAST_DAY, total))
        halves = [path.with_suffix(".half") for path in (stored, new)]
        with halves[0].open("w") as old_file, halves[1].open("w") as new_file:
            while some := list(islice(made, _LINES_A_WRITE)):
                old_file.writelines(f"{record}\n" for number, record in some if number < stored_rows)
                new_file.writelines(f"{record}\n" for number, record in some if is_new(number))
        for half, path in zip(halves, (stored, new), strict=True):
            half.rename(path)
    return stored, new


def day_records(per_day: int, ordered_at: datetime = ORDERED_AT) -> Iterator[str]:
    """The JSON of three days of events, in the order of their times."""
    return _records(Period.LAST_3_DAYS, per_day, ordered_at)


def _records(period: Period, per_day: int, ordered_at: datetime = ORDERED_AT) -> Iterator[str]:
    # A single day is a calendar day, so that it is one partition.
    span = window(period, ordered_at, Windows.CALENDAR if period is Period.LAST_DAY else Windows.ROLLING)
    return records(World(1), EXPORT, Window(span.start, span.end), milliseconds(ordered_at), per_day)
