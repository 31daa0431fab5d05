"""Answers to an order that name no batch of its own: an id that an earlier order got, or one that cannot be used."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from lambdas.ledger.ledger import Ledger
from lambdas.ledger.orders import LOADED
from lambdas.steps.start_export import start_export
from lambdas.symplify.answers import Ordered, OrderUnusable
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.fakes import NOW, Crash, Failing, make_run, make_settings
from tests.unit.ledger.orders import place
from tests.unit.steps.ordering import GRACE, OPENS, PLANNED, RUN, Vendor, batches, step

OTHER_RUN = make_run("run-b")


def items(table: Any, sort_keys: str) -> list[Any]:
    return [item for item in table.scan()["Items"] if item["sk"].startswith(sort_keys)]


@pytest.mark.parametrize("is_loaded", [False, True])
def test_a_batch_id_that_an_earlier_order_got_is_no_new_result(ledger: Ledger, table: Any, is_loaded: bool) -> None:
    place(ledger, "7", OTHER_RUN, NOW - timedelta(hours=1))
    if is_loaded:
        ledger.mark_batch("7", LOADED)
    before = items(table, "batch#")

    state = step(ledger, Vendor(Ordered("7")))

    assert (state.outcome, state.batch_id, state.ordered_at) == ("failed", None, None)
    assert "batch 7, the id that an earlier order" in (state.reason or "")
    assert items(table, "batch#") == before
    assert ledger.order(RUN).unanswered == 1


def test_a_batch_id_that_an_order_of_another_export_got_is_no_new_result(ledger: Ledger, table: Any) -> None:
    place(Ledger(table, EXPORT_TYPES["SENT"]), "7", OTHER_RUN, NOW - timedelta(hours=1))

    state = step(ledger, Vendor(Ordered("7")))

    assert (state.outcome, state.batch_id) == ("failed", None)
    assert batches(ledger) == []


def test_a_batch_id_of_a_run_before_ids_were_claimed_is_no_new_result(ledger: Ledger, table: Any) -> None:
    place(ledger, "7", OTHER_RUN, NOW - timedelta(hours=1))
    table.delete_item(Key={"pk": "account", "sk": "id#7"})

    assert step(ledger, Vendor(Ordered("7"))).outcome == "failed"


def test_a_batch_id_that_comes_again_after_a_month_is_a_new_batch(ledger: Ledger) -> None:
    place(ledger, "7", OTHER_RUN, NOW - timedelta(days=31))
    ledger.mark_batch("7", LOADED)

    state = step(ledger, Vendor(Ordered("7")))

    assert (state.outcome, state.batch_id) == ("ordered", "7")
    assert batches(ledger) == [("7", RUN.arn, "LAST_3_DAYS")]


def test_the_refusal_of_a_known_batch_id_survives_a_crash_at_any_write(ledger: Ledger, table: Any) -> None:
    for at in range(1, 6):
        place(ledger, f"{at}", OTHER_RUN, NOW - timedelta(hours=1))
        run = make_run(f"run-{at}")
        vendor: Any = Vendor(Ordered(f"{at}"), Ordered(f"{at}"))
        for given in (Failing(table, at, "put_item"), table):
            with suppress(Crash):
                state = start_export(
                    PLANNED, run, ledger=Ledger(given, OPENS), client=vendor, settings=make_settings(), now=NOW + GRACE
                )
        assert state.outcome in ("failed", "order_unknown")
        assert ledger.order(run).batch_id is None
        assert f"{at}" in [batch for batch, owner, _ in batches(ledger) if owner == OTHER_RUN.arn]


def test_a_batch_id_that_cannot_be_asked_about_fails_the_run_and_leaves_the_order_on_record(ledger: Ledger) -> None:
    vendor = Vendor(OrderUnusable("Symplify's batchId cannot be part of an address."))

    state = step(ledger, vendor)

    assert (state.outcome, state.error_name) == ("failed", None)
    assert state.reason == "Symplify's batchId cannot be part of an address."
    assert ledger.order(RUN).unanswered == 1
    assert batches(ledger) == []
