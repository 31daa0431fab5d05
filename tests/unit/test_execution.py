"""A run's identity and its state."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas.execution import BadInput, Execution, RunState
from lambdas.outcome import Outcome
from tests.unit.fakes import make_run


def test_a_state_survives_the_round_trip_through_the_machine() -> None:
    state = RunState(
        export_type="OPENS",
        scheduled_time="2026-11-24T03:30:00Z",
        period="LAST_3_DAYS",
        outcome=Outcome.LOADED,
        batch_id="7",
        ordered_at="2026-11-24T03:30:01.000000+00:00",
        polls=3,
        bytes=2,
        rows=1,
        tally={"read": 1, "days": {"2026-11-23": {"read": 1}}},
        error={"Error": "E", "Cause": "C"},
    )

    assert RunState.from_json(json.loads(json.dumps(state.to_json()))) == state


def test_fields_that_are_not_set_are_not_written() -> None:
    assert RunState(export_type="OPENS").to_json() == {"exportType": "OPENS"}


@pytest.mark.parametrize("given", [None, [], "OPENS", 5, True])
def test_an_input_that_is_no_object_is_refused(given: Any) -> None:
    with pytest.raises(BadInput, match="is a JSON object"):
        RunState.from_json(given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"exportType": 5}, "exportType must be text"),
        ({"exportType": None}, "exportType must be text"),
        ({"exportType": ["OPENS"]}, "exportType must be text"),
        ({"period": []}, "period must be text"),
        ({"scheduledTime": 5}, "scheduledTime must be text"),
        ({"polls": "5"}, "polls must be a whole number"),
        ({"polls": True}, "polls must be a whole number"),
        ({"waitSeconds": 1.5}, "waitSeconds must be a whole number"),
        ({"tally": []}, "tally must be an object"),
        ({"error": "oops"}, "error must be an object"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_with_a_sentence(given: Any, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        RunState.from_json(given)


def test_an_unknown_field_is_refused_with_a_sentence() -> None:
    with pytest.raises(BadInput, match=r"'exporttype', 'x'.*exportType, period and scheduledTime"):
        RunState.from_json({"x": 1, "exporttype": "OPENS"})


def test_a_state_without_a_batch_has_no_age() -> None:
    with pytest.raises(BadInput, match="needs a batch"):
        _ = RunState(export_type="OPENS", batch_id="7").age


def test_runs_of_the_same_name_have_different_folders() -> None:
    first, second = (make_run("again", datetime(2026, month, 1, tzinfo=UTC)) for month in (1, 6))

    assert first.folder == "20260101T000000-again"
    assert first.folder != second.folder


def test_the_name_that_eventbridge_gives_is_that_of_the_folder() -> None:
    name = "0cc175b9-c0f1-b6a8-31c3-99e269772661_92eb5ffe-e6ae-2fec-3ad7-1c777531578f"

    assert make_run(name, datetime(2026, 1, 1, tzinfo=UTC)).folder == f"20260101T000000-{name}"


@pytest.mark.parametrize("name", ["a/b", "ö", "a b", "x" * 100, "a_b=c"])
def test_a_runs_folder_is_safe_in_a_key(name: str) -> None:
    folder = Execution(f"arn:aws:states:eu-west-1:1:execution:lake:{name}", datetime(2026, 1, 1, tzinfo=UTC)).folder

    assert set(folder) <= set("abcdefghijklmnopqrstuvwxyz0123456789T-")
    assert len(folder) < 100


def test_an_outcome_is_read_as_one_and_an_unknown_text_is_kept() -> None:
    known, unknown = (RunState.from_json({"outcome": text}) for text in ("loaded", "dancing"))

    assert known.outcome is Outcome.LOADED
    assert unknown.outcome not in set(Outcome)
    assert unknown.to_json() == {"outcome": "dancing"}
