"""A first export in which every event stands twice: there is nothing yet to compare it with."""

from datetime import date, timedelta
from typing import Any

import pytest

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


def once(first: int, days: int = 3, per_day: int = 5) -> list[dict[str, Any]]:
    """Events whose times are days alone."""
    return [
        {"contactId": f"k{day}-{n}", "openTime": (date(2026, 11, 17) + timedelta(days=day)).isoformat()}
        for day in range(first, first + days)
        for n in range(per_day)
    ]


@pytest.mark.parametrize("after", [1, 3, 7])
def test_a_later_one_is_refused_alone_also_where_it_has_no_whole_day_in_common_with_the_table(
    lake: InProcessLake, after: int
) -> None:
    assert load(lake, once(0, per_day=10), 1).outcome == "loaded"
    state = load(lake, once(after, per_day=10) * 2, 1 + after)
    assert state.outcome == "failed"
    assert "every record stands in it twice or more" in str(state.reason)
    assert "order the export again" in str(state.reason)
    assert bag(lake.records()) == bag(once(0, per_day=10))
    assert load(lake, once(after + 1, per_day=10), 2 + after).outcome == "loaded"
    assert bag(lake.records()) == bag(
        {tuple(one.items()): one for one in [*once(0, per_day=10), *once(after + 1, per_day=10)]}.values()
    )


def test_a_later_one_is_loaded_where_the_table_has_its_rows_twice_too(lake: InProcessLake) -> None:
    outcomes = [load(lake, once(number, per_day=10) * 2, 1 + number).outcome for number in range(3)]
    assert outcomes == ["undecided", "loaded", "loaded"]
    assert bag(lake.records()) == bag(once(0, 5, 10) * 2)


def test_a_later_one_whose_few_different_rows_all_stand_an_even_number_of_times_is_loaded(lake: InProcessLake) -> None:
    assert load(lake, once(0), 1).outcome == "loaded"
    assert load(lake, once(3, 1, 9) * 4, 4).outcome == "loaded"
