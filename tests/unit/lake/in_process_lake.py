"""A lake on the in-process AWS fake: lands and loads batches as the steps do, and reads the rows back."""

import gzip
import json
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from lambdas.execution import Execution, RunState
from lambdas.lake.storage import crc32, keys
from lambdas.lake.storage.landing import Landing, Manifest
from lambdas.lake.storage.store import Store
from lambdas.lake.tables.catalog import Catalog
from lambdas.ledger.ledger import Ledger
from lambdas.outcome import Outcome
from lambdas.settings import Settings
from lambdas.steps.load_result import load_result
from lambdas.steps.merge_batch import Lake
from lambdas.steps.replay import replay
from lambdas.vocabulary import EXPORT_TYPES, ExportType
from tests.unit.aws import clients
from tests.unit.aws.clients import REGION
from tests.unit.fakes import make_settings
from tests.unit.lake import shared
from tests.unit.lake.parquet_files import read_parquet

# A single record says too little of its fields, and most tests are not about that: `event_time={}` leaves it to them.
KNOWN_TIME = ({"field": "timestamp", "format": "iso-8601"},)

SETTINGS = make_settings(
    bucket="lake",
    sweep_weekday="",
    superseded_retention_hours=72,
    quarantine_ratio=0.01,
    unknown_time_ratio=1.0,
    event_time={name: KNOWN_TIME for name, export in EXPORT_TYPES.items() if export.is_event},
    run_deadline_minutes=60,
)

_numbers = count()

ANY_PERIOD = "ANY"
"""The period of a batch whose events may lie at any time."""

IDS = ("contactId", "carmaContactId", "campaignId", "messageId", "listId", "projectId", "id", "linkTarget")
"""The fields of these tests that are in the role of an id."""

Record = Mapping[str, Any]
Age = tuple[str, str]


def age(number: int, batch_id: str | None = None) -> Age:
    """The age of a test's n-th batch, formatted as the ledger does."""
    ordered_at = datetime.fromtimestamp(1_700_000_000 + number, UTC).isoformat(timespec="microseconds")
    return ordered_at, batch_id or f"batch-{number}"


def array(records: Iterable[Record]) -> bytes:
    return json.dumps(list(records), separators=(",", ":")).encode()


def lines(records: Iterable[Record]) -> bytes:
    return b"".join(json.dumps(record, separators=(",", ":")).encode() + b"\n" for record in records)


@dataclass
class InProcessLake:
    """A lake with its own bucket, database and ledger; the caller provides AWS."""

    settings: Settings
    s3: Any
    glue: Any
    dynamodb: Any
    runs: int = 0
    work: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="lake-test-")))

    @property
    def catalog(self) -> Catalog:
        return Catalog(self.glue, self.settings.database, self.settings.bucket)

    @property
    def store(self) -> Store:
        return Store(self.s3, self.settings.bucket)

    def ledger(self, export: ExportType) -> Ledger:
        return Ledger(self.dynamodb.Table(self.settings.ledger_table), export)

    def land(self, content: bytes, export: ExportType, at: Age, period: str = ANY_PERIOD) -> None:
        """Land a batch as `copy_result` does."""
        landing = Landing(self.s3, self.settings.bucket)
        where = keys.raw(export, *at)
        landed = landing.store(where.result, iter([content]))
        assert landed.crc32 == crc32.as_text(zlib.crc32(content))
        landing.write_manifest(
            Manifest(export.name, at[1], at[0], period, "run", where.result, landed.bytes, crc32=landed.crc32)
        )

    def execution(self) -> Execution:
        self.runs += 1
        arn = f"arn:aws:states:{REGION}:123456789012:execution:machine:run-{self.runs}"
        return Execution(arn, datetime(2024, 1, 1, 3, tzinfo=UTC))

    def load(
        self,
        content: bytes,
        export: str = "OPENS",
        at: Age | None = None,
        *,
        period: str = ANY_PERIOD,
        **changed: Any,
    ) -> RunState:
        """Land a batch and load it in a separate run; `changed` are settings."""
        kind = EXPORT_TYPES[export]
        at = at or age(next(_numbers))
        self.land(content, kind, at, period)
        return self.load_again(export, at, **changed)

    def load_again(
        self, export: str, at: Age, *, run: Execution | None = None, take_lease: bool = True, **changed: Any
    ) -> RunState:
        """Load a landed batch in one call."""
        kind = EXPORT_TYPES[export]
        run = run or self.execution()
        ledger = self.ledger(kind)
        if take_lease:
            assert ledger.take_lease(run, datetime.now(UTC))
        state = RunState(export_type=export, outcome=Outcome.COPIED, ordered_at=at[0], batch_id=at[1])
        answer = self.load_once(state, run, **changed)
        if take_lease:
            ledger.release_lease(run)
        return answer

    def load_once(
        self, state: RunState, run: Execution, clock: Callable[[], float] = time.monotonic, **changed: Any
    ) -> RunState:
        """One call of a load whose run has the lease."""
        settings = replace(self.settings, **changed)
        with tempfile.TemporaryDirectory(dir=self.work) as folder:
            return load_result(
                state,
                run,
                ledger=self.ledger(state.export),
                lake=self.collaborators,
                settings=settings,
                folder=Path(folder),
                clock=clock,
            )

    def replay(
        self, request: Mapping[str, Any], export: str = "OPENS", *, run: Execution | None = None, **changed: Any
    ) -> RunState:
        """Replay as the state machine does, call after call, until no batch is left."""
        run = run or self.execution()
        ledger = self.ledger(EXPORT_TYPES[export])
        assert ledger.take_lease(run, datetime.now(UTC))
        state = RunState(export_type=export, outcome=Outcome.REPLAY, replay=request)
        while state.outcome in ("replay", "partial"):
            state = self.replay_once(state, run, **changed)
        ledger.release_lease(run)
        return state

    def replay_once(self, state: RunState, run: Execution, seconds: int = 130, **changed: Any) -> RunState:
        """One call of a replay whose clock advances by `seconds` per reading: one batch at most by default."""
        settings = replace(self.settings, **changed)
        with tempfile.TemporaryDirectory(dir=self.work) as folder:
            clock = count(step=seconds)
            ledger = self.ledger(state.export)
            return replay(
                state,
                run,
                ledger=ledger,
                lake=self.collaborators,
                settings=settings,
                folder=Path(folder),
                clock=lambda: next(clock),
            )

    @property
    def collaborators(self) -> Lake:
        return Lake(self.s3, Landing(self.s3, self.settings.bucket), self.store, self.catalog, shared.engine())

    def definition(self, export: str = "OPENS") -> Mapping[str, Any] | None:
        try:
            table: Mapping[str, Any] = self.glue.get_table(
                DatabaseName=self.settings.database, Name=EXPORT_TYPES[export].table
            )["Table"]
        except self.glue.exceptions.EntityNotFoundException:
            return None
        return table

    def columns(self, export: str = "OPENS") -> dict[str, str]:
        definition = self.definition(export)
        return {c["Name"]: c["Type"] for c in definition["StorageDescriptor"]["Columns"]} if definition else {}

    def partitions(self, export: str = "OPENS") -> dict[str, str]:
        kind = EXPORT_TYPES[export]
        return self.catalog.locations(kind) if self.definition(export) else {}

    def objects(self, prefix: str = "") -> list[str]:
        return [item.key for item in self.store.objects(prefix)]

    def rows(self, export: str = "OPENS") -> list[dict[str, Any]]:
        """All rows visible through the catalog, with `dt` for an event table."""
        definition = self.definition(export)
        if definition is None:
            return []
        if definition["PartitionKeys"]:
            locations = dict(self.partitions(export))
        else:
            locations = {"": definition["StorageDescriptor"]["Location"]}
        found: list[dict[str, Any]] = []
        for day, location in locations.items():
            assert location.endswith("/")
            with tempfile.TemporaryDirectory(dir=self.work) as folder:
                files = self.store.download(self.store.prefix(location), Path(folder))
                assert files, f"no object at {location}"
                for row in read_parquet(files, self.columns(export)):
                    found.append({**row, "dt": day} if day else row)
        return found

    def records(self, export: str = "OPENS") -> list[dict[str, Any]]:
        """The records that the rows came from, reconstructed; nulls are omitted."""
        definition = self.definition(export)
        if definition is None:
            return []
        columns = definition["StorageDescriptor"]["Columns"]
        return [record_of(row, columns) for row in self.rows(export)]


def record_of(row: Mapping[str, Any], columns: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The record that a row came from: its columns by source name, overridden by its rescued values."""
    record: dict[str, Any] = {}
    for column in columns:
        source = column.get("Parameters", {}).get("source")
        value = row[column["Name"]]
        if source is None or value is None:
            continue
        record[source] = json.loads(value) if column["Parameters"]["kind"] == "json" else value
    record |= json.loads(row["_rescued"]) if row["_rescued"] else {}
    return record


def without_nulls(record: Record) -> dict[str, Any]:
    return {name: value for name, value in record.items() if value is not None}


def bag(records: Iterable[Record]) -> list[str]:
    """Records as a comparable multiset: nulls omitted, and a value like its text, as in a column of texts."""
    return sorted(
        json.dumps({name: as_text(value) for name, value in without_nulls(record).items()}, sort_keys=True)
        for record in records
    )


def as_text(value: Any) -> str:
    """A value as a text that is the same for all notations of it, and for a string of any."""
    if not isinstance(value, str):
        return json.dumps(plain(value), sort_keys=True)
    try:
        inner = json.loads(value, parse_constant=lambda _: None)
    except ValueError:
        return value
    return value if inner is None or isinstance(inner, str) else as_text(inner)


def plain(value: Any) -> Any:
    """A JSON value whose whole numbers are integers, in whatever notation they were written."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def zipped(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def new_lake(**changed: Any) -> InProcessLake:
    """An empty lake; call it inside `in_process_aws`."""
    s3, glue, dynamodb, name = clients.client("s3"), clients.client("glue"), clients.dynamodb(), next(_numbers)
    settings = replace(
        SETTINGS, bucket=f"lake-{name}", database=f"lake_{name}", ledger_table=f"ledger-{name}", **changed
    )
    s3.create_bucket(Bucket=settings.bucket, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    glue.create_database(DatabaseInput={"Name": settings.database})
    dynamodb.create_table(
        TableName=settings.ledger_table,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return InProcessLake(settings, s3, glue, dynamodb)
