"""One run backfills missed nights: the real steps against the stand-in, night after night."""

import io
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import urllib3
from urllib3.connectionpool import HTTPConnectionPool

from lambdas.execution import Execution, RunState
from lambdas.lake.storage.landing import Landing
from lambdas.settings import Settings
from lambdas.steps.check_batch import check_batch
from lambdas.steps.close_run import CloseDependencies, close_run
from lambdas.steps.copy_result import ResultSource, copy_result
from lambdas.steps.load_result import load_result
from lambdas.steps.plan_run import plan_run
from lambdas.steps.start_export import start_export
from lambdas.symplify.client import Client
from local.standin import ManualClock, Options
from local.standin.api import Api
from local.standin.batches import Batches
from local.standin.exchange import Call
from local.standin.files import Files
from local.standin.limit import RateLimit
from local.standin.links import Links
from tests.unit.aws.in_process import Aws
from tests.unit.lake.in_process_lake import InProcessLake, bag, new_lake

pytestmark = pytest.mark.no_cover

FIRST = datetime(2026, 10, 1, 3, 30, tzinfo=UTC)
API, FILES = "http://127.0.0.1:1", "http://127.0.0.1:2"
OPTIONS = Options(events_per_day=40, finish_after_polls=1)


class Vendor(urllib3.PoolManager):
    """The stand-in's API and file host, called without sockets."""

    def __init__(self, clock: ManualClock, folder: Path) -> None:
        super().__init__()
        self.batches = Batches(OPTIONS, clock, folder)
        links = Links(FILES, OPTIONS.link_seconds, clock)
        limit = RateLimit(None, 60, clock)
        self.applications: dict[int, Any] = {
            1: Api(OPTIONS, f"{API}/rest", self.batches, links, limit),
            2: Files(self.batches, links, None),
        }

    def _new_pool(self, scheme: str, host: str, port: int, request_context: Any = None) -> HTTPConnectionPool:
        return _Wire(self, host, port)


class _Wire(HTTPConnectionPool):
    def __init__(self, vendor: Vendor, host: str, port: int) -> None:
        super().__init__(host, port)
        self._application = vendor.applications[port]

    def _make_request(  # type: ignore[override]  # urllib3 lists its options
        self, conn: Any, method: str, url: str, **options: Any
    ) -> urllib3.HTTPResponse:
        target = urlsplit(url)
        headers = {name.lower(): value for name, value in options["headers"].items()}
        call = Call(method, target.path, dict(parse_qsl(target.query)), headers, options.get("body") or b"")
        response = self._application.answer(call, self._application.route(call))
        return urllib3.HTTPResponse(
            body=io.BytesIO(b"".join(response.pieces())),
            headers={**response.headers, "Content-Length": str(response.length)},
            status=response.status,
            preload_content=False,
            decode_content=options["decode_content"],
            request_method=method,
            request_url=url,
            retries=options["retries"],
        )


@dataclass
class Team:
    """A team with its own lake at a shared vendor."""

    lake: InProcessLake
    vendor: Vendor
    clock: ManualClock
    export: str

    @property
    def settings(self) -> Settings:
        return replace(
            self.lake.settings,
            base_url=f"{API}/rest",
            customer_id=OPTIONS.customer_id,
            allow_loopback_http=True,
            nightly_period="LAST_3_DAYS",
            sweep_weekday="",
        )

    def night(self, number: int) -> RunState:
        """The run of one night, from its plan to its close."""
        now = FIRST + timedelta(days=number)
        self.clock.set(now)
        run = Execution(f"arn:aws:states:eu-north-1:1:execution:machine:night-{number}", now)
        settings, lake = self.settings, self.lake.collaborators
        state = RunState(export_type=self.export, scheduled_time=now.isoformat())
        ledger = self.lake.ledger(state.export)
        client = Client(self.vendor, settings.base_url, settings.customer_id, lambda: OPTIONS.token)
        state = plan_run(state, run, ledger=ledger, settings=settings, stopped_at=lambda arn: None, now=now)
        assert state.outcome == "planned"
        state = start_export(state, run, ledger=ledger, client=client, settings=settings, now=now)
        assert state.outcome == "ordered"
        state = check_batch(state, run, client, settings, now)
        assert state.outcome == "finished"
        landing = Landing(self.lake.s3, settings.bucket)
        state = copy_result(
            state,
            run,
            ledger=ledger,
            source=ResultSource(client, self.vendor),
            landing=landing,
            settings=settings,
            remaining=lambda: 900.0,
            now=now,
        )
        assert state.outcome == "copied"
        with TemporaryDirectory(dir=self.lake.work) as folder:
            state = load_result(
                state, run, ledger=ledger, lake=lake, settings=settings, folder=Path(folder), clock=time.monotonic
            )
        assert state.outcome == "loaded"
        dependencies = CloseDependencies(ledger, self.lake.store, self.lake.catalog, landing)
        return close_run(state, run, dependencies, settings, now)


@pytest.fixture
def teams(aws: Aws, tmp_path: Path) -> Iterator[Any]:
    clock = ManualClock(FIRST)
    vendor = Vendor(clock, tmp_path)
    lakes: list[InProcessLake] = []

    def team(export: str) -> Team:
        lakes.append(new_lake())
        return Team(lakes[-1], vendor, clock, export)

    yield team
    vendor.batches.close()
    for lake in lakes:
        shutil.rmtree(lake.work, ignore_errors=True)


@pytest.mark.parametrize("export", ["OPENS", "CAMPAIGNS"])
def test_one_run_backfills_five_missed_nights_to_the_tables_of_a_peer_that_missed_none(teams: Any, export: str) -> None:
    regular, absent = teams(export), teams(export)
    missed = range(1, 6)
    for number in range(6):
        assert regular.night(number).outcome == "succeeded"
        if number not in missed:
            assert absent.night(number).outcome == "succeeded"
    assert bag(absent.lake.records(export)) != bag(regular.lake.records(export))

    backfill = absent.night(6)
    regular.night(6)

    assert (backfill.outcome, backfill.period, backfill.unreachable_days) == ("succeeded", "LAST_2_WEEKS", None)
    assert len(regular.lake.records(export)) > 0
    assert bag(absent.lake.records(export)) == bag(regular.lake.records(export))
    assert absent.night(7).period == "LAST_3_DAYS"


def test_days_beyond_every_period_are_reported_once_by_the_run_that_backfills_the_rest(teams: Any) -> None:
    team = teams("OPENS")
    team.night(0)

    backfill = team.night(20)

    assert backfill.outcome == "succeeded"
    assert backfill.unreachable_days == "2026-10-01..2026-10-08"
    assert team.night(21).unreachable_days is None
