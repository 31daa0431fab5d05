"""The search for leaked secrets finds one in any encoding and place."""

import base64
import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import duckdb
import pytest

from tests.workflow.campaign import Stage
from tests.workflow.conftest import TOKEN
from tests.workflow.secret_leaks import KINDS, everything, leaks

pytestmark = pytest.mark.enable_socket


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "form",
    [
        str,
        json.dumps,
        lambda text: json.dumps(json.dumps(json.dumps({"token": text}))),
        quote,
        quote_plus,
        lambda text: quote(text, safe="").replace("%2F", "%2f").replace("%3D", "%3d"),
        lambda text: quote(quote(text, safe=""), safe=""),
        in_base64,
        lambda text: in_base64(f"x{text}y"),
        lambda text: in_base64(f"xx{text}yy"),
        lambda text: base64.urlsafe_b64encode(f"user:{text}".encode()).decode(),
        lambda text: json.dumps(in_base64(text)),
    ],
)
def test_a_secret_is_found_in_any_encoding(form: Callable[[str], str]) -> None:
    def search(content: str) -> list[str]:
        found, _ = leaks(iter([("place", "here", content.encode())]), (TOKEN,))
        return found

    assert search(f"before{form(TOKEN)}after")
    assert not search(f"before{form(TOKEN[1:])}after")


def test_a_secret_is_found_in_any_place(stage: Stage, tmp_path: Path) -> None:
    """Not the token: the search after a campaign must not find the remains of this test."""
    secret, cloud, bucket = 'planted/"+here=%', stage.running.cloud, stage.deployed.bucket
    glue, logs, database = cloud.client("glue"), cloud.client("logs"), stage.deployed.database
    functions, function = cloud.client("lambda"), f"{stage.deployed.stack}-watch-runs"
    kept = functions.get_function_configuration(FunctionName=function)["Description"]
    rows, file = tmp_path / "rows.parquet", stage.running.folder / "planted"
    planted = duckdb.sql("SELECT ? AS a", params=[secret])
    assert planted is not None
    planted.write_parquet(str(rows), compression="zstd")
    group = f"/planted/{stage.deployed.stack}"

    stage.s3.put_object(Bucket=bucket, Key="planted.gz", Body=gzip.compress(secret.encode()))
    stage.s3.put_object(Bucket=bucket, Key="planted.parquet", Body=rows.read_bytes())
    stage.ledger.put_item(Item={"pk": "planted", "sk": "planted", "text": secret})
    arn = stage.start(exportType=secret)
    stage.wait(arn)
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="planted")
    event = {"timestamp": int(time.time() * 1000), "message": secret}
    logs.put_log_events(logGroupName=group, logStreamName="planted", logEvents=[event])
    cloud.client("sns").publish(TopicArn=stage.deployed.alert_topic_arn, Message=secret)
    glue.create_table(DatabaseName=database, TableInput={"Name": "planted", "Parameters": {"token": secret}})
    functions.update_function_configuration(FunctionName=function, Description=secret)
    metric = {"MetricName": "Planted", "Dimensions": [{"Name": "token", "Value": secret}], "Value": 0}
    cloud.client("cloudwatch").put_metric_data(Namespace="planted", MetricData=[metric])
    file.write_text(secret)
    try:
        found, _ = leaks(everything(stage), (secret,))
    finally:
        for key in ("planted.gz", "planted.parquet"):
            stage.s3.delete_object(Bucket=bucket, Key=key)
        stage.ledger.delete_item(Key={"pk": "planted", "sk": "planted"})
        logs.delete_log_group(logGroupName=group)
        glue.delete_table(DatabaseName=database, Name="planted")
        functions.update_function_configuration(FunctionName=function, Description=kept)
        file.unlink()

    where = {leak.split(" contains ")[0] for leak in found}
    assert {leak.split()[0] for leak in where} == KINDS
    for place in ("objects planted.gz", "objects planted.parquet", "messages topic", f"executions {arn}"):
        assert place in where
