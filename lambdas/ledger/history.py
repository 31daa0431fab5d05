"""What the ledger remembers across export types: past runs, when the watch over a type began, what was told.

Sort keys beside those of `ledger.py`:

    <export type>  clock                      since when a success of the type is expected
    account        told#<what>#<night>        which run has told of something that concerns all types alike
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, Key

from lambdas.ledger.ledger import SCHEMA_VERSION
from lambdas.schema_version import check_version
from lambdas.vocabulary import ExportType

if TYPE_CHECKING:
    from types_boto3_dynamodb.service_resource import Table

_TOLD_LIFE = timedelta(days=30)


class History:
    """Reads runs; keeps the clocks and what was told."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def runs(self, export: ExportType, since: datetime) -> list[Mapping[str, Any]]:
        """The records of the type's runs that started at that time or later, the newest first.

        Raises:
            WrittenByNewer: a record is of a newer version.
        """
        # A run's folder begins with its start.
        started = Key("sk").between(f"run#{since:%Y%m%dT%H%M%S}", "run#~")
        query: dict[str, Any] = {
            "KeyConditionExpression": Key("pk").eq(export.name) & started,
            "ScanIndexForward": False,
        }
        found: list[Mapping[str, Any]] = []
        while True:
            page = self._table.query(**query)
            found += page["Items"]
            if "LastEvaluatedKey" not in page:
                break
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        for item in found:
            check_version(item.get("schema_version"), SCHEMA_VERSION, f"The ledger's record of {item['sk']}")
        return found

    def clock(self, export: ExportType) -> datetime | None:
        """Since when a success of the type is expected; None while nobody expects one."""
        item = self._table.get_item(Key={"pk": export.name, "sk": "clock"}, ConsistentRead=True).get("Item")
        return datetime.fromisoformat(str(item["since"])) if item else None

    def set_clock(self, export: ExportType, since: datetime | None) -> None:
        """Expect successes from that time on; None for a type that is switched off."""
        text = since.isoformat(timespec="seconds") if since else None
        if text is None:
            self._table.delete_item(Key={"pk": export.name, "sk": "clock"})
        else:
            self._table.put_item(
                Item={"pk": export.name, "sk": "clock", "schema_version": SCHEMA_VERSION, "since": text}
            )

    def tell_once(self, what: str, night: str, owner: str, now: datetime) -> bool:
        """Whether this run is the one that tells of it in that night; asked again, the same run may tell again."""
        try:
            self._table.put_item(
                Item={
                    "pk": "account",
                    "sk": f"told#{what}#{night}",
                    "schema_version": SCHEMA_VERSION,
                    "owner": owner,
                    "expires_at": int((now + _TOLD_LIFE).timestamp()),
                },
                ConditionExpression=Attr("pk").not_exists() | Attr("owner").eq(owner),
            )
        except self._table.meta.client.exceptions.ConditionalCheckFailedException:
            return False
        return True
