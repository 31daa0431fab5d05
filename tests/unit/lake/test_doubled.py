"""A first export in which every event stands twice: there is nothing yet to compare it with."""

from lambdas.lake.parsing.parse import SAMPLE_RECORDS
from tests.unit.lake.in_process_lake import InProcessLake, bag
from tests.unit.lake.ordered_nights import event, load, waiting

ONCE = [event(n, n) for n in range(20)]


def test_it_waits_and_is_refused_alone_when_the_next_has_its_events_once(lake: InProcessLake) -> None:
    state = load(lake, ONCE * 2, 1)
    assert state.outcome == "undecided"
    assert "twice or more" in str(state.reason)
    assert lake.definition() is None
    # The run says what became of the batch that waited.
    state = load(lake, [*ONCE, event(20, 20)], 2)
    assert state.outcome == "failed"
    assert "night-1" in str(state.reason)
    assert bag(lake.records()) == bag([*ONCE, event(20, 20)])
    assert waiting(lake) == []
    assert load(lake, [*ONCE, event(21, 21)], 3).outcome == "loaded"
    assert bag(lake.records()) == bag([*ONCE, event(20, 20), event(21, 21)])


def test_it_is_refused_alone_also_where_its_sample_has_only_some_of_them_twice(lake: InProcessLake) -> None:
    many = [event(n, n) for n in range(SAMPLE_RECORDS * 3 // 5)]
    assert load(lake, many * 2, 1).outcome == "undecided"
    assert load(lake, [*many, event(-1, -1)], 2).outcome == "failed"
    assert bag(lake.records()) == bag([*many, event(-1, -1)])


def test_it_is_loaded_as_it_is_when_the_next_has_them_twice_too(lake: InProcessLake) -> None:
    assert [load(lake, ONCE * 2, number).outcome for number in (1, 2, 3)] == ["undecided", "loaded", "loaded"]
    assert bag(lake.records()) == bag(ONCE * 2)


def test_one_event_that_stands_once_is_enough_to_load_the_export(lake: InProcessLake) -> None:
    assert load(lake, [*ONCE, *ONCE[1:]], 1).outcome == "loaded"
    assert bag(lake.records()) == bag([*ONCE, *ONCE[1:]])


def test_a_few_records_are_no_evidence(lake: InProcessLake) -> None:
    assert load(lake, ONCE[:9] * 2, 1).outcome == "loaded"
    assert bag(lake.records()) == bag(ONCE[:9] * 2)
