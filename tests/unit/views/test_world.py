"""The views over what is really loaded, against a model over the stand-in's true world."""

import json
import random
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambdas.lake.tables.glue_tables import Table
from lambdas.lake.views.sources import EVENT_TYPES
from lambdas.vocabulary import EXPORT_TYPES
from local.standin.periods import Window, milliseconds
from local.standin.records import records
from local.standin.world import World
from tests.unit.aws.in_process import Aws
from tests.unit.lake.in_process_lake import InProcessLake, lines, new_lake
from tests.unit.lake.properties import CAMPAIGN
from tests.unit.views.lakes import Lake
from tests.unit.views.model import Happened, performance

pytestmark = pytest.mark.no_cover

NIGHTS = (datetime(2026, 11, 23, 3, 30, tzinfo=UTC), datetime(2026, 11, 24, 3, 30, tzinfo=UTC))
CONTACTS = 40
"""Few, so that they get the same campaign again."""


@pytest.fixture
def loaded(aws: Aws) -> Iterator[InProcessLake]:
    # An export of a few events says too little of their time, and this is not about that.
    made = new_lake()
    yield made
    shutil.rmtree(made.work, ignore_errors=True)


@pytest.mark.parametrize("seed", range(1, 1 + CAMPAIGN))
def test_the_views_agree_with_the_true_world(loaded: InProcessLake, seed: int) -> None:
    """After overlapping exports, events that come a night late, and a new field."""
    truth = [one for export in EVENT_TYPES for one in _load(loaded, seed, export)]

    rows = _lake(loaded).query("SELECT * FROM campaign_performance")

    expected = performance(truth)
    assert sum(one["sent"] for one in expected.values()) > len(expected)
    assert {(row["campaign"], row["channel"]): {name: row[name] for name in _NAMES} for row in rows} == expected


_NAMES = (
    *(
        "sent",
        "delivered",
        "hard_bounced",
        "soft_bounced",
        "opened",
        "clicked",
        "clicked_without_machines",
        "opted_out",
    ),
    *("opens", "clicks", "orphans", "began_before_lake", "open_rate", "click_rate"),
)


def _load(lake: InProcessLake, seed: int, event: str) -> list[Happened]:
    """Load two nights of an export; return its true events."""
    export = EVENT_TYPES[event].upper()
    rng = random.Random(f"{seed}/{event}")
    truth: dict[int, dict[str, Any]] = {}
    for number, ordered_at in enumerate(NIGHTS):
        span = Window(milliseconds(ordered_at - timedelta(days=3)), milliseconds(ordered_at))
        found = [_changed(text) for text in records(World(seed), export, span, span.end, 200)]
        if number == 0:
            next_start = NIGHTS[1] - timedelta(days=3)
            found = [
                one for one in found if datetime.fromisoformat(one["timestamp"]) < next_start or rng.random() < 0.9
            ]
        else:
            found = [one | {"weather": "rain"} for one in found]
        truth |= {one["eventId"]: one for one in found}
        at = (ordered_at.isoformat(timespec="microseconds"), f"{export}-{number}")
        state = lake.load(lines(found), export, at, period="LAST_3_DAYS")
        assert state.outcome == "loaded", state.reason
    return [Happened.of(event, one) for one in truth.values()]


def _changed(text: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(text)
    number = int(record["contactId"][1:]) % CONTACTS
    # A person in the world of the vendor has one channel, one here in seven has another.
    channel = "SMS" if number % 7 == 0 else "EMAIL"
    return record | {"contactId": f"k{number}", "carmaContactId": number, "channel": channel}


def _lake(loaded: InProcessLake) -> Lake:
    """What the tables hold, in the engine that runs the local Athena."""
    tables: dict[str, Table] = {}
    for name in EVENT_TYPES.values():
        table = loaded.catalog.table(EXPORT_TYPES[name.upper()])
        if table is not None:
            tables[name] = table
    lake = Lake(tables)
    for name in tables:
        columns = lake.columns[name]
        lake.add(name, [{one: row[one] for one in columns} for row in loaded.rows(name.upper())])
    return lake
