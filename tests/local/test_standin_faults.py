"""The fault script: which calls a rule meets, what each fault looks like, and files that are no scripts."""

import gzip
import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.standin import Options, StandIn, faults
from local.standin.faults import BadFaults, Faults, FaultScript, parsed
from tests.conftest import ROOT, local_in_process

pytestmark = pytest.mark.enable_socket

TOKEN = {"X-Carma-Authentication-Token": "synthetic-token"}
PAGE = (ROOT / "docs" / "faults.md").read_text()


def script(*rules: dict[str, Any], **limits: Any) -> FaultScript:
    return parsed(json.dumps({"rules": rules, **limits}).encode())


class Caller:
    """A stand-in with a script, called by a client that hides nothing."""

    def __init__(self, standin: StandIn) -> None:
        self.standin = standin

    def call(self, method: str, url: str, body: Any = None, **headers: str) -> http.client.HTTPResponse:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=300)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, target, json.dumps(body) if body else None, headers)
        return connection.getresponse()

    def api(self, method: str, path: str, body: Any = None) -> http.client.HTTPResponse:
        return self.call(method, f"{self.standin.base_url}/1234{path}", body, **TOKEN)

    def order(self, export_type: str = "LISTS") -> str:
        answer = self.api("POST", "/batches/exports/statistics", {"exportType": export_type, "period": "LAST_DAY"})
        return str(json.loads(answer.read())["batchId"])

    def finished(self, export_type: str = "LISTS") -> str:
        batch_id = self.order(export_type)
        self.api("GET", f"/batches/{batch_id}").read()
        return batch_id

    def link(self, batch_id: str) -> str:
        return self.api("GET", f"/batches/{batch_id}/result/url").read().decode()


@contextmanager
def calling(*rules: dict[str, Any], **options: Any) -> Iterator[Caller]:
    chosen = {"events_per_day": 50, "finish_after_polls": 1, **options}
    with StandIn(Options(faults=script(*rules), **chosen)) as standin:
        yield Caller(standin)


# Which calls a rule meets


def met(rules: FaultScript, *calls: tuple[str, str | None]) -> list[str | None]:
    at_work = Faults(rules.rules)
    return [type(found).__name__ if (found := at_work.meet(*call)) else None for call in calls]


def test_a_rule_meets_calls_of_its_kind_and_type_by_their_count() -> None:
    rules = script({"call": "order", "exportType": "OPENS", "skip": 1, "times": 2, "fault": "lost"})
    opens, sent = ("order", "OPENS"), ("order", "SENT")

    assert met(rules, opens, sent, opens, ("status", "OPENS"), opens, opens) == [None, None, "Lost", None, "Lost", None]


def test_the_first_rule_for_a_call_counts_and_the_others_count_it_too() -> None:
    rules = script(
        {"call": "order", "fault": "lost"},
        {"call": "order", "fault": "delay", "seconds": 0},
        {"call": "order", "skip": 2, "times": None, "fault": "status", "status": 500},
    )

    assert met(rules, *[("order", None)] * 5) == ["Lost", None, "Status", "Status", "Status"]


def test_rules_of_one_type_are_replaced_alone() -> None:
    at_work = Faults(script({"call": "order", "exportType": "OPENS", "fault": "lost", "times": None}).rules)
    at_work.set(script({"call": "order", "exportType": "SENT", "fault": "lost", "times": None}).rules, "SENT")
    at_work.set((), "OPENS")

    assert at_work.meet("order", "OPENS") is None
    assert at_work.meet("order", "SENT") is not None


# What each fault looks like


def test_a_status_comes_with_its_headers_and_without_an_effect() -> None:
    rule = {"call": "order", "fault": "status", "status": 429, "headers": {"Retry-After": "7"}, "text": "No."}
    with calling(rule) as caller:
        answer = caller.api("POST", "/batches/exports/statistics", {"exportType": "LISTS", "period": "LAST_DAY"})
        assert (answer.status, answer.headers["Retry-After"], answer.read()) == (429, "7", b"No.")
        assert caller.standin.orders == []
        assert [call.status for call in caller.standin.calls] == [429]


def test_a_lost_answer_has_taken_effect() -> None:
    with calling({"call": "order", "fault": "lost"}) as caller:
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            caller.order()
        assert len(caller.standin.orders) == 1


def test_a_delay_comes_after_the_effect() -> None:
    with calling({"call": "account", "fault": "delay", "seconds": 0.2}) as caller:
        before = time.monotonic()
        assert caller.api("GET", "/apiurl").status == 200
        assert time.monotonic() - before >= 0.2


@pytest.mark.parametrize(
    ("rule", "announced"),
    [
        ({"fault": "cut", "atByte": 5}, "whole"),
        ({"fault": "cut", "atByte": 5, "length": "cut"}, "5"),
        ({"fault": "cut", "atByte": 5, "length": "none"}, None),
        ({"fault": "reset", "atByte": 5}, "whole"),
    ],
)
def test_a_body_ends_early_in_each_way(rule: dict[str, Any], announced: str | None) -> None:
    with calling({"call": "file", **rule}) as caller:
        batch_id = caller.finished()
        whole = caller.standin.result(batch_id)
        answer = caller.call("GET", caller.link(batch_id))
        assert answer.headers["Content-Length"] == (str(len(whole)) if announced == "whole" else announced)
        if rule["fault"] == "reset":
            with pytest.raises(ConnectionResetError):
                answer.read()
        elif announced == "whole":
            with pytest.raises(http.client.IncompleteRead):
                answer.read()
        else:
            assert answer.read() == whole[:5]
        assert caller.call("GET", caller.link(batch_id)).read() == whole


def test_a_drip_and_a_slow_file_host_take_their_time_and_send_everything() -> None:
    with calling({"call": "file", "fault": "drip", "bytesPerSecond": 20_000}, file_bytes_per_second=40_000) as caller:
        batch_id = caller.finished()
        whole = caller.standin.result(batch_id)
        for rate in (20_000, 40_000):
            before = time.monotonic()
            assert caller.call("GET", caller.link(batch_id)).read() == whole
            assert time.monotonic() - before >= 0.9 * len(whole) / rate


def test_an_expired_link_is_s3s_403() -> None:
    with calling({"call": "file", "fault": "expired"}) as caller:
        link = caller.link(caller.finished())
        answer = caller.call("GET", link)
        assert (answer.status, b"Request has expired" in answer.read()) == (403, True)
        assert caller.call("GET", link).status == 200


def test_an_expired_link_may_be_refused_in_another_way() -> None:
    rule = {"call": "file", "fault": "expired", "status": 400, "code": "ExpiredToken", "text": "It has expired."}
    with calling(rule) as caller:
        answer = caller.call("GET", caller.link(caller.finished()))
        assert answer.status == 400
        assert b"<Code>ExpiredToken</Code><Message>It has expired.</Message>" in answer.read()


def test_a_changed_file_is_another_version_with_an_etag_of_its_own() -> None:
    with calling({"call": "file", "skip": 1, "fault": "changed", "times": None}) as caller:
        batch_id = caller.finished()
        link = caller.link(batch_id)
        first = caller.call("GET", link)
        second = caller.call("GET", link)
        assert second.read() == first.read() + b"\n" == caller.standin.result(batch_id, "Changed")
        assert first.headers["ETag"] != second.headers["ETag"]
        assert caller.call("GET", link, **{"If-Match": first.headers["ETag"]}).status == 412


def test_a_cut_gzip_agrees_with_itself_and_cannot_be_unpacked() -> None:
    with calling({"call": "file", "fault": "cutGzip", "times": None}) as caller:
        answer = caller.call("GET", caller.link(caller.finished()))
        content = answer.read()
        assert len(content) == int(answer.headers["Content-Length"])
        with pytest.raises(EOFError):
            gzip.decompress(content)


def test_the_link_points_to_another_host_by_both_ways() -> None:
    rules = [{"call": call, "fault": "otherHost", "host": "evil.example.com"} for call in ("link", "redirect")]
    with calling(*rules) as caller:
        batch_id = caller.finished()
        moved = caller.api("GET", f"/batches/{batch_id}/result").headers["Location"]
        for link in (caller.link(batch_id), moved):
            assert link.startswith("https://evil.example.com/result/")
        assert caller.link(batch_id).startswith(caller.standin.files_url)


def test_a_status_call_says_what_the_script_wants() -> None:
    rule = {"call": "status", "fault": "batchStatus", "status": "ERROR", "exportType": "LISTS"}
    with calling(rule) as caller:
        lists, projects = caller.order("LISTS"), caller.order("PROJECTS")
        said = [
            json.loads(caller.api("GET", f"/batches/{batch}").read())["status"] for batch in (projects, lists, lists)
        ]
        assert [status.strip() for status in said] == ["FINISHED", "ERROR", "FINISHED"]


# The file


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "truncated"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"rule": []}', "unknown field `rule`"),
        (b'{"rules": [{"call": "order"}]}', "missing required field `fault`"),
        (b'{"rules": [{"call": "order", "fault": "explode"}]}', "'explode'"),
        (b'{"rules": [{"call": "orders", "fault": "lost"}]}', "'orders'"),
        (b'{"rules": [{"call": "order", "fault": "status", "status": 5}]}', ">= 200"),
        (b'{"rules": [{"call": "order", "fault": "lost", "atByte": 1}]}', "unknown field `atByte`"),
        (b'{"rules": [{"call": "order", "fault": "expired"}]}', "rules[0] puts its fault on the call order"),
        (b'{"rules": [{"call": "order", "fault": "lost", "exportType": "OPENED"}]}', "export type OPENED"),
        (b'{"callsPerMinute": 0}', ">= 1"),
    ],
)
def test_an_invalid_script_is_one_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "faults.json"
    path.write_bytes(content)

    with pytest.raises(BadFaults) as refused:
        faults.read(path)

    assert words in str(refused.value)
    assert str(refused.value).startswith(f"The fault script {path} cannot be used: ")
    assert str(refused.value).endswith(".")
    assert "\n" not in str(refused.value)


def test_both_commands_refuse_a_file_that_is_not_there(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.json")
    alone = subprocess.run(
        [sys.executable, "-m", "local.standin", "--faults", missing],
        check=False,
        env={**os.environ, "SYMPLIFY_TOKEN": "x"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    up = local_in_process("up", "--faults", missing, home=tmp_path / "home")

    for done, status in ((alone, 2), (up, 1)):
        assert done.returncode == status
        assert f"The fault script {missing} cannot be read: No such file or directory." in done.stderr


def test_the_process_obeys_the_script_of_the_page(tmp_path: Path) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "faults.json"
    path.write_text(example)
    command = [sys.executable, "-m", "local.standin", "--customer-id", "1234", "--faults", str(path)]
    environment = {**os.environ, "SYMPLIFY_TOKEN": "synthetic-token"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            base = f"{ready['baseUrl']}/1234"
            order = {"exportType": "OPENS", "period": "LAST_DAY"}
            caller = Caller.__new__(Caller)
            with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
                caller.call("POST", f"{base}/batches/exports/statistics", order, **TOKEN)
            answers = [caller.call("GET", f"{base}/batches/101111", **TOKEN) for _ in range(3)]
            assert [answer.status for answer in answers] == [429, 429, 200]
            assert answers[0].headers["Retry-After"] == "90"
            statuses = [caller.call("GET", f"{base}/apiurl", **TOKEN).status for _ in range(10)]
            assert statuses[-1] == 429
        finally:
            process.kill()


def test_the_page_names_every_fault_and_every_field() -> None:
    for rule in faults.Rule.__args__:
        assert f"| `{rule.__struct_config__.tag}` |" in PAGE
        for name in rule.__struct_encode_fields__:
            assert f"`{name}`" in PAGE
    for name in FaultScript.__struct_encode_fields__:
        assert f"`{name}`" in PAGE
