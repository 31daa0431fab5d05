"""What outlives a run: the watermark, run records, since when successes are expected, and sent notifications."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, Key

from lambdas.execution import Execution
from lambdas.ledger.items import ACCOUNT, Items, epoch

if TYPE_CHECKING:
    from types_boto3_dynamodb.service_resource import Table

_NOTIFICATION_LIFE = timedelta(days=30)


class RunHistory(Items):
    """An export type's past runs, and how far its data reaches."""

    def watermark(self) -> datetime | None:
        """The order time up to which no gap is left; None before the first success."""
        item = self._get("watermark")
        return datetime.fromisoformat(str(item["ordered_at"])) if item else None

    def move_watermark(self, ordered_at: str, batch_id: str) -> None:
        """Move the watermark forward; an earlier time changes nothing."""
        later = Attr("pk").not_exists() | Attr("ordered_at").lt(ordered_at)
        self._put("watermark", {"ordered_at": ordered_at, "batch_id": batch_id}, later)

    def write_run(self, run: Execution, record: Mapping[str, Any]) -> None:
        """Write a run's record."""
        item = {name: _storable(value) for name, value in record.items() if value is not None}
        self._put(f"run#{run.folder}", item)

    def runs(self, since: datetime) -> list[Mapping[str, Any]]:
        """The records of runs that started at that time or later, the newest first.

        Raises:
            WrittenByNewer: a newer version of this code wrote a record.
        """
        # A run's folder begins with its start.
        started = Key("sk").between(f"run#{since:%Y%m%dT%H%M%S}", "run#~")
        return list(self._query(started, ScanIndexForward=False))

    def expected_since(self) -> datetime | None:
        """Since when a success is expected; None while none is."""
        item = self._get("clock")
        return datetime.fromisoformat(str(item["since"])) if item else None

    def set_expected_since(self, since: datetime | None) -> None:
        """Expect successes from that time on; None for a type that is switched off."""
        if since is None:
            self._delete("clock")
        else:
            self._put("clock", {"since": since.isoformat(timespec="seconds")})


class Notifications(Items):
    """The notifications that concern all export types alike and are sent once a night."""

    def __init__(self, table: "Table") -> None:
        super().__init__(table, ACCOUNT)

    def claim_notification(self, what: str, night: str, owner: str, now: datetime) -> bool:
        """Whether this run sends the notification of that night; the same run may ask, and send, again."""
        item = {"owner": owner, "expires_at": epoch(now + _NOTIFICATION_LIFE)}
        return self._put(f"told#{what}#{night}", item, Attr("pk").not_exists() | Attr("owner").eq(owner))


def _storable(value: Any) -> Any:
    """The value for DynamoDB, which takes no floats."""
    if isinstance(value, float):
        return Decimal(str(value)) if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(name): _storable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(inner) for inner in value]
    return value
