"""Claims of scheduled times, and the lease on an export type's table."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from boto3.dynamodb.conditions import Attr, ConditionBase

from lambdas.execution import Execution
from lambdas.ledger.items import Items, epoch

# Longer than any retry of EventBridge (24 h) and any run; short enough to keep the table small.
CLAIM_LIFE = timedelta(days=30)
LEASE_LIFE = timedelta(days=30)


@dataclass(frozen=True)
class Lease:
    """Who may write an export type's table."""

    owner: str
    """An execution's ARN."""


class Claims(Items):
    """One execution per scheduled time, one writer per table."""

    def claim(self, scheduled_time: str, owner: Execution, now: datetime) -> bool:
        """Claim a scheduled time for one execution; false when another has claimed it."""
        item = {"owner": owner.arn, "expires_at": epoch(now + CLAIM_LIFE)}
        return self._put(f"claim#{scheduled_time}", item, _free_or_owned_by(owner))

    def release_claim(self, scheduled_time: str, owner: Execution) -> None:
        """Release the owner's claim, so that a failed run can be started again with the same input."""
        self._delete(f"claim#{scheduled_time}", Attr("owner").eq(owner.arn))

    def take_lease(self, owner: Execution, now: datetime, instead_of: str | None = None) -> bool:
        """Take the lease if nobody has it, or the owner has, or `instead_of` has, which is known to be dead."""
        allowed = _free_or_owned_by(owner)
        if instead_of is not None:
            allowed = allowed | Attr("owner").eq(instead_of)
        return self._put("lease", {"owner": owner.arn, "expires_at": epoch(now + LEASE_LIFE)}, allowed)

    def lease(self) -> Lease | None:
        """The lease, if anybody has it."""
        item = self._get("lease")
        return Lease(str(item["owner"])) if item else None

    def release_lease(self, owner: Execution) -> None:
        """Release the lease, if the owner has it."""
        self._delete("lease", Attr("owner").eq(owner.arn))


def _free_or_owned_by(owner: Execution) -> ConditionBase:
    return Attr("pk").not_exists() | Attr("owner").eq(owner.arn)
