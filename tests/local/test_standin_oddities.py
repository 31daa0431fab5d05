"""What the client makes of the odd answers of vendors, over HTTP."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
import urllib3

from lambdas.execution import RunState
from lambdas.ledger.ledger import Ledger
from lambdas.outcome import Outcome
from lambdas.steps.start_export import start_export
from lambdas.symplify.answers import (
    Batch,
    BatchState,
    Link,
    Lost,
    Ordered,
    OrderUnusable,
    RateLimited,
    Refused,
    Unavailable,
)
from lambdas.symplify.client import Client
from lambdas.symplify.link_renewal import Opened, Remote
from lambdas.symplify.result import Result
from lambdas.vocabulary import EXPORT_TYPES, Period
from local.standin import Options, StandIn
from local.standin.faults import parsed
from local.standin.links import ACCESS_KEY_ID
from tests.unit.aws.in_process import in_process_aws
from tests.unit.fakes import make_run, make_settings

pytestmark = pytest.mark.enable_socket

LISTS, SENT = EXPORT_TYPES["LISTS"], EXPORT_TYPES["SENT"]
TOKEN = "secret-of-this-test"


class Account:
    """A client of a stand-in with a fault script."""

    def __init__(self, standin: StandIn, http: urllib3.PoolManager) -> None:
        self.standin, self.http = standin, http
        self.client = Client(http, standin.base_url, "1234", lambda: TOKEN)

    def finished(self) -> str:
        ordered = self.client.order(LISTS, Period.LAST_DAY)
        assert isinstance(ordered, Ordered)
        self.client.batch(ordered.batch_id)
        return ordered.batch_id

    def open(self, batch_id: str) -> Opened:
        remote = Remote(self.client, self.http, batch_id, (), allow_loopback_http=True)
        return remote.first(1 << 24, 60)

    def count(self, kind: str) -> int:
        return sum(call.kind == kind for call in self.standin.calls)


@contextmanager
def account(*rules: dict[str, Any]) -> Iterator[Account]:
    script = parsed(json.dumps({"rules": rules}).encode())
    options = Options(token=TOKEN, events_per_day=50, finish_after_polls=1, faults=script)
    with StandIn(options) as standin, urllib3.PoolManager() as http:
        yield Account(standin, http)


def has_no_secret(reason: str) -> bool:
    return not any(secret in reason for secret in (TOKEN, ACCESS_KEY_ID, "Signature=", "127.0.0.1"))


# Links whose time is over


@pytest.mark.parametrize(
    "refusal",
    [
        {},
        {"status": 400, "code": "ExpiredToken", "text": "The provided token has expired."},
        {"status": 400, "code": "RequestExpired", "text": ""},
        {"status": 400},
        {"status": 401, "code": "Unauthorized", "text": ""},
        {"status": 410, "code": "Gone", "text": "This link has expired."},
    ],
)
def test_an_expired_link_is_replaced_and_one_that_never_works_ends_in_a_sentence(refusal: dict[str, Any]) -> None:
    rule = {"call": "file", "fault": "expired", **refusal}
    with account(rule) as vendor:
        batch_id = vendor.finished()
        opened = vendor.open(batch_id)
        assert isinstance(opened, Result)
        assert b"".join(opened.chunks()) == vendor.standin.result(batch_id)
        assert vendor.count("link") == 2
    with account({**rule, "times": None}) as vendor:
        refused = vendor.open(vendor.finished())
        assert isinstance(refused, Refused)
        assert f"status {refusal.get('status', 403)} ({refusal.get('code', 'AccessDenied')})" in refused.reason
        assert has_no_secret(refused.reason)


def test_another_400_of_the_file_host_is_final() -> None:
    rule = {"call": "file", "fault": "expired", "status": 400, "code": "InvalidArgument", "text": "Only one auth."}
    with account(rule) as vendor:
        assert isinstance(vendor.open(vendor.finished()), Refused)
        assert vendor.count("link") == 1


# Links that are written otherwise, and answers that are none


@pytest.mark.parametrize("form", ["quoted", "escaped", "html", "encoded", "bom", "utf16"])
def test_a_link_works_however_it_is_written(form: str) -> None:
    with account({"call": "link", "fault": "linkForm", "form": form}) as vendor:
        batch_id = vendor.finished()
        opened = vendor.open(batch_id)
        assert isinstance(opened, Result)
        assert b"".join(opened.chunks()) == vendor.standin.result(batch_id)
        assert vendor.count("redirect") == 0


@pytest.mark.parametrize("form", ["html", "json", "xml"])
def test_a_page_in_place_of_the_link_is_passed_by_the_redirect_or_waited_for(form: str) -> None:
    page = {"fault": "page", "form": form, "text": "We are back soon"}
    with account({"call": "link", **page}) as vendor:
        assert isinstance(vendor.client.link(vendor.finished()), Link)
        assert vendor.count("redirect") == 1
    with account({"call": "link", **page}, {"call": "redirect", **page}) as vendor:
        batch_id = vendor.finished()
        answer = vendor.client.link(batch_id)
        assert isinstance(answer, Unavailable)
        assert "We are back soon" in answer.reason
        assert has_no_secret(answer.reason)
        assert isinstance(vendor.client.link(batch_id), Link)


@pytest.mark.parametrize("form", ["html", "json", "xml"])
def test_a_page_in_place_of_any_other_answer_is_never_taken_for_it(form: str) -> None:
    page = {"fault": "page", "form": form}
    with account({"call": "order", **page}, {"call": "status", **page}) as vendor:
        assert isinstance(vendor.client.order(LISTS, Period.LAST_DAY), Lost)
        assert isinstance(vendor.client.batch(vendor.standin.orders[0].batch_id), Unavailable)
        assert isinstance(vendor.client.batch(vendor.standin.orders[0].batch_id), Batch)


# Batch ids


@pytest.mark.parametrize("batch_id", [".", "..", "../apiurl", "1\\2", "%2e%2e", "1\r\n2", "1 2"])
def test_an_id_that_leaves_its_place_in_the_path_is_refused_and_never_asked_about(batch_id: str) -> None:
    with account({"call": "order", "fault": "batchId", "id": batch_id}) as vendor:
        answers = (
            vendor.client.order(LISTS, Period.LAST_DAY),
            vendor.client.batch(batch_id),
            vendor.client.link(batch_id),
        )
        assert isinstance(answers[0], OrderUnusable)
        assert all(isinstance(answer, Refused) and "batchId" in answer.reason for answer in answers)
        assert [call.kind for call in vendor.standin.calls] == ["order"]


@pytest.mark.parametrize("is_other_type", [False, True])
def test_the_batch_of_an_earlier_order_is_no_result_of_a_later_one(is_other_type: bool) -> None:
    repeated = {"fault": "batchId", "id": "101111"} if is_other_type else {"fault": "sameBatch"}
    with account({"call": "order", "skip": 1, **repeated}) as vendor, in_process_aws():
        table = boto3.resource("dynamodb", region_name="eu-west-1").create_table(
            TableName="ledger",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
        )
        now = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)
        states = []
        for number, export in enumerate((LISTS, SENT if is_other_type else LISTS)):
            states.append(
                start_export(
                    RunState(export_type=export.name, period="LAST_DAY"),
                    make_run(f"run-{number}", now),
                    ledger=Ledger(table, export),
                    client=vendor.client,
                    settings=replace(make_settings(), base_url=vendor.standin.base_url),
                    now=now + timedelta(hours=number),
                )
            )
        assert [(state.outcome, state.batch_id) for state in states] == [
            (Outcome.ORDERED, "101111"),
            (Outcome.FAILED, None),
        ]
        assert "batch 101111, the id that an earlier order" in (states[1].reason or "")


# Statuses


@pytest.mark.parametrize(
    ("word", "meaning"),
    [("QUEUED", BatchState.RUNNING), ("Done ", BatchState.FINISHED), ("CANCELLED", BatchState.FAILED)],
)
def test_a_status_that_nobody_mapped_fails_until_the_setting_says_what_it_means(word: str, meaning: BatchState) -> None:
    with account({"call": "status", "skip": 1, "times": 2, "fault": "batchStatus", "status": word}) as vendor:
        batch_id = vendor.finished()
        unmapped = vendor.client.batch(batch_id)
        assert isinstance(unmapped, Refused)
        assert f"'{word.strip().upper()}'" in unmapped.reason
        assert "batchStatuses" in unmapped.reason
        mapped = vendor.client.batch(batch_id, {word.strip().lower(): meaning.value})
        assert isinstance(mapped, Batch)
        assert mapped.state is meaning


def test_a_page_behind_a_rate_limit_is_waited_for_as_long_as_it_says() -> None:
    limit = {"call": "redirect", "fault": "status", "status": 429, "headers": {"Retry-After": "90"}}
    with account({"call": "link", "fault": "page"}, limit) as vendor:
        answer = vendor.client.link(vendor.finished())
        assert isinstance(answer, RateLimited)
        assert 90 <= answer.wait_seconds <= 100
