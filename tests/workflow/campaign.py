"""A stack against a stand-in in this process, and nights played on it whose outcomes are held to what must be so."""

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
from local.deployment import Deployment
from local.lifecycle import Running
from local.standin import Options, StandIn
from tests.workflow.faultscripts import FaultedNight
from tests.workflow.inbox import subscribe

_PAUSE_SECONDS = 0.15
_LIMIT_SECONDS = 600
# Limits by the clock, as small as a busy machine allows; waits are shortened by the cloud besides. A wait of the
# longest length fits the deadline only in the first ten seconds, so what never ends is overdue then.
SHORT = {
    "RUN_DEADLINE_MINUTES": "2",
    "POLL_FIRST_SECONDS": "5",
    "POLL_MAX_SECONDS": "110",
    "ORDER_GRACE_SECONDS": "2",
    "LONGEST_FUNCTION_SECONDS": "20",
}
FUNCTION_SECONDS = 20
# The defaults again.
LONG = {
    "RUN_DEADLINE_MINUTES": "360",
    "POLL_FIRST_SECONDS": "30",
    "POLL_MAX_SECONDS": "300",
    "ORDER_GRACE_SECONDS": "900",
    "LONGEST_FUNCTION_SECONDS": "900",
}
# No two vendors of a stack give the same number to a batch, since the ledger would take them for one.
_FIRST_BATCHES = count(500_000, 10_000)


class Broke(AssertionError):
    """Something that must always be so was not."""


@dataclass(frozen=True)
class Ended:
    """An execution that is over."""

    arn: str
    status: str
    cause: str
    output: Mapping[str, Any]
    last_state: str


@dataclass
class Counts:
    """What a campaign came to."""

    scripts: int = 0
    executions: int = 0
    succeeded: int = 0
    orders_lost: int = 0
    second_nights: int = 0


class Stage:
    """The stack and the stand-in; used by one thread for each export type."""

    def __init__(self, running: Running, deployed: Deployment, standin: StandIn) -> None:
        self.running, self.deployed, self.standin = running, deployed, standin
        self.states = running.cloud.client("stepfunctions")
        self.s3 = running.cloud.client("s3")
        cloud = running.cloud
        self.ledger = cloud.session.resource("dynamodb", endpoint_url=cloud.endpoint, verify=cloud.ca_bundle).Table(
            deployed.ledger_table
        )
        self._inbox = subscribe(cloud, deployed.alert_topic_arn, f"{deployed.stack}-heard")
        self._heard: list[str] = []

    @property
    def cloud(self) -> Running:
        """The local cloud, with this stack as its deployment."""
        return replace(self.running, deployment=self.deployed)

    def configure(self, seconds: int, environment: Mapping[str, str]) -> None:
        """Give all functions this time-out and these variables."""
        functions = self.running.cloud.client("lambda")
        for step in ("plan-run", "start-export", "check-batch", "copy-result", "load-result", "close-run"):
            name = f"{self.deployed.stack}-{step}"
            before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
            functions.update_function_configuration(
                FunctionName=name, Timeout=seconds, Environment={"Variables": {**before, **environment}}
            )

    def forget(self, export: str) -> None:
        """Have the ledger know nothing of an export type."""
        for item in self.ledger.query(KeyConditionExpression=Key("pk").eq(export), ConsistentRead=True)["Items"]:
            self.ledger.delete_item(Key={"pk": export, "sk": item["sk"]})

    def next_result(self, folder: Path, text: str) -> None:
        """Have the vendor's next result hold that text."""
        path = folder / f"result-{self.standin.next_batch_id}"
        path.write_text(text)
        self.standin.replace_result(self.standin.next_batch_id, path)

    def watch(self) -> str | None:
        """Call the watch as its daily rule does, and return why it failed, if it did."""
        answer = self.running.cloud.client("lambda").invoke(FunctionName=f"{self.deployed.stack}-watch-runs")
        said: str = answer["Payload"].read().decode()
        return said if "FunctionError" in answer else None

    def start(self, **given: Any) -> str:
        arn: str = self.states.start_execution(
            stateMachineArn=self.deployed.state_machine_arn, input=json.dumps(given)
        )["executionArn"]
        return arn

    def heard(self) -> list[str]:
        """All messages to the topic since the stack was made."""
        self._heard += [json.dumps(message) for message in self._inbox.read()]
        return self._heard

    def wait(self, arn: str) -> Ended:
        """Wait for the end."""
        deadline = time.monotonic() + _LIMIT_SECONDS
        while (execution := self.states.describe_execution(executionArn=arn))["status"] == "RUNNING":
            if time.monotonic() > deadline:
                raise Broke(f"{arn} does not end.")
            time.sleep(_PAUSE_SECONDS)
        pages = self.states.get_paginator("get_execution_history").paginate(executionArn=arn)
        events = [event for page in pages for event in page["events"]]
        entered = [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]
        output = json.loads(execution.get("output") or "{}")
        return Ended(arn, execution["status"], execution.get("cause") or "", output, (entered or [""])[-1])

    def outcomes_until(self, arn: str, wanted: str) -> list[str]:
        """The outcomes of an execution's steps, up to one that is waited for.

        Raises:
            Broke: the execution ended without it.
        """
        while True:
            status = self.states.describe_execution(executionArn=arn)["status"]
            pages = self.states.get_paginator("get_execution_history").paginate(executionArn=arn)
            told = [
                event.get("taskSucceededEventDetails", {}).get("output") for page in pages for event in page["events"]
            ]
            outcomes = [json.loads(output)["outcome"] for output in told if output]
            if wanted in outcomes:
                return outcomes
            if status != "RUNNING":
                raise Broke(f"The execution ended as {status} after {outcomes}.")
            time.sleep(_PAUSE_SECONDS)

    # A night and what must be so after it

    def play(self, export: str, night: FaultedNight, counts: Counts) -> None:
        """Play a night of one type and the one after it.

        Raises:
            Broke: something that must always be so was not.
        """
        before = len(self.orders_of(export))
        given = {"exportType": export, "scheduledTime": f"2026-01-01T00:00:{counts.scripts % 60:02}.{before:06}+00:00"}
        self.standin.faults.set(night.rules, export)
        arns = [self.start(**given)]
        if night.happening == "duplicate":
            arns.append(self.start(**given))
        elif night.happening == "overlap":
            arns.append(self.start(exportType=export, period="LAST_DAY"))
        elif night.happening == "kill":
            time.sleep(night.kill_after)
            # It may have ended by itself.
            with suppress(self.states.exceptions.ClientError):
                self.states.stop_execution(executionArn=arns[0])
        ended = [self.wait(arn) for arn in arns]
        self.standin.faults.set((), export)
        for number in range(3):
            healing = self.wait(self.start(exportType=export))
            ended.append(healing)
            if healing.status == "SUCCEEDED":
                counts.second_nights += number
                break
            if number == 2:
                raise Broke(f"The next nights did not heal: {healing.cause}")
        for run in ended:
            counts.executions += 1
            counts.succeeded += run.status == "SUCCEEDED"
            if run.status == "SUCCEEDED" and run.last_state != "Duplicate":
                self._is_loaded(export, run.output["batchId"], run.output["orderedAt"])
        if night.happening == "duplicate" and ended[0].status == ended[1].status == "SUCCEEDED":
            last = sorted(run.last_state for run in ended[:2])
            if last != ["Duplicate", "Succeeded"]:
                raise Broke(f"A scheduled time was taken twice: {last}.")
        self._orders_are_on_record(export, before, ended, counts)
        self._nothing_is_open(export)
        counts.scripts += 1

    def orders_of(self, export: str) -> list[str]:
        return [order.batch_id for order in self.standin.orders if order.export_type == export]

    def _is_loaded(self, export: str, batch_id: str, ordered_at: str) -> None:
        where = keys.raw(EXPORT_TYPES[export], ordered_at, batch_id)
        raw = self.s3.get_object(Bucket=self.deployed.bucket, Key=where.result)["Body"].read()
        if raw not in (self.standin.result(batch_id), self.standin.result(batch_id, "Changed")):
            raise Broke(f"Raw of batch {batch_id} is not what the vendor sent.")
        item = self.ledger.get_item(Key={"pk": export, "sk": f"batch#{batch_id}"})["Item"]
        if item["status"] != LOADED:
            raise Broke(f"Batch {batch_id} is {item['status']!s} after a success.")

    def _orders_are_on_record(self, export: str, before: int, ended: list[Ended], counts: Counts) -> None:
        """Each order that took effect is a run's batch, or one whose answer the run recorded as lost.

        A function that was at work when its run was stopped by hand may still order, so batches of any run count.
        """
        arns = {run.arn for run in ended}
        asked = Key("pk").eq(export) & Key("sk").begins_with("order#")
        items = self.ledger.query(KeyConditionExpression=asked, ConsistentRead=True)["Items"]
        known = {item["batch_id"] for item in items if "batch_id" in item}
        unknown = sum(
            int(str(item["lost"])) + int("batch_id" not in item and "intent_at" in item)
            for item in items
            if item["owner"] in arns
        )
        effective = self.orders_of(export)[before:]
        counts.orders_lost += unknown
        strangers = [batch for batch in effective if batch not in known]
        if len(strangers) > unknown:
            raise Broke(f"Orders {strangers} took effect, and the runs recorded {unknown} unknown ones.")

    def _nothing_is_open(self, export: str) -> None:
        prefix = keys.raw_prefix(EXPORT_TYPES[export])
        left = self.s3.list_multipart_uploads(Bucket=self.deployed.bucket, Prefix=prefix).get("Uploads", [])
        if left:
            raise Broke(f"Uploads were left open: {[upload['Key'] for upload in left]}.")

    def holds_nothing_twice(self) -> None:
        """Count every table's keys.

        Raises:
            Broke: a key is there twice.
        """
        for table in self.cloud.cloud.client("glue").get_tables(DatabaseName=self.deployed.database)["TableList"]:
            export = EXPORT_TYPES.get(table["Name"].upper())
            if export is not None:
                key = "event_id" if export.is_event else f"{export.table.removesuffix('s')}_id"
                sql = f"SELECT count(*) AS n, count(DISTINCT {key}) AS ids FROM {export.table}"
                (counted,) = athena.query(self.cloud, sql)
                if counted["n"] != counted["ids"]:
                    raise Broke(f"{export.table} has {counted['n']} rows of {counted['ids']} keys.")


@contextmanager
def staged(running: Running, folder: Path, stack: str, options: Options) -> Iterator[Stage]:
    """Deploy a stack of its own against a stand-in of its own, and make its limits by the clock small."""
    with StandIn(options) as standin:
        settings = {
            "stackName": stack,
            "baseUrl": standin.base_url,
            "customerId": options.customer_id,
            "allowLoopbackHttp": "true",
            "bundle": "host",
            "supersededRetentionHours": "0",
        }
        deployed = deployment.deploy(running.cloud, folder, settings)
        deployment.set_token(running.cloud, deployed, options.token)
        stage = Stage(running, deployed, standin)
        stage.configure(FUNCTION_SECONDS, SHORT)
        yield stage


@contextmanager
def another_vendor(stage: Stage, options: Options, seconds: int = 900, **environment: str) -> Iterator[Stage]:
    """Let the stack's functions call another stand-in for a while, with another time-out and other variables."""
    with StandIn(replace(options, token=stage.standin.options.token, first_batch_id=next(_FIRST_BATCHES))) as standin:
        other = Stage(stage.running, stage.deployed, standin)
        other.configure(seconds, {**LONG, **environment, "BASE_URL": standin.base_url})
        try:
            yield other
        finally:
            stage.configure(FUNCTION_SECONDS, {**SHORT, "BASE_URL": stage.standin.base_url})
