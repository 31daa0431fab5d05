"""Publishing when Glue refuses a call, and the lease right before it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.lake.tables.catalog import CatalogRefused
from tests.unit.lake.lakehouse import House, age, array, bag
from tests.unit.lake.opens import OPENS, opened


def refusing(house: House, operation: str, code: str, *, took_effect: bool) -> Any:
    """Have Glue answer one call with an error, after it took effect or not; the lost answer of a call that botocore
    then tried again looks so."""

    def refuse(**_: Any) -> None:
        house.glue.meta.events.unregister(event, refuse)
        raise ClientError({"Error": {"Code": code, "Message": "refused"}}, operation)

    event = f"{'after' if took_effect else 'before'}-call.glue.{operation}"
    house.glue.meta.events.register(event, refuse)


@pytest.mark.parametrize("took_effect", [False, True])
@pytest.mark.parametrize(
    ("operation", "code", "is_first"),
    [
        ("CreateTable", "AlreadyExistsException", True),
        ("BatchCreatePartition", "InternalServiceException", True),
        ("UpdateTable", "ConcurrentModificationException", False),
        ("BatchUpdatePartition", "InternalServiceException", False),
    ],
)
def test_step_that_glue_refuses_ends_well_when_it_runs_again(
    house: House, operation: str, code: str, is_first: bool, took_effect: bool
) -> None:
    first, second = [opened(1)], [opened(1, name="b"), opened(2, "2024-03-02T10:00:00Z")]
    if not is_first:
        house.load(array(first), at=age(1))
    content, at, run = array(first if is_first else second), age(2), house.execution()
    house.land(content, OPENS, at)
    house.ledger(OPENS).take_lease(run, datetime.now(UTC))
    refusing(house, operation, code, took_effect=took_effect)
    with pytest.raises(ClientError):
        house.load_again("OPENS", at, run=run, take_lease=False)
    assert house.load_again("OPENS", at, run=run, take_lease=False).outcome == "loaded"
    assert bag(house.records()) == bag(first if is_first else second)


def test_partition_that_is_there_already_is_no_end(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """BatchCreatePartition tells what it did not do in its answer, not by an error."""
    at, run = age(1), house.execution()
    house.land(array([opened(1)]), OPENS, at)
    house.ledger(OPENS).take_lease(run, datetime.now(UTC))
    create = house.glue.batch_create_partition
    monkeypatch.setattr(house.glue, "batch_create_partition", lambda **given: create(**given) and create(**given))
    with pytest.raises(CatalogRefused, match="AlreadyExists"):
        house.load_again("OPENS", at, run=run, take_lease=False)
    monkeypatch.undo()
    assert house.load_again("OPENS", at, run=run, take_lease=False).outcome == "loaded"
    assert bag(house.records()) == bag([opened(1)])


def test_lease_is_looked_at_right_before_publishing(house: House) -> None:
    house.load(array([opened(1)]), at=age(1))
    seen: list[str] = []

    def note(model: Any, **_: Any) -> None:
        seen.append(model.name)

    clients = [house.s3, house.glue, house.dynamodb.meta.client]
    for client in clients:
        client.meta.events.register("before-call", note)
    try:
        house.load(array([opened(1, name="b"), opened(2, "2024-03-02T10:00:00Z")]), at=age(2))
    finally:
        for client in clients:
            client.meta.events.unregister("before-call", note)
    first_change = seen.index("UpdateTable")
    assert seen[first_change - 1] == "GetItem"
