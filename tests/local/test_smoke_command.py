"""The smoke run as a command, rehearsed on the embedded cloud."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from local import stacks
from local.lifecycle import Running
from local.problem import Problem
from local.smoke import alarm, analysts, smoke
from local.smoke.analysts import Simulated
from local.smoke.report import Verdict
from local.smoke.trial import Trial
from tests.conftest import local_in_process
from tests.local.test_smoke import ended, trial


def remains(running: Running) -> Mapping[str, Any]:
    """What a smoke run could leave behind."""
    client, outputs = running.cloud.client, running.deployment
    versions = client("s3").list_object_versions(Bucket=outputs.bucket, Prefix="raw/opens/2000-01-01/")
    return {
        "roles": {one["RoleName"] for one in client("iam").list_roles()["Roles"]},
        "queues": client("sqs").list_queues().get("QueueUrls"),
        "subscriptions": client("sns").list_subscriptions_by_topic(TopicArn=outputs.alert_topic_arn)["Subscriptions"],
        "alarms": {
            one["AlarmName"]: one["StateValue"] for one in client("cloudwatch").describe_alarms()["MetricAlarms"]
        },
        "raw": [*versions.get("Versions", []), *versions.get("DeleteMarkers", [])],
    }


def test_a_rehearsal_walks_every_step_claims_nothing_that_this_cloud_lacks_and_leaves_nothing(
    cloud_home: Path, running: Running, tmp_path: Path
) -> None:
    before = remains(running)
    file = tmp_path / "report.md"

    done = local_in_process("smoke", "--json", "--report", str(file), home=cloud_home)

    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert {one["step"]: one["result"] for one in report["steps"]} == {
        **dict.fromkeys(smoke.STEPS, "shown"),
        **dict.fromkeys(smoke.LACKING, "not on this cloud"),
    }
    copy, empty, moved, query, *_ = report["steps"]
    assert "in 2 calls, parts of 5,242,880 bytes" in copy["words"]
    assert "none twice" in moved["words"]
    assert "raw/ is closed to analysts" in query["words"]
    assert 0 < empty["usd"] < copy["usd"] < 0.01
    page = file.read_text()
    assert all(f"| {name} | " in page for name in smoke.STEPS)
    assert "which proves nothing about AWS" in page
    assert remains(running) == before


def test_steps_that_fail_leave_nothing(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise Problem("It broke.")

    before = remains(running)
    monkeypatch.setattr(Trial, "run", fail)
    monkeypatch.setattr(analysts, "_queried", fail)
    monkeypatch.setattr(alarm, "_is_of", fail)
    one = trial(stacks.in_local_cloud(running), first=ended())
    steps = {name: smoke.STEPS[name] for name in ("empty export", "analysts' query", "alarm")}
    monkeypatch.setattr(smoke, "STEPS", steps)

    walked = list(smoke.walk(one, lambda _: None))

    assert [(step.verdict, step.words) for step in walked] == [(Verdict.FAILED, "It broke.")] * 3
    assert (one.undo.left, remains(running)) == ([], before)


def test_without_the_right_to_make_a_role_the_stacks_own_policy_is_simulated(running: Running) -> None:
    deployed = stacks.in_local_cloud(running)
    iam = running.cloud.client("iam")
    asks = {"Effect": "Allow", "Action": ["iam:GetPolicy*", "iam:Simulate*"], "Resource": "*"}
    iam.create_user(UserName="careful")
    iam.put_user_policy(UserName="careful", PolicyName="asks", PolicyDocument=json.dumps({"Statement": [asks]}))
    key = iam.create_access_key(UserName="careful")["AccessKey"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="eu-west-1")

    def client(service: str) -> Any:
        return session.client(service, endpoint_url=running.cloud.endpoint, verify=running.cloud.ca_bundle)  # type: ignore[call-overload]

    try:
        with pytest.raises(Simulated, match=r"may not make a role.*opens neither raw/ nor changes"):
            analysts.query_as_analyst(trial(replace(deployed, client=client), first=ended()))
    finally:
        iam.delete_access_key(UserName="careful", AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName="careful", PolicyName="asks")
        iam.delete_user(UserName="careful")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--export", "CAMPAIGNS"), "CAMPAIGNS has no days; choose one of SENT, OPENS"),
        (("--export", "OPENINGS"), "'OPENINGS' is not an export type"),
        (("--period", "LAST_MONTH"), "'LAST_MONTH' is not a period"),
        (("--part-bytes", "many"), "invalid int value"),
    ],
)
def test_a_wrong_command_line_ends_with_status_2(
    cloud_home: Path, running: Running, words: tuple[str, ...], sentence: str
) -> None:
    done = local_in_process("smoke", *words, home=cloud_home)
    assert done.returncode == 2
    assert sentence in done.stderr
