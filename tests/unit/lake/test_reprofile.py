"""A provisional profile that the next export contradicts: the table is made again, and people hear of it."""

from tests.unit.lake.in_process_lake import InProcessLake
from tests.unit.lake.ordered_nights import load, profile, seen


def test_the_run_that_makes_a_table_again_says_what_its_fields_are_taken_for_now(lake: InProcessLake) -> None:
    assert load(lake, [seen(number, 0) for number in range(100)], 1).outcome == "loaded"
    assert profile(lake).times == ("sedd",)
    state = load(lake, [seen(number, 1) for number in range(110)], 2)
    assert state.outcome == "loaded", state.reason
    assert state.tally is not None
    assert "oppnat" in state.tally["profile"]
    assert profile(lake).times == ("oppnat",)
    opened = sorted(seen(number, 0)["oppnat"] for number in range(110))
    assert sorted(row["oppnat"] for row in lake.rows()) == opened
