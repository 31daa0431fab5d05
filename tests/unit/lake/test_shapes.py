"""The law of shapes: whatever an export's records look like, they load right without a setting, or it is said why not.

`make shape-campaign` tries thousands of shapes; the default run a seeded part of them.
"""

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from lambdas.execution import RunState
from lambdas.ledger.orders import COPIED, Order
from lambdas.outcome import Outcome
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.aws.in_process import in_process_aws
from tests.unit.lake.in_process_lake import Age, InProcessLake, new_lake
from tests.unit.lake.properties import examples
from tests.unit.lake.shapes import (
    CONTAINERS,
    FORMATS,
    GENERAL_TIMES,
    KEYS,
    ORDERED,
    TIME_NAMES,
    WHAT,
    WHO,
    Event,
    Shape,
    Story,
    story,
)

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
    if who is None:
        decoys -= {"row numbers"}
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


def loaded(
    lake: InProcessLake, shape: Shape, told: Story, order: Sequence[int], files: Sequence[bytes] | None = None
) -> list[RunState]:
    """Load the nights in an order, each as a batch that a run has ordered and copied."""
    states = []
    for number, night in enumerate(order):
        at = (ORDERED + timedelta(days=night)).isoformat(timespec="microseconds")
        content = files[night] if files else shape.file(told.nights[night], night)
        states.append(ordered_and_loaded(lake, content, shape.export, (at, f"b{night}-{number}")))
    return states


def ordered_and_loaded(lake: InProcessLake, content: bytes, export: str, at: Age) -> RunState:
    """Load a batch that a run has ordered and copied."""
    ledger = lake.ledger(EXPORT_TYPES[export])
    ledger.write_order(lake.execution(), Order(at[0], 0, at[1], at[0]), "LAST_3_DAYS")
    ledger.mark_batch(at[1], COPIED)
    return lake.load(content, export, at, period="LAST_3_DAYS")


def lake_of(shape: Shape) -> InProcessLake:
    return new_lake(time_zone=shape.zone, event_time={}, unknown_time_ratio=0.01)


@pytest.mark.no_cover
@examples(8)
@given(shapes(), stories(), st.data())
def test_a_shape_that_is_not_ambiguous_loads_right_without_a_setting(
    shape: Shape, told: Story, data: st.DataObject
) -> None:
    assume(shape.tells_apart or told.is_complete)
    order = data.draw(st.permutations(range(len(told.nights))))
    repeat = data.draw(st.sampled_from([[], order[:1], order[-1:]]))
    with kept(lake_of(shape)) as lake:
        states = loaded(lake, shape, told, [*order, *repeat])
        assert states[-1].outcome == Outcome.LOADED, [state.reason for state in states]
        assert is_true(lake, shape, told), [state.reason for state in states]
        days = {one.note: shape.day(one) for one in told.events}
        assert {row["note"]: row["dt"] for row in lake.rows(shape.export)} == days


def played(lake: InProcessLake, shape: Shape, told: Story, files: Sequence[bytes] | None = None) -> list[RunState]:
    """Load all nights in their order; `files` in place of the shape's own."""
    return loaded(lake, shape, told, range(len(told.nights)), files)


def is_true(lake: InProcessLake, shape: Shape, told: Story) -> bool:
    """Whether the table has every event once, and no other."""
    return Counter(row["note"] for row in lake.rows(shape.export)) == Counter(one.note for one in told.events)


seeds = st.integers(0, 2**32)
larger = st.sampled_from([10, 30, 100])


@examples(2)
@given(shapes(), seeds, larger)
def test_a_first_export_of_one_record_waits_for_the_next_and_nothing_is_lost(
    shape: Shape, seed: int, per_day: int
) -> None:
    # A lone object in a file of lines may be something else than a record.
    shape, full = replace(shape, container="array"), story(Random(seed), nights=3, per_day=per_day)
    told = told_again(full, (full.nights[0][:1], *full.nights[1:]))
    with kept(lake_of(shape)) as lake:
        states = played(lake, shape, told)
        assert [state.outcome for state in states] == [Outcome.UNDECIDED, Outcome.LOADED, Outcome.LOADED]
        assert is_true(lake, shape, told)


@examples(2)
@given(shapes(), seeds, larger, st.sampled_from([0, 2]))
# Two exports of whole days that move by one share no day that both have wholly.
@example(Shape("CLICKS", "clickTimestamp", "date", "contactId", "messageId", "UTC", "array"), 0, 100, 2)
@example(Shape("CLICKS", "clickTimestamp", "date", None, None, "UTC", "array"), 0, 100, 2)
def test_a_doubled_export_is_refused_alone_whether_it_is_the_first_or_a_later_one(
    shape: Shape, seed: int, per_day: int, which: int
) -> None:
    told = story(Random(seed), nights=4, per_day=per_day)
    files = [shape.file(night * 2 if number == which else night, number) for number, night in enumerate(told.nights)]
    with kept(lake_of(shape)) as lake:
        played(lake, shape, told, files)
        others = {one.note for number, night in enumerate(told.nights) if number != which for one in night}
        rows = Counter(row["note"] for row in lake.rows(shape.export))
        assert set(rows) >= others
        assert set(rows.values()) == {1}


@examples(2)
@given(shapes(), seeds, larger)
def test_the_moment_of_the_export_is_no_time_of_its_events(shape: Shape, seed: int, per_day: int) -> None:
    told = story(Random(seed), nights=4, per_day=per_day)
    shape = replace(shape, time="exportedAt", decoys=shape.decoys - {"a send time"})
    files = [shape.file(stamped(night, number), number) for number, night in enumerate(told.nights)]
    with kept(lake_of(shape)) as lake:
        states = played(lake, shape, told, files)
        assert all(state.outcome != Outcome.LOADED for state in states[1:])
        assert all("eventTime" in str(state.reason) for state in states[1:] if state.outcome == Outcome.UNDECIDED)


@examples(2)
@given(shapes(), seeds, larger)
def test_records_without_any_time_of_the_ordered_span_are_undecided_and_a_setting_cannot_make_one(
    shape: Shape, seed: int, per_day: int
) -> None:
    told = story(Random(seed), nights=2, per_day=per_day)
    shape = replace(shape, time="born", decoys=frozenset())
    files = [
        shape.file([replace(one, at=one.at - timedelta(days=4000)) for one in night], number)
        for number, night in enumerate(told.nights)
    ]
    assert_undecided(shape, told, files)


@examples(2)
@given(shapes(), seeds, larger)
def test_events_in_arrays_within_records_are_undecided(shape: Shape, seed: int, per_day: int) -> None:
    told = story(Random(seed), nights=2, per_day=per_day)
    files = [in_arrays(shape, night, number) for number, night in enumerate(told.nights)]
    assert_undecided(shape, told, files)


@examples(2)
@given(shapes(), seeds, larger)
def test_exports_without_a_time_in_common_load_right_and_settle_nothing(shape: Shape, seed: int, per_day: int) -> None:
    assume(shape.resolution < timedelta(days=1))
    full = story(Random(seed), nights=9, per_day=per_day)
    gaps = (0, 4, 8)
    told = told_again(full, tuple(night if number in gaps else () for number, night in enumerate(full.nights)))
    with kept(lake_of(shape)) as lake:
        states = loaded(lake, shape, told, gaps)
        assert [state.outcome for state in states] == [Outcome.LOADED] * 3
        assert is_true(lake, shape, told)
        definition = lake.definition(shape.export)
        assert definition is not None
        assert "provisional" in definition["Parameters"]["profile"]


@pytest.mark.no_cover
@examples(2)
@given(shapes(), seeds, st.sampled_from(["iso blank", "day first", "month first", "array"]))
def test_another_zone_from_the_third_export_on_blocks_the_table(shape: Shape, seed: int, time_format: str) -> None:
    told = story(Random(seed), nights=4, per_day=100)
    shape = replace(shape, time_format=time_format, zone="Europe/Stockholm")
    other = replace(shape, zone="America/New_York")
    files = [(shape if number < 2 else other).file(night, number) for number, night in enumerate(told.nights)]
    with kept(lake_of(shape)) as lake:
        states = played(lake, shape, told, files)
        assert [state.outcome == Outcome.LOADED for state in states] == [True, True, False, False]
        known = {one.note for night in told.nights[:2] for one in night}
        assert Counter(row["note"] for row in lake.rows(shape.export)) == dict.fromkeys(known, 1)
        assert "--reprofile" in str(states[2].reason)


@examples(2)
@given(seeds, larger, st.sampled_from(sorted(KEYS)), st.data())
def test_entities_hold_the_latest_state_of_each_key_whatever_it_is_called(
    seed: int, size: int, export: str, data: st.DataObject
) -> None:
    key = data.draw(st.sampled_from(KEYS[export]))
    random = Random(seed)
    lake = new_lake(event_time={})
    expected: dict[int, str] = {}
    with kept(lake):
        for night in range(3):
            partial = range(size + night) if night < 2 else random.sample(range(size), size // 2)
            records = [
                {"customerId": 4711, key: number, "name": f"N{number}", "note": f"{number}.{night}", "size": night}
                for number in partial
            ]
            random.shuffle(records)
            expected |= {number: f"{number}.{night}" for number in partial}
            at = (ORDERED + timedelta(days=night)).isoformat(timespec="microseconds")
            content = CONTAINERS[data.draw(st.sampled_from(sorted(CONTAINERS)))](records)
            state = ordered_and_loaded(lake, content, export, (at, f"b{night}"))
            assert state.outcome == Outcome.LOADED, state.reason
        assert Counter(row["note"] for row in lake.rows(export)) == Counter(expected.values())


def test_an_entity_whose_numbers_stand_for_other_things_every_night_is_refused(lake: InProcessLake) -> None:
    """Row numbers under the name of a key: the second night's names say so."""
    for night, outcome in enumerate([Outcome.LOADED, Outcome.UNDECIDED, Outcome.UNDECIDED]):
        names = [f"list {number}" for number in range(30)]
        Random(night).shuffle(names)
        records = [{"id": number, "name": name} for number, name in enumerate(names)]
        at = (ORDERED + timedelta(days=night)).isoformat(timespec="microseconds")
        state = ordered_and_loaded(lake, CONTAINERS["array"](records), "LISTS", (at, f"b{night}"))
        assert state.outcome == outcome, state.reason
    assert "identityFields" in str(state.reason)


def assert_undecided(shape: Shape, told: Story, files: Sequence[bytes]) -> None:
    """Check that two nights end undecided, with the setting that decides, and publish nothing."""
    with kept(lake_of(shape)) as lake:
        states = played(lake, shape, told, files)
        assert [state.outcome for state in states] == [Outcome.UNDECIDED] * 2
        assert lake.definition(shape.export) is None
        assert "setting eventTime" in str(states[0].reason)


def in_arrays(shape: Shape, events: Sequence[Event], night: int) -> bytes:
    """A file whose records are messages, each with an array of its events."""
    messages: dict[int, list[Event]] = {}
    for one in events:
        messages.setdefault(one.message, []).append(one)
    return CONTAINERS["array"](
        [{"messageId": number, "events": shape.records(some, night)} for number, some in messages.items()]
    )


def stamped(events: Sequence[Event], night: int) -> list[Event]:
    """The events with the moments at which an export wrote them."""
    ordered = ORDERED + timedelta(days=night)
    return [replace(one, at=ordered + timedelta(seconds=row / 50)) for row, one in enumerate(events)]


def told_again(full: Story, nights: tuple[tuple[Event, ...], ...]) -> Story:
    """A story of other nights."""
    known = {one.note for night in nights for one in night}
    return Story(tuple(one for one in full.events if one.note in known), nights)


@contextmanager
def kept(lake: InProcessLake) -> Iterator[InProcessLake]:
    """A lake whose files are removed in the end."""
    yield lake
    shutil.rmtree(lake.work, ignore_errors=True)
