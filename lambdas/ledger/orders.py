"""Orders and batches: what a run asked Symplify for, and how far each batch has come."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, Key

from lambdas.execution import Execution
from lambdas.ledger.items import ACCOUNT, Items, epoch

if TYPE_CHECKING:
    from types_boto3_dynamodb.service_resource import Table

ORDERED, COPIED, UNDECIDED, LOADED, DEAD = "ordered", "copied", "undecided", "loaded", "dead"
_STATUSES_BEFORE = {
    COPIED: [ORDERED, COPIED],
    UNDECIDED: [ORDERED, COPIED, UNDECIDED],
    LOADED: [ORDERED, COPIED, UNDECIDED, LOADED, DEAD],
    DEAD: [UNDECIDED, DEAD],
}
# A second run may succeed where the first failed by chance; a third would only keep the type from newer data.
MAX_FAILURES = 2
# A batch id that comes again within this time is the same batch; later the vendor may have begun to count anew.
_ID_LIFE = timedelta(days=30)


@dataclass(frozen=True)
class Order:
    """What a run asked of Symplify. `intent_at` without a batch id means: maybe ordered, maybe not."""

    intent_at: str | None
    lost: int
    batch_id: str | None
    ordered_at: str | None

    @property
    def unanswered(self) -> int:
        """How many orders were sent, or may have been, without an answer."""
        return self.lost + (self.intent_at is not None and self.batch_id is None)


@dataclass(frozen=True)
class BatchRecord:
    """A batch as the ledger has it; times are ISO 8601 in UTC."""

    batch_id: str
    status: str
    period: str
    ordered_at: str
    owner: str
    failures: int
    owner_failure_counted: bool
    """Whether `failures` includes the owner's; an owner that was stopped from outside could not count it."""


@dataclass(frozen=True)
class Upload:
    """The multipart upload that a batch's copy resumes, and the version of the source that its parts belong to."""

    id: str
    etag: str
    length: int
    md5: str | None


class Orders(Items):
    """Orders by run, batches by their id."""

    def __init__(self, table: "Table", partition: str) -> None:
        super().__init__(table, partition)
        self._account = Items(table, ACCOUNT)

    def order(self, run: Execution) -> Order:
        """What the run has ordered so far."""
        return _order(self._get(f"order#{run.folder}") or {})

    def order_of(self, arn: str, since: datetime) -> Order:
        """What an execution has ordered that started at that time or later, whose start is not known to the second."""
        started = Key("sk").between(f"order#{since:%Y%m%dT%H%M%S}", "order#~")
        return _order(next(self._query(started, FilterExpression=Attr("owner").eq(arn), ConsistentRead=True), {}))

    def write_intent(self, run: Execution, now: str, lost: int, seen: Order) -> bool:
        """Record that the run is about to order, and how many of its orders had no answer.

        False when the order is no longer as it was `seen`: another copy of the same step is at work.
        """
        intent = Attr("intent_at")
        unchanged = intent.not_exists() if seen.intent_at is None else intent.eq(seen.intent_at)
        item = {"owner": run.arn, "intent_at": now, "lost": lost}
        return self._put(f"order#{run.folder}", item, unchanged & Attr("batch_id").not_exists())

    def withdraw_intent(self, run: Execution, lost: int) -> None:
        """Record that the vendor refused, so nothing was ordered."""
        self._put(f"order#{run.folder}", {"owner": run.arn, "lost": lost})

    def write_order(self, run: Execution, order: Order, period: str) -> bool:
        """Record the ordered batch, first as the run's order and then as a batch of its own. Idempotent.

        False when an earlier order, of any export type, got the same batch id: then the intent alone stays on record.
        """
        intent = {"owner": run.arn, "intent_at": order.intent_at, "lost": order.lost}
        self._put(f"order#{run.folder}", {**intent, "batch_id": order.batch_id, "ordered_at": order.ordered_at})
        if not self._claim_batch_id(order):
            self._put(f"order#{run.folder}", intent)
            return False
        batch = {
            "status": ORDERED,
            "period": period,
            "ordered_at": order.ordered_at,
            "owner": run.arn,
            "failures": 0,
        }
        # Never over the order's own batch, which may have come further.
        self._put(f"batch#{order.batch_id}", batch, Attr("pk").not_exists() | Attr("ordered_at").ne(order.ordered_at))
        return True

    def _claim_batch_id(self, order: Order) -> bool:
        ordered_at = datetime.fromisoformat(order.ordered_at or "")
        ours = Attr("export_type").eq(self._partition) & Attr("ordered_at").eq(order.ordered_at)
        free = Attr("pk").not_exists() | Attr("expires_at").lt(epoch(ordered_at))
        claim = {
            "export_type": self._partition,
            "ordered_at": order.ordered_at,
            "expires_at": epoch(ordered_at + _ID_LIFE),
        }
        if not self._account._put(f"id#{order.batch_id}", claim, free | ours):
            return False
        # A version before these claims has left the batch alone.
        batch = self._get(f"batch#{order.batch_id}")
        return batch is None or batch["ordered_at"] == order.ordered_at or _is_old(batch, ordered_at)

    def unloaded_batches(self) -> list[BatchRecord]:
        """The batches that were ordered or copied and never loaded, the newest first."""
        return sorted(self._batches(ORDERED, COPIED), key=lambda batch: batch.ordered_at, reverse=True)

    def undecided_batches(self) -> list[BatchRecord]:
        """The batches that wait in raw/ until it is decided what their fields are, the oldest first."""
        return sorted(self._batches(UNDECIDED), key=lambda batch: batch.ordered_at)

    def loaded_batches(self) -> list[BatchRecord]:
        """The batches whose rows a table has."""
        return self._batches(LOADED)

    def _batches(self, *statuses: str) -> list[BatchRecord]:
        found = self._query(
            Key("sk").begins_with("batch#"), FilterExpression=Attr("status").is_in(statuses), ConsistentRead=True
        )
        return [_batch(item) for item in found]

    def adopt(self, batch: BatchRecord, run: Execution) -> bool:
        """Hand an unloaded batch to another run; false when a third run was first, or when the batch is dead by now.

        Its owner has failed, counted or not, and a batch that failed two runs is dead.
        """
        failures = batch.failures + (not batch.owner_failure_counted)
        is_dead = failures >= MAX_FAILURES
        changes = {"failures": failures, **({"status": DEAD} if is_dead else {"owner": run.arn})}
        unchanged = Attr("owner").eq(batch.owner) & Attr("status").eq(batch.status)
        return self._update(f"batch#{batch.batch_id}", changes, unchanged) and not is_dead

    def upload(self, batch_id: str) -> Upload | None:
        """The multipart upload that a batch's copy has begun; S3 knows whether it is still open."""
        kept = (self._get(f"batch#{batch_id}") or {}).get("upload")
        if not kept:
            return None
        return Upload(id=kept["id"], etag=kept["etag"], length=int(kept["length"]), md5=kept["md5"])

    def write_upload(self, batch_id: str, upload: Upload) -> None:
        """Record the upload, before its first part."""
        self._update(f"batch#{batch_id}", {"upload": asdict(upload)}, Attr("pk").exists())

    def mark_batch(self, batch_id: str, status: str) -> None:
        """Record how far a batch has come; a step that runs late never sets it back."""
        self._update(f"batch#{batch_id}", {"status": status}, Attr("status").is_in(_STATUSES_BEFORE[status]))

    def mark_batch_failed(self, batch_id: str, run: Execution, *, final: bool) -> str | None:
        """Count a failed run against its batch, once; a batch that failed two runs, or for good, is dead.

        Returns the batch's status, unchanged when the batch is loaded or another run's; None when there is no such
        batch.
        """
        key = f"batch#{batch_id}"
        item = self._get(key)
        if item is None:
            return None
        before = str(item["status"])
        if before in (LOADED, UNDECIDED) or item["owner"] != run.arn or item.get("failed_owner") == run.arn:
            return before
        failures = int(item["failures"]) + 1
        status = DEAD if final or failures >= MAX_FAILURES else before
        ours = Attr("owner").eq(run.arn) & Attr("status").eq(before)
        changed = self._update(key, {"failures": failures, "status": status, "failed_owner": run.arn}, ours)
        return status if changed else before


def _order(item: Mapping[str, Any]) -> Order:
    return Order(
        intent_at=item.get("intent_at"),
        lost=int(item.get("lost", 0)),
        batch_id=item.get("batch_id"),
        ordered_at=item.get("ordered_at"),
    )


def _is_old(batch: Mapping[str, Any], now: datetime) -> bool:
    return now - datetime.fromisoformat(str(batch["ordered_at"])) > _ID_LIFE


def _batch(item: Mapping[str, Any]) -> BatchRecord:
    return BatchRecord(
        batch_id=str(item["sk"]).removeprefix("batch#"),
        status=str(item["status"]),
        period=str(item["period"]),
        ordered_at=str(item["ordered_at"]),
        owner=str(item["owner"]),
        failures=int(item["failures"]),
        owner_failure_counted=item.get("failed_owner") == item["owner"],
    )
