import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import urllib3

from local.standin import Options, PortInUse, StandIn

pytestmark = pytest.mark.enable_socket

COMMAND = [sys.executable, "-m", "local.standin"]
ENVIRONMENT = {**os.environ, "SYMPLIFY_TOKEN": "from-the-environment"}


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([*COMMAND, *arguments], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_says_its_addresses_and_ends_cleanly(number: signal.Signals) -> None:
    with running("--customer-id", "77", "--now", "2026-11-24T03:00", "--container", "SENT=ndjson.gz") as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        account = urllib3.request(
            "GET", f"{ready['baseUrl']}/77/apiurl", headers={"X-Carma-Authentication-Token": "from-the-environment"}
        )
        shown = urllib3.request("GET", ready["callsUrl"]).json()
        process.send_signal(number)
        rest = process.stdout.read()

        assert process.wait(20) == 0
    assert account.status == 200
    assert ready["customerId"] == "77"
    assert [call["kind"] for call in shown["calls"]] == ["account"]
    assert shown["calls"][0]["at"].startswith("2026-11-24T03:00")
    assert rest == ""


def test_a_port_in_use_is_one_sentence_and_status_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = subprocess.run(
            [*COMMAND, "--files-port", port], check=False, env=ENVIRONMENT, capture_output=True, text=True
        )
    assert done.returncode == 1
    assert done.stderr == f"Port {port} on 127.0.0.1 is already in use.\n"
    assert done.stdout == ""


def test_wrong_arguments_are_refused_with_a_sentence() -> None:
    bare = {name: value for name, value in ENVIRONMENT.items() if name != "SYMPLIFY_TOKEN"}
    for arguments, environment, words in (
        ([], bare, "no token: set SYMPLIFY_TOKEN"),
        (["--container", "xml"], ENVIRONMENT, "'xml' is not a container"),
        (["--now", "yesterday"], ENVIRONMENT, "yesterday"),
    ):
        done = subprocess.run([*COMMAND, *arguments], check=False, env=environment, capture_output=True, text=True)
        assert done.returncode == 2
        assert words in done.stderr


def test_a_stand_in_that_finds_its_second_port_taken_frees_the_first() -> None:
    with StandIn() as first:
        taken = int(first.files_url.rsplit(":", 1)[1])
        with pytest.raises(PortInUse):
            StandIn(Options(files_port=taken))


def test_a_stopped_stand_in_answers_nobody_and_leaves_its_ports_free() -> None:
    with urllib3.PoolManager(retries=False, timeout=300) as http:
        with StandIn() as standin:
            url = standin.base_url + "/1234/apiurl"
            assert http.request("GET", url).status == 401
        with pytest.raises(urllib3.exceptions.HTTPError):
            http.request("GET", url)
        port = int(standin.base_url.split(":")[2].split("/")[0])
        with StandIn(Options(api_port=port)):
            assert http.request("GET", url).status == 401


def test_stopping_does_not_wait_for_a_large_export_to_be_written() -> None:
    with StandIn(Options(events_per_day=10_000_000)) as standin:
        urllib3.request(
            "POST",
            f"{standin.base_url}/1234/batches/exports/statistics",
            json={"exportType": "SENT", "period": "LAST_2_WEEKS"},
            headers={"X-Carma-Authentication-Token": standin.options.token},
        )
    assert len(standin.orders) == 1
