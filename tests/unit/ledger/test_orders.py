"""The ledger's orders and batches."""

from typing import Any

from lambdas.ledger.ledger import Ledger
from lambdas.ledger.orders import COPIED, DEAD, LOADED, ORDERED, Order
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.fakes import ago
from tests.unit.ledger.orders import A, B, C, place, statuses, unloaded

# Orders


def test_an_intent_is_recorded_until_its_order_is_written_or_it_is_withdrawn(ledger: Ledger) -> None:
    assert ledger.order(A) == Order(None, 0, None, None)

    assert ledger.write_intent(A, "t1", 0, ledger.order(A))
    assert ledger.order(A) == Order("t1", 0, None, None)

    ledger.withdraw_intent(A, 1)
    assert ledger.order(A) == Order(None, 1, None, None)

    place(ledger, "7")
    assert ledger.order(A).batch_id == "7"
    assert ledger.order(B) == Order(None, 0, None, None)


def test_of_two_concurrent_writers_of_an_intent_one_loses(ledger: Ledger) -> None:
    seen = ledger.order(A)
    assert ledger.write_intent(A, "t1", 0, seen)
    assert not ledger.write_intent(A, "t2", 0, seen)

    seen = ledger.order(A)
    assert ledger.write_intent(A, "t3", 1, seen)
    assert not ledger.write_intent(A, "t4", 1, seen)
    assert ledger.order(A).intent_at == "t3"


def test_an_intent_never_overwrites_an_order(ledger: Ledger) -> None:
    seen = ledger.order(A)
    place(ledger, "7")

    assert not ledger.write_intent(A, "t1", 0, seen)
    assert ledger.order(A).batch_id == "7"


def test_rewriting_an_order_keeps_the_status_of_its_batch(table: Any, ledger: Ledger) -> None:
    place(ledger, "7")
    ledger.mark_batch("7", COPIED)

    place(ledger, "7")

    assert statuses(table) == {"batch#7": COPIED}


# Batches


def test_unloaded_batches_are_listed_newest_first(ledger: Ledger) -> None:
    for number, age in enumerate((3, 1, 2, 4, 5)):
        place(ledger, str(number), at=ago(days=age))
    ledger.mark_batch("2", COPIED)
    ledger.mark_batch("3", LOADED)
    ledger.mark_batch_failed("4", A, final=True)

    assert unloaded(ledger) == ["1", "2", "0"]


def test_batches_are_read_from_all_pages(ledger: Ledger, table: Any) -> None:
    small_pages: Any = _SmallPages(table)
    for number in range(30):
        place(ledger, str(number), at=ago(days=number))

    assert unloaded(Ledger(small_pages, EXPORT_TYPES["OPENS"])) == [str(number) for number in range(30)]


class _SmallPages:
    def __init__(self, table: Any) -> None:
        self._table = table

    def query(self, **options: Any) -> Any:
        return self._table.query(**options, Limit=7)


def test_a_batch_of_another_type_is_not_listed(table: Any, ledger: Ledger) -> None:
    place(Ledger(table, EXPORT_TYPES["CLICKS"]), "7")

    assert unloaded(ledger) == []


def test_a_batch_is_adopted_once(ledger: Ledger) -> None:
    place(ledger, "7", A)
    (batch,) = ledger.unloaded_batches()

    assert ledger.adopt(batch, B)
    assert not ledger.adopt(batch, C)
    assert ledger.unloaded_batches()[0].owner == B.arn


def test_adopting_a_batch_counts_a_failure_of_an_owner_that_did_not_close(table: Any, ledger: Ledger) -> None:
    place(ledger, "7", A)
    assert ledger.adopt(ledger.unloaded_batches()[0], B)

    assert not ledger.adopt(ledger.unloaded_batches()[0], C)
    assert statuses(table) == {"batch#7": DEAD}


def test_a_batch_whose_status_has_changed_is_not_adopted(ledger: Ledger) -> None:
    place(ledger, "7", A)
    (batch,) = ledger.unloaded_batches()
    ledger.mark_batch("7", LOADED)

    assert not ledger.adopt(batch, B)


def test_the_status_of_a_batch_moves_from_ordered_to_copied_to_loaded_and_never_back(
    table: Any, ledger: Ledger
) -> None:
    place(ledger, "7")
    for status, expected in ((COPIED, COPIED), (LOADED, LOADED), (COPIED, LOADED)):
        ledger.mark_batch("7", status)
        assert statuses(table) == {"batch#7": expected}


def test_marking_an_unknown_batch_does_not_create_it(table: Any, ledger: Ledger) -> None:
    ledger.mark_batch("7", COPIED)
    assert ledger.mark_batch_failed("7", A, final=True) is None

    assert table.scan()["Items"] == []


def test_a_batch_is_dead_after_two_runs_have_failed_on_it(ledger: Ledger) -> None:
    place(ledger, "7", A)

    assert ledger.mark_batch_failed("7", A, final=False) == ORDERED
    assert unloaded(ledger) == ["7"]

    ledger.adopt(ledger.unloaded_batches()[0], B)
    assert ledger.mark_batch_failed("7", B, final=False) == DEAD
    assert unloaded(ledger) == []


def test_failures_are_counted_once_per_run(ledger: Ledger) -> None:
    place(ledger, "7", A)

    for _ in range(3):
        assert ledger.mark_batch_failed("7", A, final=False) == ORDERED
    assert ledger.unloaded_batches()[0].failures == 1


def test_a_final_failure_makes_a_batch_dead_at_once(ledger: Ledger) -> None:
    place(ledger, "7", A)

    assert ledger.mark_batch_failed("7", A, final=True) == DEAD


def test_a_loaded_batch_cannot_be_marked_failed(table: Any, ledger: Ledger) -> None:
    place(ledger, "7", A)
    ledger.mark_batch("7", LOADED)

    assert ledger.mark_batch_failed("7", A, final=True) == LOADED
    assert statuses(table) == {"batch#7": LOADED}


def test_only_the_owner_of_a_batch_can_mark_it_failed(ledger: Ledger) -> None:
    place(ledger, "7", A)
    ledger.adopt(ledger.unloaded_batches()[0], B)

    ledger.mark_batch_failed("7", A, final=True)

    assert unloaded(ledger) == ["7"]
