"""Overlapping nights through the real state machine, then replays: deduplication, new fields, drift, other shapes."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from local import athena, deployment
from local.lifecycle import Running
from local.standin.options import Options
from local.standin.standin import StandIn
from local.vendor import Vendor
from tests.conftest import BareCloud
from tests.workflow.machine import ExecutionResult, run

STACK = "brand-d"
TYPES = {"UTF8", "INT_64", "DOUBLE", "BOOLEAN", "TIMESTAMP_MICROS"}


# Within the span that a night orders.
ONE, TWO, THREE = (str(datetime.now(UTC).date() - timedelta(days=ago)) for ago in (4, 3, 2))


def opened(event_id: int, at: str, **more: Any) -> dict[str, Any]:
    return {"eventId": event_id, "contactId": f"k{event_id}", "campaignId": 7, "timestamp": at, **more}


FIRST = [
    *(opened(n, f"{ONE}T{n:02}:00:00Z", size=n, ok=True) for n in range(1, 5)),
    *(opened(n, f"{TWO}T{n:02}:00:00+01:00", size=n) for n in range(5, 9)),
]
SECOND = [
    *FIRST[4:],
    opened(9, f"{TWO}T20:00:00Z", size=0.5, module="mail"),
    opened(10, f"{THREE}T10:00:00Z", size="ten", module="mail", tags=[{"a": 1}]),
    opened(11, f"{THREE}T11:00:00Z", size=11, rate=0.25),
]
UNION = [*FIRST[:4], *SECOND]


def stored(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records as a table has them: a number in the role of an id is text."""
    return [record | {"campaignId": str(record["campaignId"])} for record in records]


@dataclass(frozen=True)
class RecordStack:
    """A stack whose stand-in exports the records of a test."""

    running: Running
    records: dict[str, list[dict[str, Any]]]

    def start(self, **given: Any) -> ExecutionResult:
        return run(self.running.cloud, self.running.deployment.state_machine_arn, {"exportType": "OPENS", **given})

    def ended(self, export: str, records: list[dict[str, Any]]) -> ExecutionResult:
        """Run a night of an export type with these records."""
        self.records[export] = records
        return self.start(exportType=export, period="LAST_3_DAYS")

    def night(self, records: list[dict[str, Any]]) -> Mapping[str, Any]:
        """Run a night with these records; return its output."""
        ended = self.ended("OPENS", records)
        assert ended.status == "SUCCEEDED", ended.cause
        assert ended.output is not None
        return ended.output

    def query(self, sql: str) -> list[dict[str, Any]]:
        return athena.query(self.running, sql)

    def table(self) -> list[Any]:
        """The records that the table's rows came from, read through Athena."""
        glue = self.running.cloud.client("glue")
        definition = glue.get_table(DatabaseName=self.running.deployment.database, Name="opens")["Table"]
        columns = [
            column for column in definition["StorageDescriptor"]["Columns"] if "source" in column.get("Parameters", {})
        ]
        found = []
        for row in self.query("SELECT * FROM opens"):
            record = json.loads(row["_rescued"] or "{}")
            for column in columns:
                facts, value = column["Parameters"], row[column["Name"]]
                if value is not None:
                    record[facts["source"]] = json.loads(value) if facts["kind"] == "json" else value
            found.append(record)
        return sorted(found, key=lambda record: record["eventId"])

    def types(self) -> set[str]:
        """The Parquet types of all columns of all files."""
        s3, bucket = self.running.cloud.client("s3"), self.running.deployment.bucket
        found: set[str] = set()
        with tempfile.TemporaryDirectory() as folder:
            for number, item in enumerate(s3.list_objects_v2(Bucket=bucket, Prefix="curated/opens/")["Contents"]):
                path = Path(folder) / f"{number}.parquet"
                s3.download_file(bucket, item["Key"], str(path))
                query = "SELECT coalesce(converted_type, type) FROM parquet_schema(?) WHERE num_children IS NULL"
                found |= {kind for (kind,) in duckdb.execute(query, [str(path)]).fetchall()}
        return found


@pytest.fixture(scope="module")
def stack(bare_cloud: BareCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordStack]:
    """A third stack, with a stand-in in the test's process."""
    records: dict[str, list[dict[str, Any]]] = {}
    with pytest.MonkeyPatch.context() as patched, StandIn(Options(token="right")) as standin:
        patched.setattr(
            "local.standin.shapes.sources.records.records",
            lambda world, export, *rest: iter(map(json.dumps, records.get(export, []))),
        )
        deployed = deployment.deploy(
            bare_cloud.cloud,
            tmp_path_factory.mktemp(STACK),
            {
                "stackName": STACK,
                "baseUrl": standin.base_url,
                "customerId": standin.options.customer_id,
                "allowLoopbackHttp": "true",
                "morningReport": "false",
                "supersededRetentionHours": "0",
                "bundle": "host",
            },
        )
        deployment.set_token(bare_cloud.cloud, deployed, standin.options.token)
        vendor = Vendor(standin.base_url, standin.options.customer_id)
        yield RecordStack(Running(bare_cloud.cloud, vendor, deployed, bare_cloud.folder), records)


def test_two_overlapping_nights_with_a_new_field_and_a_drifting_type_are_their_union(stack: RecordStack) -> None:
    first = stack.night(FIRST)
    assert (first["tally"]["new"], first["tally"]["rescued"]) == (8, 0)
    second = stack.night(SECOND)
    tally = {name: second["tally"][name] for name in ("read", "new", "known", "updated", "rescued", "unknownTime")}
    assert tally == {"read": 7, "new": 3, "known": 4, "updated": 0, "rescued": 2, "unknownTime": 0}

    assert stack.table() == stored(UNION)
    counts = stack.query("SELECT dt, count(*) AS n FROM opens GROUP BY dt ORDER BY dt")
    assert [(row["dt"], row["n"]) for row in counts] == [(ONE, 4), (TWO, 5), (THREE, 2)]
    assert stack.types() == TYPES

    # The run records.
    runs = stack.query(
        "SELECT * FROM export_runs WHERE export_type = 'OPENS' AND outcome = 'succeeded' ORDER BY ended_at"
    )
    assert [(row["rows_read"], row["rows_new"], row["rows_rescued"], row["days"]) for row in runs] == [
        (8, 8, 0, 2),
        (7, 3, 2, 2),
    ]
    assert json.loads(runs[1]["per_day"]) == {
        TWO: {"read": 5, "new": 1, "updated": 0},
        THREE: {"read": 2, "new": 2, "updated": 0},
    }
    assert runs[1]["new_columns"] == "module,tags,rate"
    assert runs[1]["earliest_event"].startswith(f"{TWO} 04:00:00")
    assert runs[1]["latest_event"].startswith(f"{THREE} 11:00:00")

    # Replay both from raw alone, then rebuild without the second.
    stack.records.clear()
    for replay, batches_read in (({}, 2), ({"from": "2026-01-01"}, 2), ({"rebuild": True}, 2)):
        ended = stack.start(replay=replay)
        assert ended.status == "SUCCEEDED", ended.cause
        assert ended.output is not None
        assert ended.output["tally"]["batches"] == batches_read
        assert not {"StartExport", "CheckBatch", "CopyResult"} & set(ended.visited)
        assert stack.table() == stored(UNION)
    ended = stack.start(replay={"except": [second["batchId"]], "rebuild": True})
    assert ended.status == "SUCCEEDED", ended.cause
    assert stack.table() == stored(FIRST)
    replays = stack.query("SELECT replay FROM export_runs WHERE outcome = 'replayed' ORDER BY ended_at")
    assert [json.loads(row["replay"]).get("rebuild", False) for row in replays] == [False, False, True, True]


def moments(count: int) -> list[datetime]:
    """Instants within the span that a night orders, a quarter of an hour apart."""
    return [datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=15 * number) for number in range(1, count + 1)]


def bounced(at: datetime, number: int) -> dict[str, Any]:
    """A bounce as the vendor's own REST objects name it."""
    when = int(at.timestamp() * 1000)
    return {"messageId": number, "recipient": f"a{number}@mail.example.com", "bounceType": "HARD", "bounceDate": when}


def mailed(at: datetime, number: int, read: int) -> dict[str, Any]:
    """A message as the vendor's own REST objects name it: one mail to one person, whose state changes."""
    actions = {"opened": bool(read), "clicked": False}
    sent = int(at.timestamp() * 1000)
    return {
        "id": number,
        "contactId": number % 7,
        "deliveryId": 5,
        "sentTimestamp": sent,
        "readTimestamp": sent + read,
        "actions": actions,
    }


def clicked(at: datetime, number: int, minutes: int = 0) -> dict[str, Any]:
    """A click in other words, with a local time that names no offset."""
    local_time = (at + timedelta(minutes=minutes)).strftime("%Y-%m-%d %H:%M:%S")
    return {"member": {"id": f"m{number}"}, "campaign_id": 7, "clicked": local_time}


def test_other_shapes_load_right_and_a_contradiction_is_blocked_with_a_message(stack: RecordStack) -> None:
    times = moments(240)
    for read, some in ((0, 240), (60_000, 200)):
        for export, records in {
            "HARD_BOUNCES": [bounced(at, number) for number, at in enumerate(times[:some])],
            "MESSAGES": [mailed(at, number, read) for number, at in enumerate(times[:some])],
            "CLICKS": [clicked(at, number) for number, at in enumerate(times[:some])],
        }.items():
            ended = stack.ended(export, records)
            assert ended.status == "SUCCEEDED", ended.cause
    counts = "SELECT count(*) AS n, count(DISTINCT dt) AS days, min(dt) AS first FROM {}"
    for table in ("hard_bounces", "messages", "clicks"):
        (found,) = stack.query(counts.format(table))
        assert (found["n"], found["first"]) == (240, str(times[-1].date()))
    (state,) = stack.query("SELECT count(*) AS n FROM messages WHERE read_timestamp - sent_timestamp = 60000")
    assert state["n"] == 200

    ended = stack.ended("CLICKS", [clicked(at, number, minutes=307) for number, at in enumerate(times)])
    assert (ended.status, ended.error) == ("FAILED", "ExportFailed")
    assert "contradicts the table clicks" in str(ended.cause)
    (found,) = stack.query(counts.format("clicks"))
    assert found["n"] == 240


def test_an_export_of_one_record_is_undecided_and_loaded_with_the_next(stack: RecordStack) -> None:
    times = moments(30)
    records = [
        {"who": {"email": f"a{number}@mail.example.com"}, "left": at.isoformat()} for number, at in enumerate(times)
    ]
    ended = stack.ended("OPTOUTS", records[-1:])
    assert (ended.status, ended.error) == ("FAILED", "Undecided")
    assert "safe in raw/" in str(ended.cause)
    assert "setting eventTime" in str(ended.cause)
    assert stack.ended("OPTOUTS", records[:-1]).status == "SUCCEEDED"
    (found,) = stack.query("SELECT count(*) AS n FROM optouts")
    assert found["n"] == 30
    runs = stack.query("SELECT outcome FROM export_runs WHERE export_type = 'OPTOUTS' ORDER BY ended_at")
    assert [run["outcome"] for run in runs] == ["undecided", "succeeded"]
