"""A bad value is one sentence that names the setting, its value and what is wanted."""

from typing import Any

import pytest

from infra import batch_statuses
from infra.settings import BadSetting, Settings, from_context
from lambdas.symplify import statuses
from tests.infra.synthesis import CONTEXT

KEY = "arn:aws:kms:eu-west-1:123456789012:key/1-2-3"
NAMED = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"
GOOD = CONTEXT | {"customerId": "1234"}


def test_values_of_cdk_json_are_taken_as_they_stand() -> None:
    settings = from_context(GOOD)
    assert settings.stack_name == CONTEXT["stackName"]
    assert settings.time_zone == CONTEXT["timeZone"]


def test_results_may_come_from_the_vendors_bucket_by_either_of_its_host_names() -> None:
    assert from_context(GOOD).result_hosts == (
        "carma-filetransfer.s3-eu-west-1.amazonaws.com",
        "carma-filetransfer.s3.eu-west-1.amazonaws.com",
    )


def test_text_from_the_command_line_becomes_what_the_setting_is() -> None:
    settings = from_context(
        GOOD | {"pollFirstSeconds": "7", "deleteDataWithStack": "true", "exports": '{"OPENS": false}', "tags": "{}"}
    )
    assert settings.poll_first_seconds == 7
    assert settings.delete_data_with_stack is True
    assert not settings.is_on("OPENS")
    assert settings.is_on("CLICKS")


def test_names_that_cdk_keeps_in_the_context_are_not_settings() -> None:
    assert from_context(
        GOOD | {"@aws-cdk/core:x": True, "aws:cdk:a": True, "acknowledged-issue-numbers": [1]}
    ) == from_context(GOOD)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("pollFirstSecond", 5, "Perhaps pollFirstSeconds is meant."),
        ("pollFirstSeconds", "soon", '"soon"'),
        ("pollFirstSeconds", 0, ">= 5"),
        ("pollFirstSeconds", 400, "pollMaxSeconds"),
        ("callsPerMinute", -1, ">= 0"),
        ("machineClickSeconds", 61, "<= 60"),
        ("callsPerMinute", 121, "<= 120"),
        ("callsPerMinute", "a few", "callsPerMinute"),
        ("nightlyPeriod", "LAST_MONTH", "LAST_MONTH"),
        ("nightlyPeriod", "TODAY", "misses the rest of the day"),
        ("sweepWeekday", "SUN", "SUNDAY, or nothing"),
        ("stackName", "Symplify Lake", "stackName"),
        ("stackName", "a" * 30, "stackName"),
        ("baseUrl", "http://eu-proxy-1.symplifymail.com/rest", "https"),
        ("baseUrl", "https://user:secret@example.com/rest", "baseUrl"),
        ("customerId", "", "customerId"),
        ("customerId", "12/34", "customerId"),
        ("exports", {"OPENINGS": True}, "OPENINGS"),
        ("exports", {"OPENED": True}, "write OPENS"),
        ("exports", {"OPENS": "sometimes"}, "exports"),
        ("identityFields", {"OPENED": ["contactId"]}, "write OPENS"),
        ("identityFields", {"OPENS": []}, "identityFields"),
        ("identityFields", {"OPENS": "contactId"}, "identityFields"),
        ("identityFields", {"OPENS": ["contactId", "contactId"]}, "twice"),
        ("batchStatuses", {"QUEUED": "waiting"}, "running, finished or failed"),
        ("batchStatuses", {" ": "running"}, "batchStatuses"),
        ("batchStatuses", ["QUEUED"], "running, finished or failed"),
        ("batchStatuses", {f"S{number}": "running" for number in range(13)}, "at most 12"),
        ("batchStatuses", {"Queued": "running", " QUEUED ": "failed"}, "QUEUED twice"),
        ("batchStatuses", {"finished": "running"}, "FINISHED, whose meaning is built in"),
        ("timeZone", "Europe/Stockholms", "Europe/Stockholms"),
        ("timeZone", "../etc/passwd", "timeZone"),
        ("scheduleTime", "24:00", "scheduleTime"),
        ("scheduleTime", "3.30", "such as 03:30"),
        ("resultHosts", [], "resultHosts"),
        ("resultHosts", ["*"], "at least three parts"),
        ("tags", {"aws:team": "data"}, "AWS's own"),
        ("logRetentionDays", 8, "one of 1, 3, 5"),
        ("quarantineRatio", 2, "quarantineRatio"),
        ("architecture", "riscv", "arm64 or x86_64"),
        ("tokenSecretArn", "my-secret", "tokenSecretArn"),
        ("tokenSecretArn", f"{NAMED}symplify", "six characters"),
        ("tokenSecretArn", f"{NAMED}symplify-token", "six characters"),
        ("tokenSecretKeyArn", "alias/mine", "tokenSecretKeyArn"),
        ("tags", "team=data", "tags"),
    ],
)
def test_a_bad_value_is_one_sentence(name: str, value: Any, words: str) -> None:
    with pytest.raises(BadSetting) as caught:
        from_context(GOOD | {name: value})
    sentence = str(caught.value)
    assert words in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")


@pytest.mark.parametrize(
    ("context", "words"),
    [
        ({"deleteDataWithStack": True, "useExistingData": True}, "exclude each other"),
        ({"tokenSecretKeyArn": KEY}, "tokenSecretArn"),
    ],
)
def test_settings_that_mean_nothing_together_are_one_sentence(context: dict[str, Any], words: str) -> None:
    with pytest.raises(BadSetting, match=words) as caught:
        from_context(GOOD | context)
    assert str(caught.value).endswith(".")
    for name in context:
        assert name in str(caught.value)


def test_words_for_a_batchs_status_are_taken_and_the_built_in_ones_are_those_of_the_functions() -> None:
    assert from_context(GOOD | {"batchStatuses": '{"Queued": "running"}'}).batch_statuses == {"Queued": "running"}
    assert set(batch_statuses.BUILT_IN) == set(statuses.BUILT_IN)


def test_a_setting_that_has_no_default_is_missed_by_name() -> None:
    with pytest.raises(BadSetting, match="customerId"):
        from_context({name: value for name, value in GOOD.items() if name != "customerId"})


@pytest.mark.parametrize(
    ("zone", "time", "is_refused"),
    [
        # 22:30 UTC is 00:30 in Stockholm in summer and 23:30 in winter: half the year it would miss the evening.
        ("Europe/Stockholm", "22:30", True),
        ("Europe/Stockholm", "21:30", True),
        ("Europe/Stockholm", "23:00", False),
        # The last of ten rules, 45 minutes later, counts as well.
        ("UTC", "23:30", True),
        ("America/New_York", "03:30", True),
        ("America/New_York", "05:00", False),
        ("Asia/Kolkata", "18:30", False),
        ("Asia/Kolkata", "18:25", True),
        ("Australia/Sydney", "13:30", True),
        ("Australia/Sydney", "14:00", False),
    ],
)
def test_a_rule_that_fires_before_the_local_midnight_is_refused(zone: str, time: str, is_refused: bool) -> None:
    context = GOOD | {"timeZone": zone, "scheduleTime": time}
    if is_refused:
        with pytest.raises(BadSetting, match="before the local midnight"):
            from_context(context)
    else:
        assert isinstance(from_context(context), Settings)
