"""Ordering at most once, after any crash."""

from datetime import timedelta
from typing import Any

import pytest

from lambdas.execution import RunState
from lambdas.ledger.ledger import Ledger
from lambdas.steps.start_export import start_export
from lambdas.symplify.answers import BadToken, Ordered, RateLimited, Refused, Unavailable
from lambdas.vocabulary import UnknownName
from tests.unit.fakes import NOW, Crash, Failing, make_run, make_settings
from tests.unit.steps.ordering import GRACE, LOST, OPENS, PLANNED, RUN, Vendor, batches, step


def test_an_order_is_placed_and_remembered(ledger: Ledger) -> None:
    vendor = Vendor(Ordered("7"))

    state = step(ledger, vendor)

    assert vendor.orders == [("OPENS", "LAST_3_DAYS")]
    assert (state.outcome, state.batch_id, state.wait_seconds) == ("ordered", "7", 30)
    assert state.ordered_at == "2026-11-24T03:30:00.000000+00:00"
    assert batches(ledger) == [("7", RUN.arn, "LAST_3_DAYS")]


def test_the_same_step_again_orders_nothing_more(ledger: Ledger) -> None:
    vendor = Vendor(Ordered("7"))
    first = step(ledger, vendor)

    again = step(ledger, vendor, NOW + timedelta(hours=2))

    assert again == first
    assert len(vendor.orders) == 1


@pytest.mark.parametrize("trouble", [BadToken("The secret contains the placeholder."), PermissionError("AccessDenied")])
def test_a_token_that_cannot_be_read_leaves_no_intent(ledger: Ledger, table: Any, trouble: Any) -> None:
    vendor = Vendor()
    vendor.token = trouble
    if isinstance(trouble, Exception):
        with pytest.raises(PermissionError):
            step(ledger, vendor)
    else:
        assert step(ledger, vendor).outcome == "failed"

    assert vendor.orders == []
    assert table.scan()["Items"] == []


def test_an_unknown_period_is_refused_before_anything_is_written(ledger: Ledger, table: Any) -> None:
    vendor = Vendor()
    with pytest.raises(UnknownName):
        step(ledger, vendor, state=RunState(export_type="OPENS", period="LAST_YEAR"))

    assert vendor.orders == []
    assert table.scan()["Items"] == []


# Lost answers


def test_a_lost_answer_waits_the_grace_and_then_orders_once_more(ledger: Ledger) -> None:
    vendor = Vendor(LOST, Ordered("8"))

    first = step(ledger, vendor)
    early = step(ledger, vendor, NOW + timedelta(seconds=600))
    late = step(ledger, vendor, NOW + GRACE)

    assert (first.outcome, first.wait_seconds) == ("order_unknown", 900)
    assert (early.outcome, early.wait_seconds) == ("order_unknown", 301)
    assert (late.outcome, late.batch_id) == ("ordered", "8")
    assert late.ordered_at == (NOW + GRACE).isoformat(timespec="microseconds")
    assert len(vendor.orders) == 2


@pytest.mark.parametrize("attempts", [1, 2, 3])
def test_answers_are_lost_up_to_the_cap_and_then_the_run_fails(ledger: Ledger, attempts: int) -> None:
    vendor = Vendor(*[LOST] * attempts)
    now = NOW
    for _ in range(attempts):
        assert step(ledger, vendor, now, order_attempts=attempts).outcome == "order_unknown"
        now += GRACE

    for _ in range(2):
        state = step(ledger, vendor, now, order_attempts=attempts)
        assert state.outcome == "failed"
        assert "may be waiting in Symplify" in (state.reason or "")
    assert len(vendor.orders) == attempts


def test_a_rate_limit_does_not_count_as_lost_nor_as_known(ledger: Ledger) -> None:
    vendor = Vendor(LOST, RateLimited(60), RateLimited(60), Ordered("8"))
    outcomes = [
        step(ledger, vendor, NOW + GRACE * number + timedelta(seconds=60) * (number > 1)).outcome for number in range(4)
    ]

    assert outcomes == ["order_unknown", "rate_limited", "rate_limited", "ordered"]


# Crashes


def test_a_crash_before_the_intent_orders_nothing_and_a_retry_orders_at_once(ledger: Ledger) -> None:
    vendor = Vendor(Ordered("7"))
    with pytest.raises(Crash):
        step(Failing(ledger, 1, "write_intent"), vendor)
    assert vendor.orders == []

    assert step(ledger, vendor, NOW + timedelta(seconds=10)).outcome == "ordered"


def test_a_crash_after_the_intent_is_found_and_waits_before_it_orders(ledger: Ledger) -> None:
    vendor = Vendor(Ordered("7"))
    with pytest.raises(Crash):
        step(Failing(ledger, 1, "write_intent", after=True), vendor)
    assert vendor.orders == []

    assert step(ledger, vendor, NOW + timedelta(seconds=10)).outcome == "order_unknown"
    assert step(ledger, vendor, NOW + GRACE).outcome == "ordered"
    assert len(vendor.orders) == 1


def test_a_crash_in_the_call_is_found_and_waits_before_it_orders_again(ledger: Ledger) -> None:
    vendor = Vendor(Crash(), Ordered("8"))
    with pytest.raises(Crash):
        step(ledger, vendor)

    assert step(ledger, vendor, NOW + timedelta(seconds=10)).outcome == "order_unknown"
    assert len(vendor.orders) == 1
    assert step(ledger, vendor, NOW + GRACE).outcome == "ordered"


def test_a_crash_before_the_order_is_written_is_found_and_waits_before_it_orders_again(ledger: Ledger) -> None:
    vendor = Vendor(Ordered("7"), Ordered("8"))
    with pytest.raises(Crash):
        step(Failing(ledger, 1, "write_order"), vendor)

    assert step(ledger, vendor, NOW + timedelta(seconds=10)).outcome == "order_unknown"
    assert step(ledger, vendor, NOW + GRACE).batch_id == "8"


def test_a_retry_completes_an_order_after_a_crash_between_its_two_writes(ledger: Ledger, table: Any) -> None:
    vendor = Vendor(Ordered("7"))
    # The first write is the intent's, the second the order's, the third the batch's.
    broken = Ledger(Failing(table, 3, "put_item"), OPENS)
    with pytest.raises(Crash):
        step(broken, vendor)
    assert batches(ledger) == []

    state = step(ledger, vendor, NOW + timedelta(seconds=10))

    assert (state.outcome, state.batch_id) == ("ordered", "7")
    assert batches(ledger) == [("7", RUN.arn, "LAST_3_DAYS")]
    assert len(vendor.orders) == 1


def test_a_crash_after_the_order_is_written_is_found_by_a_retry(ledger: Ledger) -> None:
    vendor = Vendor(Ordered("7"))
    with pytest.raises(Crash):
        step(Failing(ledger, 1, "write_order", after=True), vendor)

    assert step(ledger, vendor, NOW + timedelta(seconds=10)).batch_id == "7"
    assert len(vendor.orders) == 1


@pytest.mark.parametrize("after", [False, True])
def test_whatever_call_to_the_ledger_crashes_no_order_is_repeated_within_the_grace(
    ledger: Ledger, table: Any, after: bool
) -> None:
    """A crash at each call in turn: never more than one order within the grace, and one batch in the end."""
    for at in range(1, 5):
        run_table = Failing(table, at, after=after)
        vendor = Vendor(Ordered(f"{at}-1"), Ordered(f"{at}-2"))
        run = make_run(f"run-{at}-{after}")
        client: Any = vendor
        moments = [NOW, NOW + timedelta(seconds=10), NOW + timedelta(seconds=40), NOW + GRACE]
        state = PLANNED
        for number, moment in enumerate(moments):
            used = Ledger(run_table if number == 0 else table, OPENS)
            try:
                state = start_export(PLANNED, run, ledger=used, client=client, settings=make_settings(), now=moment)
            except Crash:
                continue
            if state.outcome == "ordered":
                break
            assert len(vendor.orders) <= 1
        assert state.outcome == "ordered"
        assert len(vendor.orders) <= 2
        assert (state.batch_id, run.arn) in [(batch, owner) for batch, owner, _ in batches(ledger)]


def test_a_second_copy_of_the_step_at_work_does_not_order_too(ledger: Ledger) -> None:
    vendor = Vendor(Ordered("7"), Ordered("8"))

    class Overtaken(Failing):
        """Between this step's read and its intent, another copy of it orders."""

        def write_intent(self, *args: Any) -> bool:
            step(ledger, vendor)
            return ledger.write_intent(*args)

    state = step(Overtaken(ledger), vendor)

    assert state.outcome == "order_unknown"
    assert len(vendor.orders) == 1
    assert step(ledger, vendor).batch_id == "7"


# Refusals and waits


def test_a_refusal_fails_the_run_with_the_vendors_words(ledger: Ledger) -> None:
    state = step(ledger, Vendor(Refused("No.")))

    assert (state.outcome, state.reason, state.error_name) == ("failed", "No.", None)
    assert ledger.order(RUN).intent_at is None


def test_a_bad_token_is_named(ledger: Ledger) -> None:
    assert step(ledger, Vendor(BadToken("No."))).error_name == "BadToken"


def test_a_rate_limit_waits_and_then_orders_without_a_grace(ledger: Ledger) -> None:
    vendor = Vendor(RateLimited(60), Ordered("7"))

    first = step(ledger, vendor)

    assert (first.outcome, first.wait_seconds) == ("rate_limited", 60)
    assert step(ledger, vendor, NOW + timedelta(seconds=60)).outcome == "ordered"


def test_an_order_that_could_not_be_sent_is_tried_until_the_deadline_and_never_counts_as_lost(ledger: Ledger) -> None:
    vendor = Vendor(*[Unavailable("The order could not be sent: NewConnectionError.")] * 10, Ordered("7"))

    for number in range(10):
        assert step(ledger, vendor, NOW + timedelta(minutes=number)).outcome == "rate_limited"
    assert step(ledger, vendor, NOW + timedelta(minutes=10)).outcome == "ordered"


def test_a_rate_limit_alone_never_fails_a_run_before_its_deadline(ledger: Ledger) -> None:
    vendor = Vendor(*[RateLimited(60)] * 400)
    state, now = PLANNED, NOW
    while state.outcome != "overdue":
        state = step(ledger, vendor, now, state)
        assert state.outcome in ("rate_limited", "overdue")
        now += timedelta(seconds=60)

    assert len(vendor.orders) == 361
    assert state.wait_seconds is None
    assert state.reason == (
        "Nothing was ordered within 360 minutes of the run's start. Symplify last answered 'too many requests' (429)."
    )


def test_an_overdue_order_reports_lost_answers_too(ledger: Ledger) -> None:
    vendor = Vendor(LOST, RateLimited(60))
    step(ledger, vendor)

    state = step(ledger, vendor, NOW + timedelta(hours=6))

    assert state.outcome == "overdue"
    assert "429" in (state.reason or "")
    assert "lost" in (state.reason or "")


def test_a_grace_that_would_pass_the_deadline_is_overdue(ledger: Ledger) -> None:
    vendor = Vendor(LOST)

    state = step(ledger, vendor, NOW + timedelta(minutes=350))

    assert (state.outcome, state.wait_seconds) == ("overdue", None)
    assert "status 500" in (state.reason or "")
    again = step(ledger, vendor, NOW + timedelta(minutes=351))
    assert again.outcome == "overdue"
