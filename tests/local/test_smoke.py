"""What the steps of a smoke run say when something is not as promised, and what they leave."""

import json
from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lambdas.lake.storage.landing import Landed
from lambdas.vocabulary import EXPORT_TYPES, Period
from local.athena import Rows
from local.doctor import Stack
from local.problem import Problem
from local.smoke import alarm, analysts, arguments, exports, smoke
from local.smoke.report import Report, Step, Verdict
from local.smoke.trial import Ended, NotShown, Trial
from local.stacks import Deployed
from tests.local.answers import Answer, Scripted

PART = 5 << 20
OUTPUTS = {
    "StateMachineArn": "arn:aws:states:eu-west-1:111122223333:stateMachine:lake",
    "AnalystPolicyArn": "arn:aws:iam::111122223333:policy/lake-analysts",
    "AlertTopicArn": "arn:aws:sns:eu-west-1:111122223333:lake-alerts",
    **{name: f"the-{name.lower()}" for name in ("Bucket", "Database", "WorkGroup")},
}
IDENTITY = {"Account": "111122223333", "UserId": "AROAAAAAAAAAAAAAAAAA:me", "Arn": "arn:aws:sts::111122223333:x"}
DAY = "2026-11-26"


def deployed(answers: Mapping[str, Answer], *, is_local: bool = False) -> Deployed:
    def client(service: str) -> Any:
        return Scripted(service, answers)

    return Deployed(Stack("lake", OUTPUTS, is_local=is_local), client, lambda _: client)


def ended(new: int | None = None) -> Ended:
    """An execution that merged ten rows of the day, so many of them new; or none at all."""
    days = {} if new is None else {DAY: {"read": 10, "new": new, "updated": 0}}
    output = {"bytes": 100, "batchId": "8", "orderedAt": "2026-11-27T03:30:00", "tally": {"days": days}}
    return Ended("arn", output, 1)


@dataclass
class Played(Trial):
    """A trial whose executions and queries have ended before."""

    runs: Iterator[Ended] = field(default_factory=lambda: iter(()))
    rows: Iterator[Rows] = field(default_factory=lambda: iter(()))

    def run(self, **given: Any) -> Ended:
        return next(self.runs)

    def query(self, sql: str, athena_client: Any = None) -> Rows:
        return next(self.rows)


def trial(where: Deployed, first: Ended | None = None) -> Trial:
    return Trial(where, EXPORT_TYPES["OPENS"], Period.LAST_DAY, PART, first=first)


def played(*runs: Ended, rows: tuple[Rows, ...] = (), first: Ended | None = None) -> Played:
    return Played(
        deployed({}), EXPORT_TYPES["OPENS"], Period.LAST_DAY, PART, first=first, runs=iter(runs), rows=iter(rows)
    )


def test_a_copy_in_one_call_shows_nothing() -> None:
    with pytest.raises(NotShown, match="copied in one call"):
        exports.copy_in_several_calls(played(replace(ended(), partial_copies=0)))


def test_an_empty_result_that_is_loaded_as_rows_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    landing = SimpleNamespace(store=lambda *_: Landed(0, "AAAAAA=="), write_manifest=lambda _: None)
    monkeypatch.setattr(exports, "Landing", lambda *_: landing)
    one = replace(ended(), output={"rows": 3})
    with pytest.raises(Problem, match="loaded as 3 rows"):
        exports.empty_export(played(one))


@pytest.mark.parametrize(
    ("places", "counts", "second", "verdict"),
    [
        (("a", "b"), ({"7": 10}, {"8": 10, "7": 2}), ended(new=2), None),
        (("a", "a"), ({"7": 10}, {"8": 10}), ended(new=0), "still points to a"),
        (("a", "b"), ({"7": 10}, {"8": 10, "7": 10}), ended(new=0), "counts 20 rows"),
        (("a", "b"), ({"7": 10}, {"7": 10}), ended(new=0), "in batches 7, and 10 with batch 8"),
        (("a", "b"), ({"7": 10}, {}), ended(), "had no row of 2026-11-26"),
    ],
)
def test_a_day_that_is_not_moved_or_is_counted_twice_is_a_failure(
    monkeypatch: pytest.MonkeyPatch,
    places: tuple[str, str],
    counts: tuple[dict[str, int], dict[str, int]],
    second: Ended,
    verdict: str | None,
) -> None:
    left = iter(places)
    monkeypatch.setattr(exports, "_location", lambda *_: next(left))
    rows = tuple([{"batch": batch, "n": n} for batch, n in one.items()] for one in counts)
    walked = played(second, rows=rows, first=ended(new=10))
    if verdict is None:
        assert exports.moved_partition(walked) == "10 rows of 2026-11-26 before, 12 after, none twice"
        return
    with pytest.raises((Problem, NotShown), match=verdict):
        exports.moved_partition(walked)


@pytest.mark.parametrize("first", [None, ended()])
def test_without_rows_there_is_no_partition_to_move(first: Ended | None) -> None:
    with pytest.raises(NotShown):
        exports.moved_partition(played(first=first))


def policy(decision: str) -> Mapping[str, Answer]:
    document = json.dumps({"Version": "2012-10-17", "Statement": []})
    result = {"EvalActionName": "s3:GetObject", "EvalResourceName": "*", "EvalDecision": decision}
    return {
        "sts__get_caller_identity": IDENTITY,
        "iam__get_policy": {"Policy": {"DefaultVersionId": "v1"}},
        "iam__get_policy_version": {"PolicyVersion": {"Document": document}},
        "iam__simulate_custom_policy": {"EvaluationResults": [result]},
    }


def test_a_policy_that_opens_more_than_analysts_need_fails_by_simulation_too() -> None:
    with pytest.raises(Problem, match=r"s3:GetObject on arn:aws:s3:::the-bucket/raw/opens/result is allowed"):
        analysts.query_as_analyst(trial(deployed(policy("allowed")), first=ended()))


def test_who_may_neither_make_a_role_nor_simulate_one_is_told_so() -> None:
    answers = {name: answer for name, answer in policy("allowed").items() if "simulate" not in name}
    with pytest.raises(NotShown, match="neither make a role"):
        analysts.query_as_analyst(trial(deployed(answers), first=ended()))


ALARM = {"AlarmName": "lake-throttles-plan-run", "AlarmActions": [OUTPUTS["AlertTopicArn"]], "StateValue": "OK"}
HEARD: Mapping[str, Answer] = {
    "cloudwatch__describe_alarms": {"MetricAlarms": [ALARM]},
    "cloudwatch__set_alarm_state": {},
    "sqs__create_queue": {"QueueUrl": "https://queue"},
    "sqs__get_queue_attributes": {"Attributes": {"QueueArn": "arn:aws:sqs:eu-west-1:111122223333:q"}},
    "sqs__set_queue_attributes": {},
    "sqs__receive_message": {},
    "sqs__delete_queue": {},
    "sns__subscribe": {"SubscriptionArn": "arn:aws:sns:eu-west-1:111122223333:lake-alerts:1"},
    "sns__unsubscribe": {},
}


def test_an_alarm_that_nobody_hears_is_a_failure_with_where_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarm, "_PATIENCE", 0.0)
    with pytest.raises(Problem, match=r"policies of the topic.*cloudwatch\.amazonaws\.com"):
        alarm.set_and_heard(trial(deployed(HEARD)))


def test_where_every_alarm_rings_already_nothing_is_set() -> None:
    ringing = {"cloudwatch__describe_alarms": {"MetricAlarms": [{**ALARM, "StateValue": "ALARM"}]}}
    with pytest.raises(NotShown, match="rings already"):
        alarm.set_and_heard(trial(deployed(ringing)))


def walked(monkeypatch: pytest.MonkeyPatch, step: Any, *, is_local: bool = False) -> tuple[Step, Trial]:
    monkeypatch.setattr(smoke, "STEPS", {"moved partition": step})
    one = trial(deployed({}, is_local=is_local))
    (found,) = smoke.walk(one, lambda _: None)
    return found, one


def test_a_step_that_fails_is_cleaned_up_after_in_reverse_and_what_stays_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []

    def refuse() -> None:
        raise Problem("no right")

    def step(one: Trial) -> str:
        one.undo.later("the queue", lambda: done.append("queue"))
        one.undo.later("the role", refuse)
        one.undo.later("the policy", lambda: done.append("policy"))
        raise Problem("It broke.")

    found, one = walked(monkeypatch, step)
    assert (found.verdict, found.words, done) == (Verdict.FAILED, "It broke.", ["policy", "queue"])
    report = Report("lake", "AWS", "OPENS", "1", datetime.now(UTC), [found], one.undo.left)
    assert not report.is_well
    assert "- the role (no right)" in report.page()


def test_a_surprise_is_a_failed_step_and_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def step(_: Trial) -> str:
        return dict[str, str]()["tally"]

    monkeypatch.setattr(smoke, "STEPS", {"alarm": step, "doctor": lambda _: "well"})
    first, second = smoke.walk(trial(deployed({})), lambda _: None)
    assert (first.verdict, first.words) == (Verdict.FAILED, "KeyError: 'tally'")
    assert second.verdict is Verdict.SHOWN


def test_what_this_cloud_lacks_is_never_shown_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert walked(monkeypatch, lambda _: "fine")[0].verdict is Verdict.SHOWN
    found, _ = walked(monkeypatch, lambda _: "fine", is_local=True)
    assert (found.verdict, "Rehearsed: fine" in found.words) == (Verdict.NOT_HERE, True)


def test_an_interrupted_run_is_cleaned_up_after_and_keeps_its_report(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    done: list[str] = []

    def stopped(one: Trial) -> str:
        one.undo.later("the role", lambda: done.append("role"))
        raise KeyboardInterrupt

    monkeypatch.setattr(smoke, "STEPS", {"alarm": lambda _: "heard", "moved partition": stopped})
    where = deployed({}, is_local=True)
    file = tmp_path / "report.md"
    given = Namespace(export="OPENS", period="LAST_DAY", part_bytes=PART, report=file)
    with pytest.raises(KeyboardInterrupt):
        arguments.run(given, where, lambda _: None)
    assert done == ["role"]
    assert "| alarm | shown |" in file.read_text()


@pytest.mark.parametrize(
    ("found", "chosen"),
    [({"Table": {"Name": "opens"}}, "LAST_DAY"), (("EntityNotFoundException", "not there"), "LAST_2_WEEKS")],
)
def test_a_table_that_is_not_there_yet_is_decided_from_more_than_a_day(found: Answer, chosen: str) -> None:
    given = Namespace(export="OPENS", period=None, part_bytes=PART, report=None)
    assert arguments.trial(given, deployed({"glue__get_table": found})).period == chosen
