"""The ledger: claims and the lease, orders and batches, the run history."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from lambdas.execution import Execution
from lambdas.ledger.history import Notifications
from lambdas.ledger.ledger import Ledger
from lambdas.ledger.orders import COPIED, DEAD, LOADED, ORDERED, Order
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.fakes import NOW, ago, make_run

A, B, C = make_run("run-a"), make_run("run-b"), make_run("run-c")


def place(ledger: Ledger, batch_id: str, run: Execution = A, at: datetime = NOW, period: str = "LAST_3_DAYS") -> str:
    ordered_at = at.isoformat(timespec="microseconds")
    ledger.write_order(run, Order(ordered_at, 0, batch_id, ordered_at), period)
    return batch_id


def statuses(table: Any) -> dict[str, str]:
    return {item["sk"]: item["status"] for item in table.scan()["Items"] if item["sk"].startswith("batch#")}


def unloaded(ledger: Ledger) -> list[str]:
    return [batch.batch_id for batch in ledger.unloaded_batches()]


# Claims


def test_a_scheduled_time_is_claimed_by_one_execution_and_again_by_the_same(ledger: Ledger) -> None:
    assert ledger.claim("03:30", A, NOW)
    assert not ledger.claim("03:30", B, NOW)
    assert ledger.claim("03:30", A, NOW)
    assert ledger.claim("03:45", B, NOW)


def test_another_export_type_has_claims_of_its_own(table: Any, ledger: Ledger) -> None:
    assert ledger.claim("03:30", A, NOW)
    assert Ledger(table, EXPORT_TYPES["CLICKS"]).claim("03:30", B, NOW)


def test_a_claim_is_released_by_its_owner_alone(ledger: Ledger) -> None:
    ledger.claim("03:30", A, NOW)

    ledger.release_claim("03:30", B)
    assert not ledger.claim("03:30", B, NOW)

    ledger.release_claim("03:30", A)
    ledger.release_claim("03:30", A)
    assert ledger.claim("03:30", B, NOW)


# The lease


def test_a_free_lease_is_taken_and_then_refused_to_others(ledger: Ledger) -> None:
    assert ledger.lease() is None
    assert ledger.take_lease(A, NOW)
    assert not ledger.take_lease(B, NOW)
    assert ledger.take_lease(A, NOW)
    lease = ledger.lease()
    assert lease is not None
    assert lease.owner == A.arn


def test_a_lease_is_taken_over_from_the_named_owner_alone(ledger: Ledger) -> None:
    ledger.take_lease(A, NOW)

    assert not ledger.take_lease(C, NOW, instead_of=B.arn)
    assert ledger.take_lease(B, NOW, instead_of=A.arn)
    assert not ledger.take_lease(C, NOW, instead_of=A.arn)


def test_a_lease_is_released_by_its_owner_alone(ledger: Ledger) -> None:
    ledger.take_lease(A, NOW)

    ledger.release_lease(B)
    assert ledger.lease() is not None

    ledger.release_lease(A)
    ledger.release_lease(A)
    assert ledger.lease() is None


# Orders


def test_an_intent_is_on_record_until_it_is_answered_or_withdrawn(ledger: Ledger) -> None:
    assert ledger.order(A) == Order(None, 0, None, None)

    assert ledger.write_intent(A, "t1", 0, ledger.order(A))
    assert ledger.order(A) == Order("t1", 0, None, None)

    ledger.withdraw_intent(A, 1)
    assert ledger.order(A) == Order(None, 1, None, None)

    place(ledger, "7")
    assert ledger.order(A).batch_id == "7"
    assert ledger.order(B) == Order(None, 0, None, None)


def test_of_two_writers_of_an_intent_one_loses(ledger: Ledger) -> None:
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


def test_writing_an_order_again_keeps_its_batchs_status(table: Any, ledger: Ledger) -> None:
    place(ledger, "7")
    ledger.mark_batch("7", COPIED)

    place(ledger, "7")

    assert statuses(table) == {"batch#7": COPIED}


# Batches


def test_unloaded_batches_are_listed_the_newest_first(ledger: Ledger) -> None:
    for number, age in enumerate((3, 1, 2, 4, 5)):
        place(ledger, str(number), at=ago(days=age))
    ledger.mark_batch("2", COPIED)
    ledger.mark_batch("3", LOADED)
    ledger.mark_batch_failed("4", A, final=True)

    assert unloaded(ledger) == ["1", "2", "0"]


def test_many_batches_are_found_over_several_pages(ledger: Ledger, table: Any) -> None:
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


def test_an_owner_that_was_stopped_without_closing_counts_as_failed_when_its_batch_is_adopted(
    table: Any, ledger: Ledger
) -> None:
    place(ledger, "7", A)
    assert ledger.adopt(ledger.unloaded_batches()[0], B)

    assert not ledger.adopt(ledger.unloaded_batches()[0], C)
    assert statuses(table) == {"batch#7": DEAD}


def test_a_batch_whose_status_changed_meanwhile_is_not_adopted(ledger: Ledger) -> None:
    place(ledger, "7", A)
    (batch,) = ledger.unloaded_batches()
    ledger.mark_batch("7", LOADED)

    assert not ledger.adopt(batch, B)


def test_a_batch_goes_from_ordered_to_copied_to_loaded_and_never_back(table: Any, ledger: Ledger) -> None:
    place(ledger, "7")
    for status, expected in ((COPIED, COPIED), (LOADED, LOADED), (COPIED, LOADED)):
        ledger.mark_batch("7", status)
        assert statuses(table) == {"batch#7": expected}


def test_marking_an_unknown_batch_does_not_create_it(table: Any, ledger: Ledger) -> None:
    ledger.mark_batch("7", COPIED)
    assert ledger.mark_batch_failed("7", A, final=True) is None

    assert table.scan()["Items"] == []


def test_a_batch_is_dead_when_two_runs_failed_on_it(ledger: Ledger) -> None:
    place(ledger, "7", A)

    assert ledger.mark_batch_failed("7", A, final=False) == ORDERED
    assert unloaded(ledger) == ["7"]

    ledger.adopt(ledger.unloaded_batches()[0], B)
    assert ledger.mark_batch_failed("7", B, final=False) == DEAD
    assert unloaded(ledger) == []


def test_a_run_that_closes_twice_counts_once(ledger: Ledger) -> None:
    place(ledger, "7", A)

    for _ in range(3):
        assert ledger.mark_batch_failed("7", A, final=False) == ORDERED
    assert ledger.unloaded_batches()[0].failures == 1


def test_a_batch_that_failed_for_good_is_dead_at_once(ledger: Ledger) -> None:
    place(ledger, "7", A)

    assert ledger.mark_batch_failed("7", A, final=True) == DEAD


def test_a_loaded_batch_never_fails(table: Any, ledger: Ledger) -> None:
    place(ledger, "7", A)
    ledger.mark_batch("7", LOADED)

    assert ledger.mark_batch_failed("7", A, final=True) == LOADED
    assert statuses(table) == {"batch#7": LOADED}


def test_a_run_that_lost_its_batch_cannot_fail_it(ledger: Ledger) -> None:
    place(ledger, "7", A)
    ledger.adopt(ledger.unloaded_batches()[0], B)

    ledger.mark_batch_failed("7", A, final=True)

    assert unloaded(ledger) == ["7"]


# The watermark


def test_the_watermark_moves_forward_and_never_back(ledger: Ledger) -> None:
    assert ledger.watermark() is None
    for age, expected in ((5, 5), (3, 3), (4, 3), (3, 3), (1, 1)):
        ledger.move_watermark(ago(days=age).isoformat(timespec="microseconds"), "7")
        assert ledger.watermark() == ago(days=expected)


# Run records and expiry


def test_a_run_record_is_stored_with_numbers_that_dynamodb_takes(table: Any, ledger: Ledger) -> None:
    ledger.write_run(A, {"rows": 3, "ratio": 0.25, "none": None, "deep": {"list": [1.5, {"x": None}]}, "flag": True})

    item = table.get_item(Key={"pk": "OPENS", "sk": f"run#{A.folder}"})["Item"]
    assert item["rows"] == 3
    assert item["ratio"] == Decimal("0.25")
    assert "none" not in item
    assert item["deep"] == {"list": [Decimal("1.5"), {"x": None}]}
    assert item["flag"] is True


def test_only_leases_and_claims_expire(table: Any, ledger: Ledger) -> None:
    ledger.claim("03:30", A, NOW)
    ledger.take_lease(A, NOW)
    ledger.write_intent(A, "t", 0, ledger.order(A))
    place(ledger, "7")
    ledger.mark_batch_failed("7", A, final=False)
    ledger.move_watermark("t", "7")
    ledger.write_run(A, {"outcome": "failed"})

    items = table.scan()["Items"]
    expiring = {item["sk"]: item["expires_at"] for item in items if "expires_at" in item}
    assert set(expiring) == {"claim#03:30", "lease"}
    assert all(moment > (NOW + timedelta(days=7)).timestamp() for moment in expiring.values())
    assert {item["schema_version"] for item in items} == {1}


def test_other_errors_of_dynamodb_are_not_taken_for_a_failed_condition(ledger: Ledger, table: Any) -> None:
    table.delete()

    for call in (
        lambda: ledger.take_lease(A, NOW),
        lambda: ledger.release_lease(A),
        lambda: ledger.mark_batch("7", COPIED),
    ):
        with pytest.raises(Exception, match="ResourceNotFound"):
            call()


# Expectations and notifications


def test_a_success_is_expected_until_the_type_is_switched_off(ledger: Ledger) -> None:
    ledger.set_expected_since(NOW)
    assert ledger.expected_since() == NOW

    ledger.set_expected_since(None)
    assert ledger.expected_since() is None


def test_a_notification_is_sent_once_a_night_by_one_run(table: Any) -> None:
    notifications = Notifications(table)

    claimed = [notifications.claim_notification("TokenNotSet", "2026-11-24", owner, NOW) for owner in ("a", "b", "a")]

    assert claimed == [True, False, True]
    assert notifications.claim_notification("TokenNotSet", "2026-11-25", "b", NOW)
    assert notifications.claim_notification("BadToken", "2026-11-24", "b", NOW)
