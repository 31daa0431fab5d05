"""Data outlives the stack, and a redeployed stack takes it over."""

from pathlib import Path

from local import deployment
from local.lifecycle import Running

STACK = "brand-c"


def test_a_redeployed_stack_adopts_the_data_of_the_removed_one(running: Running, tmp_path: Path) -> None:
    cloud = running.cloud
    settings = {"stackName": STACK, "customerId": "77", "bundle": "host"}
    first = deployment.deploy(cloud, tmp_path, settings)
    cloud.client("s3").put_object(Bucket=first.bucket, Key="raw/opens/2026-01-01/1/result", Body=b"[]")
    glue = cloud.client("glue")
    glue.create_table(DatabaseName=first.database, TableInput={"Name": "opens"})
    ledger = {"pk": {"S": "OPENS"}, "sk": {"S": "watermark"}}
    cloud.client("dynamodb").put_item(TableName=first.ledger_table, Item=ledger)

    # What was synthesized for the deployment, since that takes seconds.
    deployment.cdk(cloud, tmp_path, "destroy", "--force", "--all", app=str(tmp_path / "cdk.out"))

    machines = cloud.client("stepfunctions").list_state_machines()["stateMachines"]
    assert STACK not in {machine["name"] for machine in machines}
    again = deployment.deploy(cloud, tmp_path, settings | {"useExistingData": "true"})
    assert again.bucket == first.bucket
    stored = cloud.client("s3").get_object(Bucket=again.bucket, Key="raw/opens/2026-01-01/1/result")
    assert stored["Body"].read() == b"[]"
    assert glue.get_table(DatabaseName=again.database, Name="opens")["Table"]["Name"] == "opens"
    assert cloud.client("dynamodb").get_item(TableName=again.ledger_table, Key=ledger)["Item"] == ledger
