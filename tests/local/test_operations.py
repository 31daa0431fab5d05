"""The runbook tells the truth: every alert has its page, local commands run, and every `aws` command is one."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_cdk.assertions import Template
from botocore import xform_name
from botocore.validate import ParamValidator

from lambdas.steps.alert import _ANCHORS, LOST_DAYS_ANCHOR, OTHER_ANCHOR
from local.lifecycle import Running
from tests.conftest import ROOT, local
from tests.infra.conftest import synthesized

RUNBOOK = (ROOT / "docs" / "operations.md").read_text()
LOCAL = ".venv/bin/python -m local "


def commands() -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", RUNBOOK, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


def anchors() -> set[str]:
    """The headings as GitHub makes anchors of them."""
    headings = re.findall(r"^#+ (.*)$", RUNBOOK, re.MULTILINE)
    return {re.sub(r"[^a-z0-9_ -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_message_and_every_alarm_has_its_page() -> None:
    template: Template = synthesized()
    named = {*_ANCHORS.values(), OTHER_ANCHOR, LOST_DAYS_ANCHOR}
    for alarm in template.find_resources("AWS::CloudWatch::Alarm").values():
        named |= set(re.findall(r"operations\.md#(\S+)", alarm["Properties"]["AlarmDescription"]))
    assert named <= anchors()


def test_every_link_within_the_page_leads_somewhere() -> None:
    assert set(re.findall(r"\]\(#([^)]+)\)", RUNBOOK)) <= anchors()


def test_every_local_command_works_as_printed(cloud_home: Path, running: Running) -> None:
    assert local("run", "OPENS", home=cloud_home).returncode == 0
    for command in commands():
        if command.startswith(LOCAL):
            done = local(*shlex.split(command.removeprefix(LOCAL)), home=cloud_home)
            assert done.returncode == 0, command + done.stdout + done.stderr


AWS = [command for command in commands() if command.startswith("aws ")]
# Commands of the AWS CLI that are more than one call of an API.
BEYOND_THE_API = ("aws s3 ",)
_OPTIONS = ("query", "prefix-only")


def parsed(command: str) -> tuple[str, str, dict[str, Any]]:
    """A command as service, operation, and parameters as the AWS CLI would send them."""
    _, service, operation, *words = shlex.split(command)
    service = service.replace("s3api", "s3")
    client: Any = boto3.client(service, region_name="eu-west-1")
    method = operation.replace("-", "_")
    model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method])
    members = {xform_name(name).replace("_", "-"): (name, shape) for name, shape in model.input_shape.members.items()}
    given: dict[str, Any] = {}
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            # The output file of `lambda invoke`.
            continue
        values = []
        while words and not words[0].startswith("--"):
            values.append(words.pop(0))
        if word[2:] in _OPTIONS:
            continue
        name, shape = members[word[2:]]
        given[name] = converted(shape, values)
    return service, method, given | {"": ParamValidator().validate(given, model.input_shape).generate_report()}


def converted(shape: Any, values: list[str]) -> Any:
    text = values[0]
    if text.startswith("file://"):
        return {}
    if shape.type_name == "list":
        return values
    if shape.type_name == "integer":
        return int(text)
    if shape.type_name in ("map", "structure"):
        return json.loads(text)
    return text


@pytest.mark.parametrize("command", [command for command in AWS if not command.startswith(BEYOND_THE_API)])
def test_every_aws_command_is_one_that_the_service_takes(command: str) -> None:
    *_, given = parsed(command)
    assert given[""] == ""


def filled(running: Running, command: str) -> str:
    deployed = running.deployment
    names = {
        "STATE_MACHINE_ARN": deployed.state_machine_arn,
        "TOKEN_SECRET_ARN": deployed.token_secret_arn,
        "LEDGER_TABLE": deployed.ledger_table,
        "BUCKET": deployed.bucket,
        "STACK": deployed.stack,
        "BATCH_ID": "none",
    }
    for name, value in names.items():
        command = command.replace(name, value)
    return command


@pytest.mark.parametrize(
    "command",
    [
        command
        for command in AWS
        if command.split()[1:3]
        in (
            ["cloudformation", "describe-stacks"],
            ["stepfunctions", "start-execution"],
            ["cloudwatch", "describe-alarms"],
            ["lambda", "invoke"],
            ["dynamodb", "query"],
            ["s3api", "list-object-versions"],
        )
    ],
)
def test_commands_work_on_the_embedded_cloud_as_the_aws_cli_would_send_them(running: Running, command: str) -> None:
    service, method, given = parsed(filled(running, command))
    given.pop("")
    answer = getattr(running.cloud.client(service), method)(**given)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert "FunctionError" not in answer


def test_a_batch_is_buried_and_tried_once_more_by_the_commands_of_the_page(running: Running) -> None:
    table = running.cloud.client("dynamodb")
    key = {"pk": {"S": "OPENS"}, "sk": {"S": "batch#none"}}
    name = running.deployment.ledger_table
    table.put_item(TableName=name, Item={**key, "status": {"S": "copied"}, "failures": {"N": "1"}})
    try:
        bury, retry = [command for command in AWS if "update-item" in command]
        for command, status in ((bury, "dead"), (retry, "ordered")):
            *_, given = parsed(filled(running, command))
            given.pop("")
            table.update_item(**given)
            assert table.get_item(TableName=name, Key=key)["Item"]["status"] == {"S": status}
    finally:
        table.delete_item(TableName=name, Key=key)
