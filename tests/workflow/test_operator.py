"""Recovery from five kinds of failure in one night, with the commands of the messages and the runbook alone."""

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
from tests.workflow.machine import force_cold_start, token
from tests.workflow.test_real_runs import without_statement

pytestmark = pytest.mark.enable_socket

PAGES = {
    "LISTS": "badtoken",
    "SENT": "exportfailed",
    "CLICKS": "runoverdue",
    "CAMPAIGNS": "aborted-or-timed_out",
    "OPENS": "any-other-error",
}


def fail_runs(stage: Stage) -> dict[str, str]:
    """A batch fails, two never finish (one of their runs is stopped), and a permission is missing; return the runs."""
    status = {"call": "status", "fault": "batchStatus", "times": None}
    for export, word in (("SENT", "ERROR"), ("CLICKS", "IN_PROGRESS"), ("CAMPAIGNS", "IN_PROGRESS")):
        script = {"rules": [{**status, "exportType": export, "status": word}]}
        stage.standin.faults.set(parsed(json.dumps(script).encode()).rules, export)
    with without_statement(stage.running, "load-result", "WriteTables"):
        runs = {export: stage.start(exportType=export) for export in PAGES if export != "LISTS"}
        stage.outcomes_until(runs["CAMPAIGNS"], "ordered")
        stage.states.stop_execution(executionArn=runs["CAMPAIGNS"])
        assert {stage.wait(arn).status for arn in runs.values()} == {"FAILED", "ABORTED"}
    force_cold_start(stage.running, "load-result")
    for export in runs:
        stage.standin.faults.set((), export)
    return runs


def test_the_runbook_recovers_five_kinds_of_failure_to_complete_tables(stage: Stage, tmp_path: Path) -> None:
    inbox = subscribe(stage.running.cloud, stage.deployed.alert_topic_arn, "operator")
    for export in PAGES:
        stage.clear_ledger(export)
    with token(stage.running, "an-old-token"):
        lists = stage.start(exportType="LISTS")
        assert stage.wait(lists).status == "FAILED"
        (rotate,) = section("Rotate the token")
        good = stage.standin.options.token.replace('"', '\\"')
        shell(filled(stage.running, rotate, YOUR_TOKEN=f'"{good}"'), stage.running.cloud, tmp_path)
    runs = {"LISTS": lists, **fail_runs(stage)}

    commands = {}
    for export, page in PAGES.items():
        # By its execution: the watch may still report runs of earlier tests.
        text = inbox.find(runs[export])["Message"]
        assert text.rsplit("#", 1)[-1] == page in anchors()
        command = re.search(r"^ *(aws stepfunctions start-execution .*)$", text, re.MULTILINE)
        assert command is not None
        commands[export] = command[1]

    started = {export: json.loads(shell(line, stage.running.cloud, tmp_path)) for export, line in commands.items()}
    for export, answer in started.items():
        ended = stage.wait(answer["executionArn"])
        assert (ended.status, ended.cause) == ("SUCCEEDED", "")
        key = "eventId" if EXPORT_TYPES[export].is_event else f"{export.lower()[:-1]}Id"
        column = key.replace("Id", "_id")
        sent: list[Any] = json.loads(stage.standin.result(ended.output["batchId"]))
        stored = athena.query(stage.running, f"SELECT {column} FROM {EXPORT_TYPES[export].table}")
        # A key is text in its table, and an event's own id is as the vendor writes it.
        assert {str(record[key]) for record in sent} <= {str(row[column]) for row in stored}
        assert sent
