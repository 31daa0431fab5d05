"""Removing and deploying again without a step by hand: data stays and is adopted, or goes; a failure is repeated."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import deployment
from local.cloud import Cloud
from local.deployment import Deployment
from local.lifecycle import Running
from local.problem import Problem

RAW = "raw/opens/2026-01-01/1/result"
WATERMARK = {"pk": {"S": "OPENS"}, "sk": {"S": "watermark"}}


def settings(stack: str, **more: str) -> dict[str, str]:
    return {"stackName": stack, "customerId": "77", "bundle": "host", **more}


def fill(cloud: Cloud, deployed: Deployment) -> None:
    """A raw object, a table, and an entry of the ledger."""
    cloud.client("s3").put_object(Bucket=deployed.bucket, Key=RAW, Body=b"[]")
    # On a busy machine the answer may be lost, and the client asks again.
    with suppress(cloud.client("glue").exceptions.AlreadyExistsException):
        cloud.client("glue").create_table(DatabaseName=deployed.database, TableInput={"Name": "opens"})
    cloud.client("dynamodb").put_item(TableName=deployed.ledger_table, Item=WATERMARK)


def destroy(cloud: Cloud, folder: Path) -> None:
    # What was synthesized for the deployment, since that takes seconds.
    deployment.cdk(cloud, folder, "destroy", "--force", "--all", app=str(folder / "cdk.out"))


def deploy_again(cloud: Cloud, folder: Path) -> None:
    deployment.cdk(cloud, folder, "deploy", "--require-approval", "never", app=str(folder / "cdk.out"))


def is_there(call: Any, **given: Any) -> bool:
    try:
        call(**given)
    except ClientError:
        return False
    return True


def data_that_is_there(cloud: Cloud, stack: str) -> list[str]:
    """Which of bucket, database and ledger of a stack exist."""
    bucket = f"{stack}-000000000000-eu-west-1"
    found = {
        "bucket": is_there(cloud.client("s3").head_bucket, Bucket=bucket),
        "database": is_there(cloud.client("glue").get_database, Name=stack.replace("-", "_")),
        "ledger": is_there(cloud.client("dynamodb").describe_table, TableName=f"{stack}-ledger"),
    }
    return [name for name, is_found in found.items() if is_found]


def test_a_first_deployment_that_fails_half_way_is_repeated_and_a_later_stack_adopts_the_data_of_the_removed_one(
    running: Running, tmp_path: Path
) -> None:
    cloud, stack = running.cloud, "brand-c"
    cloud.client("athena").create_work_group(Name=stack)
    with pytest.raises(Problem, match="WorkGroup"):
        deployment.deploy(cloud, tmp_path, settings(stack))
    assert data_that_is_there(cloud, stack) == []

    cloud.client("athena").delete_work_group(WorkGroup=stack)
    first = deployment.deploy(cloud, tmp_path, settings(stack))
    fill(cloud, first)
    destroy(cloud, tmp_path)

    machines = cloud.client("stepfunctions").list_state_machines()["stateMachines"]
    assert stack not in {machine["name"] for machine in machines}
    again = deployment.deploy(cloud, tmp_path, settings(stack, useExistingData="true"))
    assert again.bucket == first.bucket
    assert cloud.client("s3").get_object(Bucket=again.bucket, Key=RAW)["Body"].read() == b"[]"
    assert cloud.client("glue").get_table(DatabaseName=again.database, Name="opens")["Table"]["Name"] == "opens"
    assert cloud.client("dynamodb").get_item(TableName=again.ledger_table, Key=WATERMARK)["Item"] == WATERMARK


def test_a_stack_that_takes_its_data_along_is_destroyed_with_all_versions_and_deployed_again(
    running: Running, tmp_path: Path
) -> None:
    cloud, stack = running.cloud, "brand-e"
    deployed = deployment.deploy(cloud, tmp_path, settings(stack, deleteDataWithStack="true"))
    fill(cloud, deployed)
    s3 = cloud.client("s3")
    # The embedded cloud drops a bucket's tags; CDK's function empties no bucket without this one of the template.
    tag = {"Key": "aws-cdk:auto-delete-objects", "Value": "true"}
    s3.put_bucket_tagging(Bucket=deployed.bucket, Tagging={"TagSet": [tag]})
    s3.put_object(Bucket=deployed.bucket, Key=RAW, Body=b"[{}]")
    s3.delete_object(Bucket=deployed.bucket, Key=RAW)
    s3.put_object(Bucket=deployed.bucket, Key="curated/opens/part.parquet", Body=b"PAR1")
    s3.create_multipart_upload(Bucket=deployed.bucket, Key="raw/opens/2026-01-02/2/result")

    destroy(cloud, tmp_path)

    assert data_that_is_there(cloud, stack) == []
    deploy_again(cloud, tmp_path)
    assert data_that_is_there(cloud, stack) == ["bucket", "database", "ledger"]
    # That cloud deletes full buckets too, but keeps their versions for the next one of the name.
    left = s3.list_object_versions(Bucket=deployed.bucket)
    assert (left.get("Versions", []), left.get("DeleteMarkers", [])) == ([], [])
