"""A stack against a stand-in in this process: runs faulted nights on it, and checks invariants after each."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from boto3.dynamodb.conditions import Key

from lambdas.lake.storage import keys
from lambdas.ledger.orders import LOADED
from lambdas.vocabulary import EXPORT_TYPES
from local import athena, deployment
from local.lifecycle import Running
from local.standin import Options, StandIn
from local.vendor import Vendor
from tests.conftest import BareCloud
from tests.workflow.fault_scripts import FaultedNight
from tests.workflow.inbox import subscribe

_PAUSE_SECONDS = 0.3
_LIMIT_SECONDS = 600
# Time limits as short as a busy machine allows; the embedded cloud shortens waits as well. The longest wait fits the
# deadline only in the first ten seconds, so a batch that never finishes is overdue after that.
SHORT_LIMITS = {
    "RUN_DEADLINE_MINUTES": "2",
    "POLL_FIRST_SECONDS": "5",
    "POLL_MAX_SECONDS": "110",
    "ORDER_GRACE_SECONDS": "2",
    "LONGEST_FUNCTION_SECONDS": "20",
}
FUNCTION_SECONDS = 20
DEFAULT_LIMITS = {
    "RUN_DEADLINE_MINUTES": "360",
    "POLL_FIRST_SECONDS": "30",
    "POLL_MAX_SECONDS": "300",
    "ORDER_GRACE_SECONDS": "900",
    "LONGEST_FUNCTION_SECONDS": "900",
}
# Batch ids are unique across the stand-ins of a stack, since the ledger is keyed by them.
_FIRST_BATCHES = count(500_000, 10_000)


class InvariantViolation(AssertionError):
    """An invariant does not hold."""


@dataclass(frozen=True)
class ExecutionResult:
    """A finished execution."""

    arn: str
    status: str
    cause: str
    output: Mapping[str, Any]
    last_state: str


@dataclass
class Counts:
    """The totals of a campaign."""

    scripts: int = 0
    executions: int = 0
    succeeded: int = 0
    orders_lost: int = 0
    second_nights: int = 0


class Stage:
    """A stack and its stand-in; used by one thread per export type."""

    def __init__(self, running: Running, standin: StandIn) -> None:
        self.running, self.deployed, self.standin = running, running.deployment, standin
        self.states = running.cloud.client("stepfunctions")
        self.s3 = running.cloud.client("s3")
        cloud = running.cloud
        self.ledger = cloud.session.resource("dynamodb", endpoint_url=cloud.endpoint, verify=cloud.ca_bundle).Table(
            self.deployed.ledger_table
        )
        self._inbox = subscribe(cloud, self.deployed.alert_topic_arn, f"{self.deployed.stack}-messages")
        self._messages: list[str] = []
        self._loaded: dict[str, tuple[str, str]] = {}
        """The order that each batch was loaded for: its type and its time."""

    def configure(self, seconds: int, environment: Mapping[str, str]) -> None:
        """Set the timeout and these variables of all functions."""
        functions = self.running.cloud.client("lambda")
        for step in ("plan-run", "start-export", "check-batch", "copy-result", "load-result", "close-run"):
            name = f"{self.deployed.stack}-{step}"
            before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
            functions.update_function_configuration(
                FunctionName=name, Timeout=seconds, Environment={"Variables": {**before, **environment}}
            )

    def clear_ledger(self, export: str) -> None:
        """Delete all items of an export type."""
        for item in self.ledger.query(KeyConditionExpression=Key("pk").eq(export), ConsistentRead=True)["Items"]:
            self.ledger.delete_item(Key={"pk": export, "sk": item["sk"]})

    def next_result(self, folder: Path, text: str) -> None:
        """Replace the content of the stand-in's next result."""
        path = folder / f"result-{self.standin.next_batch_id}"
        path.write_text(text)
        self.standin.replace_result(self.standin.next_batch_id, path)

    def watch(self) -> str | None:
        """Invoke the watch as its daily rule does; return its error, if it fails."""
        answer = self.running.cloud.client("lambda").invoke(FunctionName=f"{self.deployed.stack}-watch-runs")
        payload: str = answer["Payload"].read().decode()
        return payload if "FunctionError" in answer else None

    def start(self, **given: Any) -> str:
        arn: str = self.states.start_execution(
            stateMachineArn=self.deployed.state_machine_arn, input=json.dumps(given)
        )["executionArn"]
        return arn

    def messages(self) -> list[str]:
        """All messages to the topic since the stack was deployed."""
        self._messages += [json.dumps(message) for message in self._inbox.read()]
        return self._messages

    def wait(self, arn: str) -> ExecutionResult:
        """Wait for an execution to end."""
        deadline = time.monotonic() + _LIMIT_SECONDS
        while (execution := self.states.describe_execution(executionArn=arn))["status"] == "RUNNING":
            if time.monotonic() > deadline:
                raise InvariantViolation(f"{arn} has not ended.")
            time.sleep(_PAUSE_SECONDS)
        pages = self.states.get_paginator("get_execution_history").paginate(executionArn=arn)
        events = [event for page in pages for event in page["events"]]
        entered = [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]
        output = json.loads(execution.get("output") or "{}")
        return ExecutionResult(arn, execution["status"], execution.get("cause") or "", output, (entered or [""])[-1])

    def outcomes_until(self, arn: str, wanted: str) -> list[str]:
        """Wait for an outcome of an execution's steps; return all outcomes so far.

        Raises:
            InvariantViolation: the execution ended without it.
        """
        while True:
            status = self.states.describe_execution(executionArn=arn)["status"]
            pages = self.states.get_paginator("get_execution_history").paginate(executionArn=arn)
            outputs = [
                event.get("taskSucceededEventDetails", {}).get("output") for page in pages for event in page["events"]
            ]
            outcomes = [json.loads(output)["outcome"] for output in outputs if output]
            if wanted in outcomes:
                return outcomes
            if status != "RUNNING":
                raise InvariantViolation(f"The execution ended as {status} after {outcomes}.")
            time.sleep(_PAUSE_SECONDS)

    # A night and its invariants

    def play(self, export: str, night: FaultedNight, counts: Counts) -> None:
        """Run a faulted night of one type and the recovery after it, and check the invariants.

        Raises:
            InvariantViolation: an invariant does not hold.
        """
        before = len(self.orders_of(export))
        given = {"exportType": export, "scheduledTime": f"2026-01-01T00:00:{counts.scripts % 60:02}.{before:06}+00:00"}
        self.standin.faults.set(night.rules, export)
        arns = [self.start(**given)]
        if night.disruption == "duplicate":
            arns.append(self.start(**given))
        elif night.disruption == "overlap":
            arns.append(self.start(exportType=export, period="LAST_DAY"))
        elif night.disruption == "kill":
            time.sleep(night.kill_after)
            # It may have ended already.
            with suppress(self.states.exceptions.ClientError):
                self.states.stop_execution(executionArn=arns[0])
        ended = [self.wait(arn) for arn in arns]
        self.standin.faults.set((), export)
        for number in range(3):
            recovery = self.wait(self.start(exportType=export))
            ended.append(recovery)
            if recovery.status == "SUCCEEDED":
                counts.second_nights += number
                break
            if number == 2:
                raise InvariantViolation(f"The next nights did not recover: {recovery.cause}")
        for run in ended:
            counts.executions += 1
            counts.succeeded += run.status == "SUCCEEDED"
            if run.status == "SUCCEEDED" and run.last_state != "Duplicate":
                self._check_loaded(export, run.output["batchId"], run.output["orderedAt"])
        if night.disruption == "duplicate" and ended[0].status == ended[1].status == "SUCCEEDED":
            last = sorted(run.last_state for run in ended[:2])
            if last != ["Duplicate", "Succeeded"]:
                raise InvariantViolation(f"A scheduled time was claimed twice: {last}.")
        self._check_orders_recorded(export, before, ended, counts)
        self._check_no_open_uploads(export)
        counts.scripts += 1

    def orders_of(self, export: str) -> list[str]:
        return [order.batch_id for order in self.standin.orders if order.export_type == export]

    def _check_loaded(self, export: str, batch_id: str, ordered_at: str) -> None:
        where = keys.raw(EXPORT_TYPES[export], ordered_at, batch_id)
        raw = self.s3.get_object(Bucket=self.deployed.bucket, Key=where.result)["Body"].read()
        if raw not in (self.standin.result(batch_id), self.standin.result(batch_id, "Changed")):
            raise InvariantViolation(f"The raw object of batch {batch_id} differs from the vendor's result.")
        if self._loaded.setdefault(batch_id, (export, ordered_at)) != (export, ordered_at):
            raise InvariantViolation(f"Batch {batch_id} was loaded for two orders.")
        item = self.ledger.get_item(Key={"pk": export, "sk": f"batch#{batch_id}"})["Item"]
        if item["status"] != LOADED:
            raise InvariantViolation(f"Batch {batch_id} is {item['status']!s} after a success.")

    def _check_orders_recorded(self, export: str, before: int, ended: list[ExecutionResult], counts: Counts) -> None:
        """Each order that took effect is recorded: as a batch, or as one whose response was lost.

        A function may still order after its run was stopped, so batches of any run count.
        """
        arns = {run.arn for run in ended}
        orders = Key("pk").eq(export) & Key("sk").begins_with("order#")
        items = self.ledger.query(KeyConditionExpression=orders, ConsistentRead=True)["Items"]
        known = {item["batch_id"] for item in items if "batch_id" in item}
        unknown = sum(
            int(str(item["lost"])) + int("batch_id" not in item and "intent_at" in item)
            for item in items
            if item["owner"] in arns
        )
        effective = self.orders_of(export)[before:]
        counts.orders_lost += unknown
        unrecorded = [batch for batch in effective if batch not in known]
        if len(unrecorded) > unknown:
            raise InvariantViolation(
                f"Orders {unrecorded} took effect, but the runs recorded {unknown} lost responses."
            )

    def _check_no_open_uploads(self, export: str) -> None:
        prefix = keys.raw_prefix(EXPORT_TYPES[export])
        left = self.s3.list_multipart_uploads(Bucket=self.deployed.bucket, Prefix=prefix).get("Uploads", [])
        if left:
            raise InvariantViolation(f"Multipart uploads are open: {[upload['Key'] for upload in left]}.")

    def check_keys_are_unique(self) -> None:
        """Check that no table has a duplicate key.

        Raises:
            InvariantViolation: a table has one.
        """
        for table in self.running.cloud.client("glue").get_tables(DatabaseName=self.deployed.database)["TableList"]:
            export = EXPORT_TYPES.get(table["Name"].upper())
            if export is not None:
                key = "event_id" if export.is_event else f"{export.table.removesuffix('s')}_id"
                sql = f"SELECT count(*) AS n, count(DISTINCT {key}) AS ids FROM {export.table}"
                (counted,) = athena.query(self.running, sql)
                if counted["n"] != counted["ids"]:
                    raise InvariantViolation(f"{export.table} has {counted['n']} rows but {counted['ids']} keys.")


@contextmanager
def deployed_stage(
    bare: BareCloud, folder: Path, stack: str, options: Options, *, has_report: bool = False
) -> Iterator[Stage]:
    """Deploy a separate stack with short time limits against a new stand-in."""
    with StandIn(options) as standin:
        settings = {
            "stackName": stack,
            "baseUrl": standin.base_url,
            "customerId": options.customer_id,
            "allowLoopbackHttp": "true",
            "bundle": "host",
            "supersededRetentionHours": "0",
            # At the end of each of hundreds of runs it would keep a core busy.
            "morningReport": "true" if has_report else "false",
        }
        deployed = deployment.deploy(bare.cloud, folder, settings)
        deployment.set_token(bare.cloud, deployed, options.token)
        vendor = Vendor(standin.base_url, options.customer_id)
        stage = Stage(Running(bare.cloud, vendor, deployed, bare.folder), standin)
        stage.configure(FUNCTION_SECONDS, SHORT_LIMITS)
        yield stage


@contextmanager
def other_standin(stage: Stage, options: Options, seconds: int = 900, **environment: str) -> Iterator[Stage]:
    """Point the stack's functions to another stand-in, with another timeout and other variables."""
    with StandIn(replace(options, token=stage.standin.options.token, first_batch_id=next(_FIRST_BATCHES))) as standin:
        other = Stage(stage.running, standin)
        other.configure(seconds, {**DEFAULT_LIMITS, **environment, "BASE_URL": standin.base_url})
        try:
            yield other
        finally:
            stage.configure(FUNCTION_SECONDS, {**SHORT_LIMITS, "BASE_URL": stage.standin.base_url})
