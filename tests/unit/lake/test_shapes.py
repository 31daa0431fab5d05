"""The law of shapes: whatever an export's records look like, they load right without a setting, or it is said why not.

`make shape-campaign` tries thousands of shapes; the default run a seeded part of them.
"""

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.execution import RunState
from lambdas.ledger.orders import COPIED, Order
from lambdas.outcome import Outcome
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.aws.in_process import in_process_aws
from tests.unit.lake.in_process_lake import InProcessLake, new_lake
from tests.unit.lake.properties import examples
from tests.unit.lake.shapes import (
    CONTAINERS,
    FORMATS,
    GENERAL_TIMES,
    ORDERED,
    TIME_NAMES,
    WHAT,
    WHO,
    Shape,
    Story,
    story,
)

pytestmark = pytest.mark.no_cover

DECOYS = ("row numbers", "stable ids", "a customer id", "a constant update", "a send time", "counters", "an address")


@pytest.fixture(scope="module", autouse=True)
def aws() -> Iterator[None]:
    """The AWS fake, for all examples."""
    with in_process_aws():
        yield


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    """Shapes whose records say what they are."""
    export = draw(st.sampled_from(sorted(TIME_NAMES)))
    decoys = draw(st.frozensets(st.sampled_from(DECOYS), max_size=3))
    who = draw(st.sampled_from(WHO) | st.none())
    time = draw(st.sampled_from(TIME_NAMES[export] + GENERAL_TIMES))
    if export == "SENT" or time == "opened":
        # There, a send time beside is the event's own, or as good a name as another verb's.
        decoys -= {"a send time"}
    if who in (None, "email", "recipient"):
        # Without a contact, an address that changes leaves nothing in common, and counters nothing that stays.
        decoys -= {"an address", "counters"}
    return Shape(
        export=export,
        time=time,
        time_format=draw(st.sampled_from(sorted(FORMATS))),
        who=who,
        what=draw(st.sampled_from(WHAT)) if who else None,
        zone=draw(st.sampled_from(["UTC", "Europe/Stockholm", "America/New_York"])),
        container=draw(st.sampled_from(sorted(CONTAINERS))),
        ids_are_numbers=draw(st.booleans()),
        decoys=decoys,
    )


@st.composite
def stories(draw: st.DrawFn, fewest: int = 3) -> Story:
    """What happened, small tables and larger ones, with what good data do."""
    return story(
        Random(draw(st.integers(0, 2**32))),
        nights=draw(st.integers(2, 4)),
        per_day=draw(st.sampled_from([fewest, 10, 30, 100])),
        late=draw(st.sampled_from([0.0, 0.0, 0.05])),
        deleted=draw(st.sampled_from([0.0, 0.0, 0.06])),
        old=draw(st.booleans()),
    )


def loaded(lake: InProcessLake, shape: Shape, told: Story, order: Sequence[int]) -> list[RunState]:
    """Load the nights in an order, each as a batch that a run has ordered and copied."""
    states = []
    ledger = lake.ledger(EXPORT_TYPES[shape.export])
    for number, night in enumerate(order):
        at = (ORDERED + timedelta(days=night)).isoformat(timespec="microseconds")
        content = shape.file(told.nights[night], night)
        batch = f"b{night}-{number}"
        ledger.write_order(lake.execution(), Order(at, 0, batch, at), "LAST_3_DAYS")
        ledger.mark_batch(batch, COPIED)
        states.append(lake.load(content, shape.export, (at, batch), period="LAST_3_DAYS"))
    return states


def lake_of(shape: Shape) -> InProcessLake:
    return new_lake(time_zone=shape.zone, event_time={}, unknown_time_ratio=0.01)


@examples(25)
@given(shapes(), stories(), st.data())
def test_a_shape_that_is_not_ambiguous_loads_right_without_a_setting(
    shape: Shape, told: Story, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(told.nights))))
    repeat = data.draw(st.sampled_from([[], order[:1], order[-1:]]))
    lake = lake_of(shape)
    try:
        states = loaded(lake, shape, told, [*order, *repeat])
        reasons = [state.reason for state in states]
        rows = lake.rows(shape.export)
        assert states[-1].outcome == Outcome.LOADED, reasons
        assert Counter(row["note"] for row in rows) == Counter(one.note for one in told.events), reasons
        days = {one.note: shape.day(one) for one in told.events}
        assert {row["note"]: row["dt"] for row in rows} == days
    finally:
        shutil.rmtree(lake.work, ignore_errors=True)
