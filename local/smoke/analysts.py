"""A query under the analysts' policy alone: by a role that has it for a minute, or else by IAM's simulation."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lambdas.lake.storage import keys
from local.athena import Rows
from local.checks import is_denied
from local.problem import Problem
from local.smoke.trial import NotShown, Trial

# IAM takes seconds until a new role may be assumed and its policy counts.
_PATIENCE = 90.0


class Simulated(Exception):
    """Nothing was queried, and IAM's simulation says that it would work."""


@dataclass(frozen=True)
class _StartedByAnalyst:
    """Athena for a rehearsal: the embedded cloud knows a query's workgroup only where one is started."""

    analyst: Any
    own: Any

    def start_query_execution(self, **given: Any) -> Any:
        """As the analyst."""
        return self.analyst.start_query_execution(**given)

    def __getattr__(self, operation: str) -> Any:
        return getattr(self.own, operation)


def query_as_analyst(trial: Trial) -> str:
    """Query a table with the analysts' policy and nothing else, and see that it does not open `raw/`.

    Raises:
        Simulated: the caller may not make a role, and the simulation agrees with what is promised.
    """
    if trial.first is None:
        raise NotShown("There is nothing to look at, since the first step failed.")
    try:
        role = _role(trial)
    except ClientError as error:
        if not is_denied(error):
            raise
        raise Simulated(f"You may not make a role for this ({error}). {_simulated(trial)}") from None
    credentials = _assumed(trial, role)
    client = trial.deployed.client_as(credentials)
    table = trial.export.table if trial.first.days else keys.RUNS_TABLE
    athena = client("athena")
    if trial.deployed.stack.is_local:
        athena = _StartedByAnalyst(athena, trial.deployed.client("athena"))
    rows = _queried(trial, f"SELECT count(*) AS n FROM {table}", athena)  # noqa: S608 - names of ours
    landed = keys.raw(trial.export, trial.first.output["orderedAt"], trial.first.output["batchId"]).manifest
    try:
        client("s3").get_object(Bucket=trial.output("Bucket"), Key=landed)
    except ClientError as error:
        if is_denied(error):
            return f"{rows[0]['n']:,} rows of {table} counted, and {keys.RAW} is closed to analysts"
        raise
    raise Problem(f"The analysts' policy opens {landed}, which it must not.")


def _role(trial: Trial) -> str:
    """A role that the caller alone may assume, with the analysts' policy alone; it goes when the step ends."""
    iam, caller = trial.deployed.client("iam"), trial.deployed.client("sts").get_caller_identity()
    _, partition, *_ = caller["Arn"].split(":")
    name, policy = f"{trial.deployed.stack.name}-{trial.name}", trial.output("AnalystPolicyArn")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{partition}:iam::{caller['Account']}:root"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:userid": caller["UserId"]}},
            }
        ],
    }
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), MaxSessionDuration=3600)
    trial.undo.later(f"the role {name}", lambda: iam.delete_role(RoleName=name))
    iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    trial.undo.later(f"the policy of {name}", lambda: iam.detach_role_policy(RoleName=name, PolicyArn=policy))
    return str(made["Role"]["Arn"])


def _assumed(trial: Trial, role: str) -> Any:
    sts = trial.deployed.client("sts")
    refusals: list[ClientError] = []

    def look() -> Any:
        try:
            return sts.assume_role(RoleArn=role, RoleSessionName=trial.name, DurationSeconds=900)["Credentials"]
        except ClientError as error:
            if not is_denied(error):
                raise
            refusals.append(error)
            return None

    credentials = trial.until(look, _PATIENCE)
    if credentials is None:
        raise Simulated(f"You may not assume a role of your own ({refusals[-1]}). {_simulated(trial)}")
    return credentials


def _queried(trial: Trial, sql: str, client: Any) -> Rows:
    refusals: list[Exception] = []

    def look() -> Rows | None:
        try:
            return trial.query(sql, client)
        except (ClientError, Problem) as error:
            refusals.append(error)
            return None

    rows: Rows | None = trial.until(look, _PATIENCE)
    if rows is None:
        raise Problem(f"With the analysts' policy alone: {refusals[-1]}")
    return rows


def _simulated(trial: Trial) -> str:
    """What IAM's simulation says about the policy.

    Raises:
        NotShown: the caller may not ask.
        Problem: it allows too much, or too little.
    """
    iam, policy = trial.deployed.client("iam"), trial.output("AnalystPolicyArn")
    try:
        version = iam.get_policy(PolicyArn=policy)["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=policy, VersionId=version)["PolicyVersion"]["Document"]
        differs = []
        for action, resource, is_wanted in _expected(trial):
            asked = {"PolicyInputList": [json.dumps(document)], "ActionNames": [action], "ResourceArns": [resource]}
            (found,) = iam.simulate_custom_policy(**asked)["EvaluationResults"]
            if (found["EvalDecision"] == "allowed") is not is_wanted:
                differs.append(f"{action} on {resource} is {found['EvalDecision']}")
    except ClientError as error:
        if is_denied(error):
            raise NotShown(f"You may neither make a role for this nor have IAM simulate it ({error}).") from None
        raise
    if differs:
        raise Problem(f"By IAM's simulation of the analysts' policy, {'; '.join(differs)}.")
    return f"By IAM's simulation, the policy allows queries and opens neither {keys.RAW} nor changes."


def _expected(trial: Trial) -> Iterator[tuple[str, str, bool]]:
    """Actions on resources, and whether analysts may do them."""
    _, partition, _, region, account, *_ = trial.output("StateMachineArn").split(":")
    bucket = f"arn:{partition}:s3:::{trial.output('Bucket')}"
    table = f"arn:{partition}:glue:{region}:{account}:table/{trial.output('Database')}/{trial.export.table}"
    workgroup = f"arn:{partition}:athena:{region}:{account}:workgroup/{trial.output('WorkGroup')}"
    yield "athena:StartQueryExecution", workgroup, True
    yield "athena:GetQueryResults", workgroup, True
    yield "glue:GetTable", table, True
    yield "glue:GetPartitions", table, True
    yield "s3:GetObject", f"{bucket}/{keys.CURATED}{trial.export.table}/part", True
    yield "s3:PutObject", f"{bucket}/{keys.QUERY_RESULTS}result", True
    yield "s3:GetObject", f"{bucket}/{keys.RAW}{trial.export.table}/result", False
    yield "s3:PutObject", f"{bucket}/{keys.CURATED}{trial.export.table}/part", False
    yield "glue:UpdateTable", table, False
