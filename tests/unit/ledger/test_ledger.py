"""The ledger: claims and the lease, the watermark, the run history."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from lambdas.ledger.history import Notifications
from lambdas.ledger.ledger import Ledger
from lambdas.ledger.orders import COPIED
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.fakes import NOW, ago
from tests.unit.ledger.orders import A, B, C, place

# Claims


def test_a_scheduled_time_is_claimed_by_one_execution_idempotently(ledger: Ledger) -> None:
    assert ledger.claim("03:30", A, NOW)
    assert not ledger.claim("03:30", B, NOW)
    assert ledger.claim("03:30", A, NOW)
    assert ledger.claim("03:45", B, NOW)


def test_claims_are_separate_per_export_type(table: Any, ledger: Ledger) -> None:
    assert ledger.claim("03:30", A, NOW)
    assert Ledger(table, EXPORT_TYPES["CLICKS"]).claim("03:30", B, NOW)


def test_a_claim_is_released_only_by_its_owner(ledger: Ledger) -> None:
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


def test_a_lease_is_taken_over_only_from_the_named_owner(ledger: Ledger) -> None:
    ledger.take_lease(A, NOW)

    assert not ledger.take_lease(C, NOW, instead_of=B.arn)
    assert ledger.take_lease(B, NOW, instead_of=A.arn)
    assert not ledger.take_lease(C, NOW, instead_of=A.arn)


def test_a_lease_is_released_only_by_its_owner(ledger: Ledger) -> None:
    ledger.take_lease(A, NOW)

    ledger.release_lease(B)
    assert ledger.lease() is not None

    ledger.release_lease(A)
    ledger.release_lease(A)
    assert ledger.lease() is None


# The watermark


def test_the_watermark_moves_forward_and_never_back(ledger: Ledger) -> None:
    assert ledger.watermark() is None
    for age, expected in ((5, 5), (3, 3), (4, 3), (3, 3), (1, 1)):
        ledger.move_watermark(ago(days=age).isoformat(timespec="microseconds"), "7")
        assert ledger.watermark() == ago(days=expected)


# Run records and expiry


def test_a_run_record_is_stored_with_decimal_numbers_and_without_nulls(table: Any, ledger: Ledger) -> None:
    ledger.write_run(A, {"rows": 3, "ratio": 0.25, "none": None, "deep": {"list": [1.5, {"x": None}]}, "flag": True})

    item = table.get_item(Key={"pk": "OPENS", "sk": f"run#{A.folder}"})["Item"]
    assert item["rows"] == 3
    assert item["ratio"] == Decimal("0.25")
    assert "none" not in item
    assert item["deep"] == {"list": [Decimal("1.5"), {"x": None}]}
    assert item["flag"] is True


def test_only_leases_claims_and_batch_ids_expire(table: Any, ledger: Ledger) -> None:
    ledger.claim("03:30", A, NOW)
    ledger.take_lease(A, NOW)
    ledger.write_intent(A, "t", 0, ledger.order(A))
    place(ledger, "7")
    ledger.mark_batch_failed("7", A, final=False)
    ledger.move_watermark("t", "7")
    ledger.write_run(A, {"outcome": "failed"})

    items = table.scan()["Items"]
    expiring = {item["sk"]: item["expires_at"] for item in items if "expires_at" in item}
    assert set(expiring) == {"claim#03:30", "lease", "id#7"}
    assert all(moment > (NOW + timedelta(days=7)).timestamp() for moment in expiring.values())
    assert {item["schema_version"] for item in items} == {1}


def test_other_dynamodb_errors_are_not_treated_as_failed_conditions(ledger: Ledger, table: Any) -> None:
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


def test_a_notification_is_claimed_once_per_night_by_one_run(table: Any) -> None:
    notifications = Notifications(table)

    claimed = [notifications.claim_notification("TokenNotSet", "2026-11-24", owner, NOW) for owner in ("a", "b", "a")]

    assert claimed == [True, False, True]
    assert notifications.claim_notification("TokenNotSet", "2026-11-25", "b", NOW)
    assert notifications.claim_notification("BadToken", "2026-11-24", "b", NOW)
