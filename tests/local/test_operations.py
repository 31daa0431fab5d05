"""The runbook is true: every alert has its page, and every command that needs no account of AWS works."""

import json
import re
import shlex
from pathlib import Path

import duckdb
import pytest

from lambdas.steps.alert import _ANCHORS, LOST_DAYS_ANCHOR, OTHER_ANCHOR
from local import athena
from local.lifecycle import Running
from tests.conftest import local_in_process
from tests.infra.synthesis import synthesized
from tests.local.runbook import RUNBOOK, anchors, commands, filled, section
from tests.local.shell import shell
from tests.workflow.machine import run, wait

LOCAL = ".venv/bin/python -m local "


@pytest.mark.xdist_group("template")
def test_every_message_and_every_alarm_has_its_page() -> None:
    template = synthesized()
    named = {*_ANCHORS.values(), OTHER_ANCHOR, LOST_DAYS_ANCHOR}
    for alarm in template.find_resources("AWS::CloudWatch::Alarm").values():
        named |= set(re.findall(r"operations\.md#(\S+)", alarm["Properties"]["AlarmDescription"]))
    assert named <= anchors()


def test_every_link_within_the_page_leads_somewhere() -> None:
    assert set(re.findall(r"\]\(#([^)]+)\)", RUNBOOK)) <= anchors()


def test_every_local_command_works_as_printed(cloud_home: Path, running: Running) -> None:
    assert local_in_process("run", "OPENS", home=cloud_home).returncode == 0
    for command in commands():
        if command.startswith(LOCAL):
            done = local_in_process(*shlex.split(command.removeprefix(LOCAL)), home=cloud_home)
            assert done.returncode == 0, command + done.stdout + done.stderr


def test_the_page_holds_every_kind_of_command_that_these_tests_know() -> None:
    first = {command.split()[0] for command in commands()}
    assert first == {"aws", "make", "git", "sed", ".venv/bin/python"}


AWS = [command for command in commands() if command.startswith("aws ")]
# What pays the bill, and what deploys from elsewhere, is outside of the embedded cloud.
ELSEWHERE = ("aws ce ", "aws cloudformation deploy ")
# What changes something has a test of its own.
CHANGING = ("update-item", "put-secret-value", "purge-queue", "receive-message", "filter-log-events", "copy-object")
PARTITIONS = ("get-partition", "batch-update-partition")


@pytest.mark.parametrize(
    "command", [command for command in AWS if not any(word in command for word in CHANGING + PARTITIONS + ELSEWHERE)]
)
def test_a_command_that_asks_or_starts_works_as_printed(running: Running, tmp_path: Path, command: str) -> None:
    given = filled(running, command)
    answer = shell(given, running.cloud, tmp_path)
    assert answer
    if "start-execution" in command:
        assert wait(running.cloud, json.loads(answer)["executionArn"]).status == "SUCCEEDED"


def test_the_log_of_a_step_is_found_by_the_name_of_the_execution(running: Running, tmp_path: Path) -> None:
    ended = run(running.cloud, running.deployment.state_machine_arn, {"exportType": "LISTS"})
    where, search = section("Any other error")
    group = json.loads(shell(filled(running, where), running.cloud, tmp_path))
    names = {"LOG_GROUP": group, "EXECUTION": ended.arn.rsplit(":", 1)[-1]}
    events = json.loads(shell(filled(running, search, **names), running.cloud, tmp_path))["events"]
    assert any(ended.arn.rsplit(":", 1)[-1] in event["message"] for event in events)


def test_the_dead_letter_queue_is_read_and_emptied(running: Running, tmp_path: Path) -> None:
    url, *others = section("dead-letters")
    found = json.loads(shell(filled(running, url), running.cloud, tmp_path))["QueueUrl"]
    running.cloud.client("sqs").send_message(QueueUrl=found, MessageBody="an event")
    read, purge = [filled(running, command, QUEUE_URL=found) for command in others]
    assert [message["Body"] for message in json.loads(shell(read, running.cloud, tmp_path))["Messages"]] == ["an event"]
    shell(purge, running.cloud, tmp_path)
    depth = running.cloud.client("sqs").get_queue_attributes(QueueUrl=found, AttributeNames=["All"])["Attributes"]
    assert depth["ApproximateNumberOfMessages"] == depth["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_a_batch_is_buried_and_tried_once_more_by_the_commands_of_the_page(running: Running, tmp_path: Path) -> None:
    table = running.cloud.client("dynamodb")
    key = {"pk": {"S": "OPENS"}, "sk": {"S": "batch#none"}}
    name = running.deployment.ledger_table
    table.put_item(TableName=name, Item={**key, "status": {"S": "copied"}, "failures": {"N": "1"}})
    try:
        bury, retry = [command for command in AWS if "update-item" in command]
        for command, status in ((bury, "dead"), (retry, "ordered")):
            shell(filled(running, command, BATCH_ID="none"), running.cloud, tmp_path)
            assert table.get_item(TableName=name, Key=key)["Item"]["status"] == {"S": status}
    finally:
        table.delete_item(TableName=name, Key=key)


def test_a_superseded_partition_comes_back_and_the_next_run_continues_from_it(running: Running, tmp_path: Path) -> None:
    """Another export rewrites each of its days, since it is the one that their rows were last seen in."""
    cloud, machine = running.cloud, running.deployment.state_machine_arn
    first, second = (run(cloud, machine, {"exportType": "OPENS", "period": "LAST_DAY"}) for _ in range(2))
    assert first.output is not None
    assert second.output is not None
    day = min(second.output["tally"]["days"])
    before = rows(running, day, tmp_path)
    assert second.output["batchId"] in {batch for _, batch in before}

    find, copy, *point = [command.replace("2026-01-31", day) for command in section("Restore a superseded partition")]
    versions = json.loads(shell(filled(running, find), cloud, tmp_path))
    superseded = [version for version in versions if version[1].endswith(".parquet")]
    superseded.sort()
    _, key, version = superseded[-2]
    assert key not in location(running, day)
    shell(filled(running, copy, KEY=key, VERSION=version), cloud, tmp_path)
    for command in point:
        shell(filled(running, command), cloud, tmp_path)

    after = rows(running, day, tmp_path)
    assert location(running, day).endswith(f"/dt={day}/RESTORED/")
    assert first.output["batchId"] in {batch for _, batch in after}
    assert second.output["batchId"] not in {batch for _, batch in after}
    assert {event for event, _ in after} <= {event for event, _ in before}

    assert run(cloud, machine, {"exportType": "OPENS", "period": "LAST_DAY"}).status == "SUCCEEDED"
    (counted,) = athena.query(
        running, f"SELECT count(*) AS n, count(DISTINCT event_id) AS ids FROM opens WHERE dt='{day}'"
    )
    assert counted["n"] == counted["ids"] >= len(before)


def location(running: Running, day: str) -> str:
    """Where readers find a day of OPENS."""
    asked = {"DatabaseName": running.deployment.database, "TableName": "opens", "PartitionValues": [day]}
    found = running.cloud.client("glue").get_partition(**asked)["Partition"]["StorageDescriptor"]["Location"]
    return str(found)


def rows(running: Running, day: str, folder: Path) -> set[tuple[int, str]]:
    """The events of a day of OPENS and the batches that they were last seen in, by the catalog as Athena reads it."""
    _, _, key = location(running, day).removeprefix("s3://").partition("/")
    s3, bucket, found = running.cloud.client("s3"), running.deployment.bucket, set()
    for item in s3.list_objects_v2(Bucket=bucket, Prefix=key)["Contents"]:
        s3.download_file(bucket, item["Key"], str(folder / "file.parquet"))
        found |= set(
            duckdb.execute("SELECT event_id, _batch_id FROM read_parquet(?)", [str(folder / "file.parquet")]).fetchall()
        )
    return found
