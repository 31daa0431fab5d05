"""Copying a result into raw/, and again after any crash."""

import zlib
from datetime import timedelta
from typing import Any

import pytest

from lambdas.execution import BadInput, RunState
from lambdas.lake.storage.crc32 import as_text
from lambdas.lake.storage.landing import Landing
from lambdas.ledger.ledger import Ledger
from lambdas.ledger.orders import COPIED, LOADED, Order
from lambdas.outcome import Outcome
from lambdas.steps.copy_result import ResultSource, copy_result
from lambdas.symplify.client import Client
from lambdas.symplify.result import Broken
from tests.unit.fakes import BASE_URL, BUCKET, NOW, RESULT_URL, TOKEN, Crash, Failing, FakeHttp, make_run, make_settings

RUN = make_run()
ORDERED_AT = NOW.isoformat(timespec="microseconds")
FINISHED = RunState(
    export_type="OPENS", period="LAST_3_DAYS", outcome=Outcome.FINISHED, batch_id="7", ordered_at=ORDERED_AT, polls=2
)
CONTENT = b'[{"eventId": 1}]\n'
LATE = NOW + timedelta(minutes=359)


@pytest.fixture
def ordered(ledger: Ledger) -> Ledger:
    """A ledger with the batch."""
    ledger.write_order(RUN, Order(ORDERED_AT, 0, "7", ORDERED_AT), "LAST_3_DAYS")
    return ledger


def step(ledger: Any, http: FakeHttp, s3: Any, now: Any = NOW, state: RunState = FINISHED, **settings: Any) -> RunState:
    source = ResultSource(Client(http, BASE_URL, "4711", lambda: TOKEN), http)
    return copy_result(
        state,
        RUN,
        ledger=ledger,
        source=source,
        landing=Landing(s3, BUCKET),
        settings=make_settings(**settings),
        remaining=lambda: 900.0,
        now=now,
    )


def objects(s3: Any) -> dict[str, bytes]:
    found = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return {item["Key"]: s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read() for item in found}


def open_uploads(s3: Any) -> list[Any]:
    found: list[Any] = s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
    return found


def status(ledger: Ledger) -> str:
    return ledger.unloaded_batches()[0].status


def test_a_result_is_copied_byte_for_byte_and_described_by_its_manifest(
    ordered: Ledger, http: FakeHttp, s3: Any
) -> None:
    http.answers(200, RESULT_URL).answers(200, CONTENT)

    state = step(ordered, http, s3)

    assert (state.outcome, state.bytes, state.wait_seconds) == ("copied", len(CONTENT), None)
    assert objects(s3)["raw/opens/2026-11-24/7/result"] == CONTENT
    manifest = Landing(s3, BUCKET).manifest(state.export, ORDERED_AT, "7")
    assert manifest is not None
    assert (manifest.bytes, manifest.crc32, manifest.run) == (len(CONTENT), as_text(zlib.crc32(CONTENT)), RUN.arn)
    assert status(ordered) == COPIED


def test_neither_token_nor_link_is_stored(ordered: Ledger, http: FakeHttp, s3: Any) -> None:
    http.answers(200, RESULT_URL).answers(200, CONTENT)

    state = step(ordered, http, s3)

    left = repr(state) + repr(objects(s3))
    assert TOKEN not in left
    assert "s3cr3t" not in left
    assert "X-Carma-Authentication-Token" not in http.calls[1].headers


def test_an_empty_result_is_copied_too(ordered: Ledger, http: FakeHttp, s3: Any) -> None:
    http.answers(200, RESULT_URL).answers(200, b"")

    assert step(ordered, http, s3).bytes == 0
    assert objects(s3)["raw/opens/2026-11-24/7/result"] == b""


def test_a_landed_batch_is_not_fetched_again(ordered: Ledger, http: FakeHttp, s3: Any) -> None:
    http.answers(200, RESULT_URL).answers(200, CONTENT)
    first = step(ordered, http, s3)

    assert step(ordered, http, s3) == first
    assert len(http.calls) == 2


def test_a_late_retry_does_not_set_a_loaded_batch_back(ordered: Ledger, http: FakeHttp, s3: Any) -> None:
    http.answers(200, RESULT_URL).answers(200, CONTENT)
    step(ordered, http, s3)
    ordered.mark_batch("7", LOADED)

    step(ordered, http, s3)

    assert ordered.unloaded_batches() == []


@pytest.mark.parametrize("after", [False, True])
def test_a_retry_after_a_crash_at_any_s3_call_gives_the_same_result(
    ordered: Ledger, http: FakeHttp, s3: Any, after: bool
) -> None:
    http.answers(200, RESULT_URL).answers(200, CONTENT)
    counted = Failing(s3)
    expected = step(ordered, http, counted)
    wanted = objects(s3)
    assert counted.count == 5

    for at in range(1, counted.count + 1):
        for key in objects(s3):
            s3.delete_object(Bucket=BUCKET, Key=key)
        http.answers(200, RESULT_URL).answers(200, CONTENT)
        with pytest.raises(Crash):
            step(ordered, http, Failing(s3, at, after=after))
        manifest_is_there = any(key.endswith("manifest.json") for key in objects(s3))
        assert manifest_is_there == (at == counted.count and after)
        # An upload whose creation was not answered has no known id to abort it by.
        assert len(open_uploads(s3)) == (1 if after and at == 2 else 0)
        for upload in open_uploads(s3):
            s3.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])

        http._script.clear()
        http.answers(200, RESULT_URL).answers(200, CONTENT)
        assert step(ordered, http, s3) == expected
        http._script.clear()
        assert objects(s3) == wanted
        assert open_uploads(s3) == []


def test_a_retry_marks_the_batch_after_a_crash_before_the_ledger_was_written(
    ordered: Ledger, http: FakeHttp, s3: Any
) -> None:
    http.answers(200, RESULT_URL).answers(200, CONTENT)
    with pytest.raises(Crash):
        step(Failing(ordered, 1, "mark_batch"), http, s3)

    assert step(ordered, http, s3).outcome == "copied"
    assert status(ordered) == COPIED


@pytest.mark.parametrize("promised", [len(CONTENT) - 1, len(CONTENT) + 1])
def test_a_body_of_another_length_than_promised_is_an_error_and_leaves_nothing(
    ordered: Ledger, http: FakeHttp, s3: Any, promised: int
) -> None:
    http.answers(200, RESULT_URL).answers(200, CONTENT, {"Content-Length": str(promised)})

    with pytest.raises(Broken):
        step(ordered, http, s3)

    assert objects(s3) == {}
    assert open_uploads(s3) == []


def test_an_expired_link_is_replaced_by_a_fresh_one_once(ordered: Ledger, http: FakeHttp, s3: Any) -> None:
    http.answers(200, RESULT_URL).answers(403).answers(200, RESULT_URL).answers(200, CONTENT)

    assert step(ordered, http, s3).outcome == "copied"


def test_three_forbidden_links_are_refused(ordered: Ledger, http: FakeHttp, s3: Any) -> None:
    for _ in range(3):
        http.answers(200, RESULT_URL).answers(403)

    state = step(ordered, http, s3)

    assert (state.outcome, state.reason) == (
        "failed",
        "The file host refused 3 links in a row, the last one with status 403.",
    )
    assert objects(s3) == {}


def test_a_link_to_another_host_is_refused_and_not_opened(ordered: Ledger, http: FakeHttp, s3: Any) -> None:
    http.answers(200, "https://evil.example.com/x?Signature=s3cr3t")

    state = step(ordered, http, s3)

    assert state.outcome == "failed"
    assert "evil.example.com" in (state.reason or "")
    assert "s3cr3t" not in (state.reason or "")
    assert len(http.calls) == 1


def test_a_loopback_link_needs_the_setting(ordered: Ledger, http: FakeHttp, s3: Any) -> None:
    http.answers(200, "http://127.0.0.1:9000/x")
    assert step(ordered, http, s3).outcome == "failed"

    http.answers(200, "http://127.0.0.1:9000/x").answers(200, CONTENT)
    assert step(ordered, http, s3, allow_loopback_http=True).outcome == "copied"


def test_a_rate_limit_waits_and_is_overdue_at_the_deadline(ordered: Ledger, http: FakeHttp, s3: Any) -> None:
    http.answers(429, headers={"Retry-After": "120"}).answers(429, headers={"Retry-After": "120"})

    waiting = step(ordered, http, s3)
    overdue = step(ordered, http, s3, LATE)

    assert waiting.outcome == "rate_limited"
    assert 120 <= (waiting.wait_seconds or 0) <= 131
    assert (overdue.outcome, overdue.wait_seconds) == ("overdue", None)
    assert "429" in (overdue.reason or "")


def test_a_file_host_that_is_down_is_waited_for_until_the_deadline(ordered: Ledger, http: FakeHttp, s3: Any) -> None:
    http.answers(200, RESULT_URL).answers(503).answers(200, RESULT_URL).answers(503)

    waiting = step(ordered, http, s3)
    overdue = step(ordered, http, s3, LATE)

    assert (waiting.outcome, waiting.wait_seconds) == ("rate_limited", 300)
    assert overdue.outcome == "overdue"
    assert "status 503" in (overdue.reason or "")


def test_a_bad_token_is_named(ordered: Ledger, http: FakeHttp, s3: Any) -> None:
    http.answers(401)

    state = step(ordered, http, s3)

    assert (state.outcome, state.error_name) == ("failed", "BadToken")


def test_a_state_without_a_batch_is_bad_input(ledger: Ledger, http: FakeHttp, s3: Any) -> None:
    with pytest.raises(BadInput):
        step(ledger, http, s3, state=RunState(export_type="OPENS"))
