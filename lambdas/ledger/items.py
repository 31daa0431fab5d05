"""Reading and writing single items of the ledger, one DynamoDB table.

The items of an export type share the partition key `pk`, the type's name. Sort keys (`sk`) and the file that owns each:

    claim#<time>           claims_and_lease.py   which execution took a scheduled time
    lease                  claims_and_lease.py   who may write the type's table
    order#<run folder>     orders.py             what a run ordered; the intent is written before the order is sent
    batch#<batch id>       orders.py             ordered | copied | loaded | dead
    watermark              history.py            the order time of the newest export whose period left no gap
    run#<run folder>       history.py            the record of a finished run
    clock                  history.py            since when a success of the type is expected

The partition `account` has what concerns all export types alike:

    id#<batch id>          orders.py             which order got that batch id
    told#<what>#<night>    history.py            which run sends the one notification
    calls                  calls.py              the times of the last calls of Symplify, if the setting limits them

Claims, leases and the account's items alone expire (`expires_at`, epoch seconds).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, ConditionBase, Key
from botocore.exceptions import ClientError

from lambdas.aws_errors import has_code
from lambdas.schema_version import check_version

if TYPE_CHECKING:
    from types_boto3_dynamodb.service_resource import Table

SCHEMA_VERSION = 1
ACCOUNT = "account"
"""The partition of what concerns all export types."""


class Items:
    """The items of one partition. A write whose condition fails returns false; any other error is raised."""

    def __init__(self, table: "Table", partition: str) -> None:
        self._table = table
        self._partition = partition

    def _get(self, sk: str) -> Mapping[str, Any] | None:
        item = self._table.get_item(Key=self._key(sk), ConsistentRead=True).get("Item")
        return item and _readable(item)

    def _put(self, sk: str, item: Mapping[str, Any], condition: ConditionBase | None = None) -> bool:
        full = {**self._key(sk), "schema_version": SCHEMA_VERSION, **item}
        try:
            if condition is None:
                self._table.put_item(Item=full)
            else:
                self._table.put_item(Item=full, ConditionExpression=condition)
        except ClientError as error:
            return _condition_failed(error)
        return True

    def _update(self, sk: str, changes: Mapping[str, Any], condition: ConditionBase) -> bool:
        """Change an item that exists."""
        assignments = ", ".join(f"#{n} = :{n}" for n in changes)
        try:
            self._table.update_item(
                Key=self._key(sk),
                UpdateExpression=f"SET {assignments}",
                ExpressionAttributeNames={f"#{n}": n for n in changes},
                ExpressionAttributeValues={f":{n}": value for n, value in changes.items()},
                ConditionExpression=Attr("pk").exists() & condition,
            )
        except ClientError as error:
            return _condition_failed(error)
        return True

    def _delete(self, sk: str, condition: ConditionBase | None = None) -> bool:
        try:
            if condition is None:
                self._table.delete_item(Key=self._key(sk))
            else:
                self._table.delete_item(Key=self._key(sk), ConditionExpression=condition)
        except ClientError as error:
            return _condition_failed(error)
        return True

    def _query(self, sort_keys: ConditionBase, **options: Any) -> Iterator[Mapping[str, Any]]:
        """All items whose sort keys meet the condition, page by page."""
        query = {"KeyConditionExpression": Key("pk").eq(self._partition) & sort_keys, **options}
        while True:
            page = self._table.query(**query)
            yield from map(_readable, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _key(self, sk: str) -> dict[str, str]:
        return {"pk": self._partition, "sk": sk}


def epoch(moment: datetime) -> int:
    """The moment as `expires_at` has it."""
    return int(moment.timestamp())


def _readable(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """The item.

    Raises:
        WrittenByNewer: a newer version of this code wrote it.
    """
    check_version(item.get("schema_version"), SCHEMA_VERSION, f"The ledger's item {item['pk']} {item['sk']}")
    return item


def _condition_failed(error: ClientError) -> bool:
    """Return false for a failed condition; raise any other error."""
    if not has_code(error, "ConditionalCheckFailedException"):
        raise error
    return False
