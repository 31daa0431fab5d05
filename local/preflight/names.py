"""Whether the stack's name and fixed names are free, and what to do about what an earlier stack or try has left."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from botocore.exceptions import ClientError

from local.checks import Check, is_denied, unknown
from local.preflight.target import Target

_DATA = ("AWS::S3::Bucket", "AWS::Glue::Database", "AWS::DynamoDB::Table")
_GONE = {"404", "NoSuchBucket", "EntityNotFoundException", "ResourceNotFoundException", "NoSuchEntity"}
_BLOCKED = {
    "ROLLBACK_FAILED": "aws cloudformation delete-stack --stack-name {stack}",
    "DELETE_FAILED": "aws cloudformation delete-stack --stack-name {stack}",
    "UPDATE_ROLLBACK_FAILED": "aws cloudformation continue-update-rollback --stack-name {stack}",
}
# CDK deletes a stack that was rolled back; one in review has only had its change shown.
_NOT_MADE = ("ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS", "DELETE_COMPLETE")


@dataclass(frozen=True)
class _Thing:
    """Something with a fixed name, how to find it, and how to delete it."""

    what: str
    look: Callable[[], object]
    delete: str
    is_data: bool = True
    """Whether `useExistingData` takes it over."""


def stack(target: Target) -> Check:
    """Whether CloudFormation can make or change the stack now."""
    name, status = "stack", _status(target)
    if status is None or status in _NOT_MADE:
        return Check(name, True, f"{target.settings.stack_name} will be new")
    if status in _BLOCKED:
        command = _BLOCKED[status].format(stack=target.settings.stack_name)
        words = f"{target.settings.stack_name} is {status}. Look at its events for what stopped it, then: {command}"
        return Check(name, False, words)
    if status.endswith("_IN_PROGRESS"):
        words = f"{target.settings.stack_name} is {status}: somebody deploys or removes it. Wait until it has ended."
        return Check(name, False, words)
    return Check(name, True, f"{target.settings.stack_name} is there and will be changed")


def names(target: Target) -> Check:
    """Whether fixed names are free for a new stack; with `useExistingData`, whether the data is there."""
    name, status = "names", _status(target)
    if status is not None and status not in _NOT_MADE:
        return _own(target)
    found: list[_Thing] = []
    missing: list[_Thing] = []
    denied: list[str] = []
    for thing in _things(target):
        try:
            thing.look()
            found.append(thing)
        except ClientError as error:
            if is_denied(error):
                denied.append(thing.what)
            elif error.response["Error"]["Code"] in _GONE:
                missing.append(thing)
            else:
                raise
    takes_over = target.settings.use_existing_data
    in_the_way = [thing for thing in found if not (takes_over and thing.is_data)]
    lacking = [thing.what for thing in missing if takes_over and thing.is_data]
    if lacking:
        words = (
            f"useExistingData is set, and there is no {', no '.join(lacking)}: take the setting out, or restore them."
        )
        return Check(name, False, words)
    if in_the_way:
        return Check(name, False, _advice(in_the_way))
    if denied:
        return unknown(name, f"You may not see whether these exist: {', '.join(denied)}.")
    return Check(name, True, "the earlier stack's data is there" if takes_over else "they are free")


def _own(target: Target) -> Check:
    """Whether the next deployment leaves the stack its data: what a template has no more, CloudFormation deletes."""
    name = "names"
    if target.settings.use_existing_data:
        stack = target.settings.stack_name
        try:
            body = target.client("cloudformation").get_template(StackName=stack)["TemplateBody"]
        except ClientError as error:
            if is_denied(error):
                return unknown(name, f"You may not see the template of {stack}, which may delete its data now.")
            raise
        # CDK deploys JSON, which the client reads.
        resources = body["Resources"].values() if isinstance(body, Mapping) else ()
        if any(one["Type"] in _DATA and one.get("DeletionPolicy") == "Delete" for one in resources):
            words = (
                f"useExistingData is set, and {stack} was deployed with deleteDataWithStack: it would delete all of "
                "its data. Take both settings out and deploy: data and stack stay as they are."
            )
            return Check(name, False, words)
    return Check(name, True, "they are the stack's own")


def _advice(found: list[_Thing]) -> str:
    said = f"A stack or a try before this one has left: {', '.join(thing.what for thing in found)}."
    delete = " ; ".join(thing.delete for thing in found)
    if sum(thing.is_data for thing in found) == 3:
        said += " If they hold data, set useExistingData to take it over."
    return f"{said} To begin anew without them (what they hold is lost): {delete}"


def _things(target: Target) -> list[_Thing]:
    bucket, database = target.bucket, target.settings.database
    ledger, policy = target.ledger, target.analysts_policy
    return [
        _Thing(
            f"bucket {bucket}",
            lambda: target.client("s3").head_bucket(Bucket=bucket),
            f"empty the bucket with all versions (S3's console has a button for it), then aws s3 rb s3://{bucket}",
        ),
        _Thing(
            f"database {database}",
            lambda: target.client("glue").get_database(Name=database),
            f"aws glue delete-database --name {database}",
        ),
        _Thing(
            f"ledger {ledger}",
            lambda: target.client("dynamodb").describe_table(TableName=ledger),
            f"aws dynamodb delete-table --table-name {ledger}",
        ),
        _Thing(
            f"policy {policy}",
            lambda: target.client("iam").get_policy(PolicyArn=policy),
            f"detach it, then aws iam delete-policy --policy-arn {policy} (a stack of this name in another region has "
            "it too: then choose another stackName)",
            is_data=False,
        ),
    ]


def _status(target: Target) -> str | None:
    """The stack's status; None when there is none."""
    try:
        (found,) = target.client("cloudformation").describe_stacks(StackName=target.settings.stack_name)["Stacks"]
    except ClientError as error:
        if "does not exist" in error.response["Error"].get("Message", ""):
            return None
        raise
    return str(found["StackStatus"])
