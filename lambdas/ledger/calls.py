"""The calls of Symplify that all exports of the stack share: at most so many within a minute."""

from datetime import datetime
from math import ceil
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Attr

from lambdas.ledger.items import Items

if TYPE_CHECKING:
    from types_boto3_dynamodb.service_resource import Table

# Symplify counts a call when it arrives. Connecting takes 5 s at most, so calls that it counts within one minute were
# recorded within 65 s.
_WINDOW_MILLISECONDS = 65_000
# Ten exports at most write at the same moment, and of those one succeeds each time.
_TRIES = 10


class Calls(Items):
    """The times of the last minute's calls, in one item, whichever function of whichever export made them."""

    def __init__(self, table: "Table") -> None:
        super().__init__(table, "account")

    def take(self, per_minute: int, now: datetime) -> int:
        """Record a call, unless `per_minute` of them are recorded within the last minute.

        Returns the seconds to wait before the next try; 0 when the call is recorded and may be made.
        """
        moment = int(now.timestamp() * 1000)
        for _ in range(_TRIES):
            item = self._get("calls")
            recent = sorted(int(at) for at in (item or {}).get("at", ()) if int(at) > moment - _WINDOW_MILLISECONDS)
            if len(recent) >= per_minute:
                free_at = recent[-per_minute] + _WINDOW_MILLISECONDS
                return max(1, ceil((free_at - moment) / 1000))
            unchanged = Attr("pk").not_exists() if item is None else Attr("at").eq(item["at"])
            if self._put("calls", {"at": [*recent, moment]}, unchanged):
                return 0
        return 1
