"""Publishing when Glue refuses a call, and the lease check before it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.lake.tables.catalog import CatalogRefused
from tests.unit.lake.in_process_lake import InProcessLake, age, array, bag
from tests.unit.lake.opens import OPENS, opened


def fail_once(lake: InProcessLake, operation: str, code: str, *, took_effect: bool) -> Any:
    """Fail one call to Glue, after it took effect or not, as when botocore retries a call whose response was lost."""

    def fail(**_: Any) -> None:
        lake.glue.meta.events.unregister(event, fail)
        raise ClientError({"Error": {"Code": code, "Message": "refused"}}, operation)

    event = f"{'after' if took_effect else 'before'}-call.glue.{operation}"
    lake.glue.meta.events.register(event, fail)


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
def test_a_step_that_glue_refuses_succeeds_when_retried(
    lake: InProcessLake, operation: str, code: str, is_first: bool, took_effect: bool
) -> None:
    first, second = [opened(1)], [opened(1, name="b"), opened(2, "2024-03-02T10:00:00Z")]
    if not is_first:
        lake.load(array(first), at=age(1))
    content, at, run = array(first if is_first else second), age(2), lake.execution()
    lake.land(content, OPENS, at)
    lake.ledger(OPENS).take_lease(run, datetime.now(UTC))
    fail_once(lake, operation, code, took_effect=took_effect)
    with pytest.raises(ClientError):
        lake.load_again("OPENS", at, run=run, take_lease=False)
    assert lake.load_again("OPENS", at, run=run, take_lease=False).outcome == "loaded"
    assert bag(lake.records()) == bag(first if is_first else second)


def test_an_existing_partition_is_recovered_by_a_retry(lake: InProcessLake, monkeypatch: pytest.MonkeyPatch) -> None:
    """BatchCreatePartition reports failed partitions in its response, not as an error."""
    at, run = age(1), lake.execution()
    lake.land(array([opened(1)]), OPENS, at)
    lake.ledger(OPENS).take_lease(run, datetime.now(UTC))
    create = lake.glue.batch_create_partition
    monkeypatch.setattr(lake.glue, "batch_create_partition", lambda **given: create(**given) and create(**given))
    with pytest.raises(CatalogRefused, match="AlreadyExists"):
        lake.load_again("OPENS", at, run=run, take_lease=False)
    monkeypatch.undo()
    assert lake.load_again("OPENS", at, run=run, take_lease=False).outcome == "loaded"
    assert bag(lake.records()) == bag([opened(1)])


def test_the_lease_is_checked_right_before_publishing(lake: InProcessLake) -> None:
    lake.load(array([opened(1)]), at=age(1))
    seen: list[str] = []

    def note(model: Any, **_: Any) -> None:
        seen.append(model.name)

    clients = [lake.s3, lake.glue, lake.dynamodb.meta.client]
    for client in clients:
        client.meta.events.register("before-call", note)
    try:
        lake.load(array([opened(1, name="b"), opened(2, "2024-03-02T10:00:00Z")]), at=age(2))
    finally:
        for client in clients:
            client.meta.events.unregister("before-call", note)
    first_change = seen.index("UpdateTable")
    assert seen[first_change - 1] == "GetItem"
