"""The command line of the local cloud, as people and programs use it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from local.cli import HOME_VARIABLE
from local.lifecycle import Running
from local.standin import Options, StandIn
from tests.conftest import ROOT, local, local_in_process
from tests.workflow.machine import token

pytestmark = pytest.mark.enable_socket


def document(done: subprocess.CompletedProcess[str]) -> Any:
    """Standard output as the one JSON document that it must be."""
    return json.loads(done.stdout)


def test_status_as_json_has_every_address_and_name(cloud_home: Path, running: Running) -> None:
    status = document(local_in_process("status", "--json", home=cloud_home))
    assert {
        *("endpoint", "region", "caBundle", "accessKeyId", "secretAccessKey", "bucket", "database", "workgroup"),
        *("stateMachineArn", "ledgerTable"),
    } <= status.keys()
    assert status["endpoint"].startswith("https://")
    assert Path(status["caBundle"]).is_file()
    assert status["bucket"] == running.deployment.bucket


def test_a_run_prints_a_list_with_one_object_per_export(cloud_home: Path, running: Running) -> None:
    done = local_in_process("run", "projects", "OPENED", "--period", "last_week", "--json", home=cloud_home)
    assert done.returncode == 0, done.stderr
    projects, opens = document(done)
    for run, export in ((projects, "PROJECTS"), (opens, "OPENS")):
        assert run.keys() >= {"exportType", "period", "status", "executionArn", "batchId", "rows", "bytes", "error"}
        assert (run["exportType"], run["period"], run["status"]) == (export, "LAST_WEEK", "SUCCEEDED")
        assert run["rows"] >= 0
        assert run["bytes"] > 0


def test_a_run_shows_people_its_progress_and_result(cloud_home: Path, running: Running) -> None:
    done = local_in_process("run", "LISTS", home=cloud_home)
    assert done.returncode == 0, done.stderr
    for word in ("ordered", "copied", "loaded", "LISTS", "export", "period", "batch", "rows", "bytes", "seconds"):
        assert word in done.stdout


def test_a_query_prints_a_list_of_rows_with_their_types(cloud_home: Path, running: Running) -> None:
    local_in_process("run", "CAMPAIGNS", home=cloud_home)
    done = local_in_process(
        "query", "SELECT campaign_id, campaign_name, active FROM campaigns LIMIT 2", "--json", home=cloud_home
    )
    rows = document(done)
    assert len(rows) == 2
    assert [type(value) for value in rows[0].values()] == [str, str, bool]


def test_a_query_that_athena_refuses_is_a_sentence(cloud_home: Path, running: Running) -> None:
    done = local_in_process("query", "SELECT * FROM no_such_table", "--json", home=cloud_home)
    assert done.returncode == 1
    assert "no_such_table" in done.stderr
    assert "no_such_table" in document(done)["error"]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("sql", ["", "  ", ";"])
def test_an_empty_query_is_refused(cloud_home: Path, running: Running, sql: str) -> None:
    done = local_in_process("query", sql, "--json", home=cloud_home)
    assert done.returncode == 1
    assert document(done) == {"error": "The query is empty."}


def test_an_answer_is_shown_as_it_is(cloud_home: Path, running: Running) -> None:
    sql = "SELECT '[/red]:smile:' AS \"[/x]\", 1 AS n, 2 AS n, 0e0 / 0e0 AS nothing"
    assert "[/red]:smile:" in local_in_process("query", sql, home=cloud_home).stdout
    assert document(local_in_process("query", sql, "--json", home=cloud_home)) == [
        {"[/x]": "[/red]:smile:", "n": 1, "n_3": 2, "nothing": None}
    ]


def test_a_run_that_fails_ends_with_status_1_and_its_sentence(cloud_home: Path, running: Running) -> None:
    with token(running, "wrong"):
        done = local_in_process("run", "MESSAGES", "--json", home=cloud_home)
    assert done.returncode == 1
    (run,) = document(done)
    assert run["status"] == "FAILED"
    assert "MESSAGES" in run["error"]
    assert "401" in run["error"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("run", "OPENINGS"), "'OPENINGS' is not an export type; Symplify has LISTS,"),
        (("replay", "OPENINGS"), "'OPENINGS' is not an export type"),
        (("replay", "OPENS", "--from", "yesterday"), "must be a day such as 2026-01-31"),
        (("replay", "OPENS", "--except", "101112"), "use --except together with --rebuild"),
        (("replay", "OPENS", "--rebuild"), "No local cloud runs."),
        (("run", "OPENS", "--period", "LAST_MONTH"), "'LAST_MONTH' is not a period; Symplify has TODAY,"),
        (("run", "OPENS"), "No local cloud runs. Start one with: python -m local up"),
        (("nightly",), "No local cloud runs."),
        (("query", "SELECT 1"), "No local cloud runs."),
        (("status",), "No local cloud runs."),
        (("up", "--symplify-url", "https://example.invalid/rest"), "missing: --customer-id, --token"),
        (("up", "--setting", "timeZone"), "NAME=VALUE"),
        (
            ("up", "--symplify-url", "http://example.invalid/rest", "--customer-id", "1", "--token", "t"),
            "is not an https address",
        ),
    ],
)
def test_a_wrong_command_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    done = local_in_process(*words, home=tmp_path)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_down_without_a_cloud_is_no_failure(tmp_path: Path) -> None:
    assert document(local_in_process("down", "--json", home=tmp_path)) == {"stopped": False}


def test_a_second_cloud_in_the_same_place_is_refused(cloud_home: Path, running: Running) -> None:
    done = local_in_process("up", home=cloud_home)
    assert done.returncode == 1
    assert "runs already" in done.stderr
    assert running.cloud.process.is_alive


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_an_unreachable_server_is_reported_before_anything_starts(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{closed_port()}/rest"
    done = local_in_process("up", "--symplify-url", url, "--customer-id", "1", home=tmp_path, SYMPLIFY_TOKEN="t")
    assert done.returncode == 1
    assert url in done.stderr
    assert left_over(tmp_path) == []


@pytest.mark.parametrize(("customer", "token", "words"), [("1234", "wrong", "401"), ("9999", "right-token", "403")])
def test_an_account_that_symplify_refuses_is_reported_before_anything_starts(
    tmp_path: Path, customer: str, token: str, words: str
) -> None:
    with StandIn(Options(customer_id="1234", token="right-token")) as standin:
        done = local_in_process(
            *("up", "--symplify-url", standin.base_url, "--customer-id", customer), home=tmp_path, SYMPLIFY_TOKEN=token
        )
    assert done.returncode == 1
    assert words in done.stderr
    assert token not in done.stderr + done.stdout
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("option", ["--port", "--standin-port"])
def test_a_port_in_use_is_reported_and_nothing_stays_behind(tmp_path: Path, option: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = local("up", option, port, home=tmp_path)
    assert done.returncode == 1
    assert port in done.stderr
    assert "Traceback" not in done.stderr
    assert left_over(tmp_path) == []


def test_a_bad_setting_is_reported_in_its_own_sentence_and_nothing_stays_behind(tmp_path: Path) -> None:
    done = local("up", "--setting", "timeZone=Mars/Olympus", home=tmp_path)
    assert done.returncode == 1
    assert "Mars/Olympus" in done.stderr
    assert "Traceback" not in done.stderr
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_demo_leaves_nothing_running(tmp_path: Path, number: signal.Signals) -> None:
    demo = begun("demo", tmp_path)
    assert processes_of(tmp_path)
    demo.send_signal(number)
    demo.communicate()
    assert demo.returncode == 130
    assert left_over(tmp_path) == []


def begun(word: str, home: Path) -> "subprocess.Popen[str]":
    """A command that has come as far as `cdk bootstrap`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "local", word],
        cwd=ROOT,
        env={**os.environ, HOME_VARIABLE: str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "cdk bootstrap" in line:
            break
    return process


def test_what_a_killed_up_has_started_is_left_alone_by_others_and_found_by_down(tmp_path: Path) -> None:
    first = begun("up", tmp_path)
    for words in ("up", "down"):
        done = local(words, home=tmp_path)
        assert done.returncode == 1
        assert "right now" in done.stderr
    assert first.poll() is None
    first.kill()
    first.communicate()
    assert processes_of(tmp_path)

    assert document(local("down", "--json", home=tmp_path)) == {"stopped": True}

    assert left_over(tmp_path) == []


def test_what_a_killed_demo_has_started_is_found_by_down(tmp_path: Path) -> None:
    demo = begun("demo", tmp_path)
    demo.kill()
    demo.communicate()
    assert document(local("down", "--json", home=tmp_path)) == {"stopped": True}
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("text", ["", "{", "null", "[]", '{"cloud": {}}'])
def test_an_unreadable_state_is_reported_and_down_still_works(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    done = local_in_process("status", "--json", home=tmp_path)
    assert done.returncode == 1
    assert "cannot be read" in document(done)["error"]
    assert local_in_process("down", home=tmp_path).returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("up", "--port", "70000"), "'70000' is no port"),
        (("up", "--standin-port", "-1"), "'-1' is no port"),
        (("up", "--events-per-day", "-5"), "'-5' is no number"),
        (("query",), "required: SQL"),
        (("nightly", "extra"), "unrecognized arguments: extra"),
    ],
)
def test_wrong_arguments_are_a_sentence_and_a_document(tmp_path: Path, words: tuple[str, ...], sentence: str) -> None:
    done = local_in_process(*words, "--json", home=tmp_path)
    assert done.returncode == 2
    assert sentence in document(done)["error"]
    assert list(tmp_path.iterdir()) == []


def test_an_unusable_folder_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    done = local_in_process("up", "--json", home=file)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert str(file) in document(done)["error"]


@pytest.mark.parametrize(
    ("url", "token", "sentence"),
    [
        ("http://127.0.0.1:9/rest", "good-token\r", "The token is empty, or holds blanks"),
        ("http://[::1", "t", "That is no address"),
        ("https://user:hush@example.invalid/rest", "t", "holds a user name or a password"),
    ],
)
def test_an_invalid_account_is_reported_without_its_secrets(
    tmp_path: Path, url: str, token: str, sentence: str
) -> None:
    done = local_in_process("up", "--symplify-url", url, "--customer-id", "1", home=tmp_path, SYMPLIFY_TOKEN=token)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "good-token" not in done.stderr
    assert "hush" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def left_over(home: Path) -> list[Any]:
    """Files of a cloud below `home`, and processes that use it."""
    deadline = time.monotonic() + 10
    while (found := processes_of(home)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return [*found, *home.iterdir()]


def processes_of(home: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and str(home) in " ".join(process.environ().values()):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found
