"""Who and what as objects: their fields are the identity, and they are whole in their columns."""

from typing import Any

import pytest

from tests.unit.lake.in_process_lake import InProcessLake
from tests.unit.lake.ordered_nights import event, load, profile


def opened(number: int) -> dict[str, Any]:
    """An open in other words, with objects named as persons and messages are."""
    return {
        "person": {"ref": f"P{number % 7}", "email": f"a{number % 7}@mail.example.com"},
        "mailing": {"no": number % 3, "title": "T"},
        "openedOn": event(number, number % 700)["openTime"],
    }


@pytest.mark.parametrize("count", [20, 600])
def test_an_object_is_neither_who_nor_what_and_is_not_rescued(lake: InProcessLake, count: int) -> None:
    """Of a small export the sample decides, of a larger one all of its staged rows."""
    state = load(lake, [opened(number) for number in range(count)], 1)
    assert state.outcome == "loaded", state.reason
    assert state.tally is not None
    assert state.tally["rescued"] == 0
    assert profile(lake).identity == ("person.ref", "mailing.no")
