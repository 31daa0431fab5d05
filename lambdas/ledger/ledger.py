"""The ledger: one DynamoDB table that remembers claims, leases, orders, batches, watermarks and runs.

Items of an export type share the partition key `pk` (the type's name). Sort keys:

    lease                  who may write the type's table
    claim#<time>           which execution took a scheduled time
    order#<run folder>     what a run ordered, written before the order is sent
    batch#<batch id>       ordered | copied | loaded | dead
    watermark              the order time of the newest export whose window left no gap
    run#<run folder>       what became of a run

Leases and claims alone expire (`expires_at`, epoch seconds).
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, ConditionBase, Key
from botocore.exceptions import ClientError

from lambdas.execution import Execution
from lambdas.schema_version import check_version
from lambdas.vocabulary import ExportType

if TYPE_CHECKING:
    from types_boto3_dynamodb.service_resource import Table

SCHEMA_VERSION = 1

# Long past any retry of EventBridge (24 h) and any run; short enough that the table stays small.
CLAIM_LIFE = timedelta(days=30)
LEASE_LIFE = timedelta(days=30)

ORDERED, COPIED, LOADED, DEAD = "ordered", "copied", "loaded", "dead"
_BEFORE = {COPIED: [ORDERED, COPIED], LOADED: [ORDERED, COPIED, LOADED, DEAD]}
# The second run may have had the luck that the first lacked; a third would keep a type from newer data for nothing.
MAX_FAILURES = 2


@dataclass(frozen=True)
class Lease:
    """Who may write an export type's table."""

    owner: str
    """An execution's ARN."""


@dataclass(frozen=True)
class Order:
    """What a run asked of Symplify. `intent_at` without an answer means: maybe ordered, maybe not."""

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
    """A batch as the ledger knows it; times are ISO 8601 in UTC."""

    batch_id: str
    status: str
    period: str
    ordered_at: str
    owner: str
    failures: int
    is_counted: bool
    """Whether the failures hold the one of its owner, which could not close when it was stopped by hand."""


@dataclass(frozen=True)
class Upload:
    """The multipart upload that a batch's copy goes on with, and the version of the source that its parts are of."""

    id: str
    etag: str
    length: int
    md5: str | None


class Ledger:
    """Reads and writes the ledger of one export type."""

    def __init__(self, table: "Table", export: ExportType) -> None:
        self._table = table
        self._pk = export.name

    # Claims and the lease

    def claim(self, scheduled_time: str, owner: Execution, now: datetime) -> bool:
        """Take a scheduled time for one execution; false when another has it."""
        free = Attr("pk").not_exists() | Attr("owner").eq(owner.arn)
        item = {"owner": owner.arn, "expires_at": _epoch(now + CLAIM_LIFE)}
        return self._put(f"claim#{scheduled_time}", item, free)

    def release_claim(self, scheduled_time: str, owner: Execution) -> None:
        """Give a scheduled time back, if it is ours: a run that failed may be started again with the same input."""
        self._delete(f"claim#{scheduled_time}", owner)

    def take_lease(self, owner: Execution, now: datetime, instead_of: str | None = None) -> bool:
        """Take the lease if it is free, ours, or still held by `instead_of` (whose end the caller has made sure of)."""
        allowed: ConditionBase = Attr("pk").not_exists() | Attr("owner").eq(owner.arn)
        if instead_of is not None:
            allowed = allowed | Attr("owner").eq(instead_of)
        return self._put("lease", {"owner": owner.arn, "expires_at": _epoch(now + LEASE_LIFE)}, allowed)

    def lease(self) -> Lease | None:
        """Who holds the lease now."""
        item = self._get("lease")
        return Lease(str(item["owner"])) if item else None

    def release_lease(self, owner: Execution) -> None:
        """Give the lease back, if it is ours."""
        self._delete("lease", owner)

    # Orders

    def order(self, run: Execution) -> Order:
        """What the run has ordered so far."""
        item = self._get(f"order#{run.folder}") or {}
        return Order(item.get("intent_at"), int(item.get("lost", 0)), item.get("batch_id"), item.get("ordered_at"))

    def write_intent(self, run: Execution, now: str, lost: int, seen: Order) -> bool:
        """Remember that the run is about to order, and how many of its orders had no answer.

        False when the order is no longer as it was `seen`: the same step is at work a second time.
        """
        intent = Attr("intent_at")
        unchanged = intent.not_exists() if seen.intent_at is None else intent.eq(seen.intent_at)
        item = {"owner": run.arn, "intent_at": now, "lost": lost}
        return self._put(f"order#{run.folder}", item, unchanged & Attr("batch_id").not_exists())

    def withdraw_intent(self, run: Execution, lost: int) -> None:
        """Remember that the vendor refused: nothing was ordered."""
        self._put(f"order#{run.folder}", {"owner": run.arn, "lost": lost})

    def write_order(self, run: Execution, order: Order, period: str) -> None:
        """Remember the ordered batch, first as the run's order and then as a batch of its own; again is harmless."""
        item = {
            "owner": run.arn,
            "intent_at": order.intent_at,
            "lost": order.lost,
            "batch_id": order.batch_id,
            "ordered_at": order.ordered_at,
        }
        self._put(f"order#{run.folder}", item)
        batch = {
            "status": ORDERED,
            "period": period,
            "ordered_at": order.ordered_at,
            "owner": run.arn,
            "failures": 0,
        }
        self._put(f"batch#{order.batch_id}", batch, Attr("pk").not_exists())

    # Batches

    def batches_left_over(self) -> list[BatchRecord]:
        """The batches that were ordered or copied and never loaded, the newest first."""
        return sorted(self._batches(ORDERED, COPIED), key=lambda batch: batch.ordered_at, reverse=True)

    def batches_loaded(self) -> list[BatchRecord]:
        """The batches whose rows a table holds."""
        return self._batches(LOADED)

    def _batches(self, *statuses: str) -> list[BatchRecord]:
        found: list[BatchRecord] = []
        query: dict[str, Any] = {
            "KeyConditionExpression": Key("pk").eq(self._pk) & Key("sk").begins_with("batch#"),
            "FilterExpression": Attr("status").is_in(statuses),
            "ConsistentRead": True,
        }
        while True:
            page = self._table.query(**query)
            found += [_batch(_readable(item)) for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                return found
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def adopt(self, batch: BatchRecord, run: Execution) -> bool:
        """Hand a left-over batch to a run; false when another run has taken it meanwhile, or when it is dead by now.

        Its owner has failed, whether it could say so or not, and a batch that failed two runs is dead.
        """
        failures = batch.failures + (not batch.is_counted)
        is_dead = failures >= MAX_FAILURES
        changes = {"failures": failures, **({"status": DEAD} if is_dead else {"owner": run.arn})}
        unchanged = Attr("owner").eq(batch.owner) & Attr("status").eq(batch.status)
        return self._update(f"batch#{batch.batch_id}", changes, unchanged) and not is_dead

    def upload(self, batch_id: str) -> Upload | None:
        """The upload that a batch's copy has begun; whether it is still open, S3 knows."""
        kept = (self._get(f"batch#{batch_id}") or {}).get("upload")
        return Upload(kept["id"], kept["etag"], int(kept["length"]), kept["md5"]) if kept else None

    def write_upload(self, batch_id: str, upload: Upload) -> None:
        """Remember the upload, before its first part."""
        self._update(f"batch#{batch_id}", {"upload": asdict(upload)}, Attr("pk").exists())

    def mark_batch(self, batch_id: str, status: str) -> None:
        """Remember how far a batch has come; a step that runs late never takes it back."""
        self._update(f"batch#{batch_id}", {"status": status}, Attr("status").is_in(_BEFORE[status]))

    def mark_batch_failed(self, batch_id: str, run: Execution, *, final: bool) -> str | None:
        """Count a failed run, once, against its batch; a batch that failed two runs, or for good, is dead.

        Returns the batch's status, which stays as it is when the batch is loaded or another run's; None when there is
        no such batch.
        """
        key = f"batch#{batch_id}"
        item = self._get(key)
        if item is None:
            return None
        before = str(item["status"])
        if before == LOADED or item["owner"] != run.arn or item.get("failed_owner") == run.arn:
            return before
        failures = int(item["failures"]) + 1
        status = DEAD if final or failures >= MAX_FAILURES else before
        ours = Attr("owner").eq(run.arn) & Attr("status").eq(before)
        changed = self._update(key, {"failures": failures, "status": status, "failed_owner": run.arn}, ours)
        return status if changed else before

    # Watermark and runs

    def watermark(self) -> datetime | None:
        """The order time up to which no gap is left; nothing before the first success."""
        item = self._get("watermark")
        return datetime.fromisoformat(str(item["ordered_at"])) if item else None

    def move_watermark(self, ordered_at: str, batch_id: str) -> None:
        """Move the watermark, never back."""
        later = Attr("pk").not_exists() | Attr("ordered_at").lt(ordered_at)
        self._put("watermark", {"ordered_at": ordered_at, "batch_id": batch_id}, later)

    def write_run(self, run: Execution, record: Mapping[str, Any]) -> None:
        """Keep what became of a run."""
        item = {name: _storable(value) for name, value in record.items() if value is not None}
        self._put(f"run#{run.folder}", item)

    # The table itself

    def _get(self, sk: str) -> Mapping[str, Any] | None:
        item = self._table.get_item(Key={"pk": self._pk, "sk": sk}, ConsistentRead=True).get("Item")
        return item and _readable(item)

    def _put(self, sk: str, item: Mapping[str, Any], condition: ConditionBase | None = None) -> bool:
        full = {"pk": self._pk, "sk": sk, "schema_version": SCHEMA_VERSION, **item}
        try:
            if condition is None:
                self._table.put_item(Item=full)
            else:
                self._table.put_item(Item=full, ConditionExpression=condition)
        except ClientError as error:
            if _refused(error):
                return False
            raise
        return True

    def _delete(self, sk: str, owner: Execution) -> None:
        try:
            self._table.delete_item(Key={"pk": self._pk, "sk": sk}, ConditionExpression=Attr("owner").eq(owner.arn))
        except ClientError as error:
            if not _refused(error):
                raise

    def _update(self, sk: str, changes: Mapping[str, Any], condition: ConditionBase) -> bool:
        assignments = ", ".join(f"#{n} = :{n}" for n in changes)
        try:
            self._table.update_item(
                Key={"pk": self._pk, "sk": sk},
                UpdateExpression=f"SET {assignments}",
                ExpressionAttributeNames={f"#{n}": n for n in changes},
                ExpressionAttributeValues={f":{n}": value for n, value in changes.items()},
                ConditionExpression=Attr("pk").exists() & condition,
            )
        except ClientError as error:
            if _refused(error):
                return False
            raise
        return True


def _readable(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """The item, unless a newer version of this code wrote it: then it is refused by `WrittenByNewer`."""
    check_version(item.get("schema_version"), SCHEMA_VERSION, f"The ledger's item {item['pk']} {item['sk']}")
    return item


def _batch(item: Mapping[str, Any]) -> BatchRecord:
    return BatchRecord(
        str(item["sk"]).removeprefix("batch#"),
        str(item["status"]),
        str(item["period"]),
        str(item["ordered_at"]),
        str(item["owner"]),
        int(item["failures"]),
        item.get("failed_owner") == item["owner"],
    )


def _storable(value: Any) -> Any:
    """A value as DynamoDB takes it, which knows no floats."""
    if isinstance(value, float):
        return Decimal(str(value)) if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(name): _storable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(inner) for inner in value]
    return value


def _epoch(moment: datetime) -> int:
    return int(moment.timestamp())


def _refused(error: ClientError) -> bool:
    return error.response.get("Error", {}).get("Code") == "ConditionalCheckFailedException"
