"""What a closed run says of itself in numbers."""

import pytest

from lambdas.handlers.notify import share_replaced


@pytest.mark.parametrize(
    ("shared", "replaced", "recounted", "share"),
    [(0, 0, 0, 0), (90, 10, 0, 10), (100, 0, 12, 12), (98, 2, 12, 12), (88, 12, 9, 12), (10, 0, 4, 0)],
)
def test_a_part_that_stands_twice_shows_as_much_as_rows_that_are_replaced(
    shared: int, replaced: int, recounted: int, share: float
) -> None:
    assert share_replaced({"shared": shared, "replaced": replaced, "recounted": recounted}) == share


def test_an_export_that_nothing_overlaps_differs_in_nothing() -> None:
    assert share_replaced({}) == 0
