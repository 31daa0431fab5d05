"""The synthesized machine with the real functions, against the stand-in Symplify."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lambdas.vocabulary import EXPORT_TYPES
from local import athena
from local.lifecycle import Running
from tests.workflow.machine import force_cold_start, run, wait
from tests.workflow.waiting import until


def execute(running: Running, **given: Any) -> Any:
    return run(running.cloud, running.deployment.state_machine_arn, given)


def table_of(export: str) -> str:
    return EXPORT_TYPES[export].table


@pytest.mark.parametrize(
    ("export", "periods"),
    [
        # The longest first: right after midnight TODAY has no record, or too few to begin a table with.
        ("CLICKS", ["LAST_2_WEEKS", "LAST_WEEK", "LAST_3_DAYS", "LAST_DAY", "TODAY"]),
        ("CAMPAIGNS", ["LAST_2_WEEKS"]),
    ],
)
def test_an_export_of_any_period_is_loaded_and_queryable(running: Running, export: str, periods: list[str]) -> None:
    for period in periods:
        ended = execute(running, exportType=export, period=period)
        assert (ended.status, ended.cause) == ("SUCCEEDED", None)
        assert ended.output is not None
        assert ended.output["period"] == period
        sql = f"SELECT count(*) AS n FROM {table_of(export)} WHERE _batch_id = '{ended.output['batchId']}'"
        (counted,) = athena.query(running, sql)
        assert counted["n"] == ended.output["tally"]["read"]


def test_the_same_export_twice_is_deduplicated(running: Running) -> None:
    for _ in range(2):
        assert execute(running, exportType="OPTOUTS", period="LAST_WEEK").status == "SUCCEEDED"
    (counted,) = athena.query(running, "SELECT count(*) AS n, count(DISTINCT event_id) AS events FROM optouts")
    assert counted["n"] == counted["events"] > 0


def test_the_views_of_what_is_loaded_can_be_queried(running: Running) -> None:
    for export in ("SENT", "OPENS"):
        assert execute(running, exportType=export, period="LAST_3_DAYS").status == "SUCCEEDED"

    for event, table in (("sent", "sent"), ("open", "opens")):
        (counted,) = athena.query(
            running,
            f"SELECT (SELECT count(*) FROM email_events WHERE event_type = '{event}') AS n, count(*) AS m FROM {table}",
        )
        assert counted["n"] == counted["m"] > 0
    (sent,) = athena.query(running, "SELECT (SELECT sum(sent) FROM campaign_performance) AS n, count(*) AS m FROM sent")
    assert sent["n"] == sent["m"]
    fresh = athena.query(running, "SELECT last_outcome FROM data_freshness WHERE export_type IN ('SENT', 'OPENS')")
    assert [one["last_outcome"] for one in fresh] == ["succeeded", "succeeded"]


def test_the_end_of_a_run_has_the_morning_report_written(running: Running) -> None:
    events, rule = running.cloud.client("events"), f"{running.deployment.stack}-ended"
    s3, place = running.cloud.client("s3"), {"Bucket": running.deployment.bucket, "Prefix": "reports/"}
    for report in s3.list_objects_v2(**place).get("Contents", []):
        s3.delete_object(Bucket=place["Bucket"], Key=report["Key"])
    events.enable_rule(Name=rule)
    try:
        assert execute(running, exportType="SENT", period="LAST_WEEK").status == "SUCCEEDED"
        (report,) = until(lambda: s3.list_objects_v2(**place).get("Contents"), "no report has been written")
    finally:
        events.disable_rule(Name=rule)
    page = s3.get_object(Bucket=place["Bucket"], Key=report["Key"])["Body"].read().decode()
    assert '<td class="text good">succeeded</td>' in page
    assert "What became of the sends is not known" not in page


def test_opened_is_an_alias_of_opens(running: Running) -> None:
    ended = execute(running, exportType="OPENED", period="LAST_WEEK")
    assert ended.status == "SUCCEEDED"
    assert ended.output is not None
    assert ended.output["exportType"] == "OPENS"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"exportType": "OPENINGS"}, "'OPENINGS' is not an export type"),
        ({"exportType": "OPENS", "period": "LAST_MONTH"}, "'LAST_MONTH' is not a period"),
        ({"exportType": 5}, "exportType"),
        ({"period": "TODAY"}, "export type"),
        ({"exportType": "OPENS", "batchId": "7", "orderedAt": "2026-01-01T00:00:00+00:00"}, "batchId"),
        ({"exportType": "OPENS", "perod": "TODAY"}, "'perod'"),
    ],
)
def test_an_invalid_input_is_refused_before_any_call(running: Running, given: dict[str, Any], words: str) -> None:
    ended = run(running.cloud, running.deployment.state_machine_arn, given)
    assert ended.status == "FAILED"
    assert words in (ended.cause or "")
    assert "StartExport" not in ended.visited


def test_a_scheduled_time_is_processed_once(running: Running) -> None:
    given = {"exportType": "PROJECTS", "scheduledTime": "2026-01-02T03:30:00Z"}
    first = run(running.cloud, running.deployment.state_machine_arn, given)
    second = run(running.cloud, running.deployment.state_machine_arn, given)
    assert first.visited[-1] == "Succeeded"
    assert second.visited[-1] == "Duplicate"


def test_a_rule_that_fires_every_minute_starts_the_machine(running: Running) -> None:
    """By the emulator's clock, with the target of the stack's rule."""
    events = running.cloud.client("events")
    (target,) = events.list_targets_by_rule(Rule=f"{running.deployment.stack}-lists")["Targets"]
    states, machine = running.cloud.client("stepfunctions"), running.deployment.state_machine_arn

    def started() -> set[str]:
        pages = states.get_paginator("list_executions").paginate(stateMachineArn=machine)
        return {execution["executionArn"] for page in pages for execution in page["executions"]}

    def is_scheduled(arn: str) -> bool:
        given = json.loads(states.describe_execution(executionArn=arn)["input"])
        return given.get("exportType") == "LISTS" and "scheduledTime" in given

    # Executions of other tests do not count; some are meant to fail.
    before, rule = started(), "every-minute"
    events.put_rule(Name=rule, ScheduleExpression="cron(* * * * ? *)", State="ENABLED")
    events.put_targets(Rule=rule, Targets=[target])
    try:
        found = until(lambda: list(filter(is_scheduled, started() - before)), "the rule has started nothing")
        assert wait(running.cloud, found[0]).status == "SUCCEEDED"
    finally:
        events.remove_targets(Rule=rule, Ids=[target["Id"]])
        events.delete_rule(Name=rule)


@contextmanager
def without_statement(running: Running, function: str, sid: str) -> Iterator[None]:
    """Remove a statement from a function's role temporarily."""
    iam = running.cloud.client("iam")
    arn = running.cloud.client("lambda").get_function_configuration(
        FunctionName=f"{running.deployment.stack}-{function}"
    )["Role"]
    role = arn.rsplit("/", 1)[-1]
    (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    kept = [statement for statement in document["Statement"] if statement.get("Sid") != sid]
    assert len(kept) == len(document["Statement"]) - 1

    def put(statements: list[Any]) -> None:
        changed = json.dumps({**document, "Statement": statements})
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=changed)

    put(kept)
    force_cold_start(running, function)
    try:
        yield
    finally:
        put(document["Statement"])


@pytest.mark.parametrize(
    ("function", "sid", "step"),
    [("start-export", "ReadToken", "StartExport"), ("copy-result", "WriteRaw", "CopyResult")],
)
def test_a_missing_permission_fails_the_run(running: Running, function: str, sid: str, step: str) -> None:
    with without_statement(running, function, sid):
        ended = execute(running, exportType="SOFT_BOUNCES", period="LAST_WEEK")
    assert ended.status == "FAILED"
    assert "AccessDenied" in (ended.cause or "")
    assert step in ended.visited
    # The next run recovers once the permission is restored.
    assert execute(running, exportType="SOFT_BOUNCES", period="LAST_WEEK").status == "SUCCEEDED"
