"""A night that broke in five ways is put right with the messages' and the runbook's commands alone."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from lambdas.vocabulary import EXPORT_TYPES
from local import athena
from local.standin.faults import parsed
from tests.local.runbook import anchors, filled, section
from tests.local.shell import shell
from tests.workflow.campaign import Stage
from tests.workflow.inbox import subscribe
from tests.workflow.machine import start_anew, token
from tests.workflow.test_real_runs import without

pytestmark = pytest.mark.enable_socket

PAGES = {
    "LISTS": "badtoken",
    "SENT": "exportfailed",
    "CLICKS": "runoverdue",
    "CAMPAIGNS": "aborted-or-timed_out",
    "OPENS": "any-other-error",
}


def broken(stage: Stage) -> dict[str, str]:
    """Symplify gives a batch up, never finishes two (one run is stopped meanwhile), and a right is missing."""
    status = {"call": "status", "fault": "batchStatus", "times": None}
    for export, word in (("SENT", "ERROR"), ("CLICKS", "IN_PROGRESS"), ("CAMPAIGNS", "IN_PROGRESS")):
        script = {"rules": [{**status, "exportType": export, "status": word}]}
        stage.standin.faults.set(parsed(json.dumps(script).encode()).rules, export)
    with without(stage.cloud, "load-result", "WriteTables"):
        runs = {export: stage.start(exportType=export) for export in PAGES if export != "LISTS"}
        stage.outcomes_until(runs["CAMPAIGNS"], "ordered")
        stage.states.stop_execution(executionArn=runs["CAMPAIGNS"])
        assert {stage.wait(arn).status for arn in runs.values()} == {"FAILED", "ABORTED"}
    start_anew(stage.cloud, "load-result")
    for export in runs:
        stage.standin.faults.set((), export)
    return runs


def test_a_night_that_broke_in_five_ways_ends_with_complete_tables(stage: Stage, tmp_path: Path) -> None:
    inbox = subscribe(stage.running.cloud, stage.deployed.alert_topic_arn, "operator")
    for export in PAGES:
        stage.forget(export)
    with token(stage.cloud, "an-old-token"):
        lists = stage.start(exportType="LISTS")
        assert stage.wait(lists).status == "FAILED"
        (rotate,) = section("Rotate the token")
        good = stage.standin.options.token.replace('"', '\\"')
        shell(filled(stage.cloud, rotate, YOUR_TOKEN=f'"{good}"'), stage.running.cloud, tmp_path)
    runs = {"LISTS": lists, **broken(stage)}

    again = {}
    for export, page in PAGES.items():
        # By its execution: the watch may still report runs of earlier tests.
        text = inbox.find(runs[export])["Message"]
        assert text.rsplit("#", 1)[-1] == page in anchors()
        command = re.search(r"^ *(aws stepfunctions start-execution .*)$", text, re.MULTILINE)
        assert command is not None
        again[export] = command[1]

    started = {export: json.loads(shell(line, stage.running.cloud, tmp_path)) for export, line in again.items()}
    for export, answer in started.items():
        ended = stage.wait(answer["executionArn"])
        assert (ended.status, ended.cause) == ("SUCCEEDED", "")
        key = "eventId" if EXPORT_TYPES[export].is_event else EXPORT_TYPES[export].key
        column = key.replace("Id", "_id")
        sent: list[Any] = json.loads(stage.standin.result(ended.output["batchId"]))
        held = athena.query(stage.cloud, f"SELECT {column} FROM {EXPORT_TYPES[export].table}")
        assert {record[key] for record in sent} <= {row[column] for row in held}
        assert sent
