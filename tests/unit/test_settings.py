"""Settings from the environment."""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta

import pytest

from lambdas.settings import Settings
from tests.unit.fakes import make_settings


def environment(**changes: str) -> dict[str, str]:
    """The environment that a deployment with the fakes' settings would set."""
    plain = make_settings()
    found = {}
    for field in fields(Settings):
        value = getattr(plain, field.name)
        found[field.name.upper()] = ",".join(value) if isinstance(value, tuple) else str(value).lower()
        if isinstance(value, Mapping):
            found[field.name.upper()] = json.dumps(value)
        if isinstance(value, str):
            found[field.name.upper()] = value
    return found | changes


def test_every_value_is_read_as_its_type() -> None:
    assert Settings.from_environment(environment()) == make_settings()


def test_hosts_are_a_list_with_blanks_around_them() -> None:
    read = Settings.from_environment(environment(RESULT_HOSTS="a.example.com, *.b.example.com,"))

    assert read.result_hosts == ("a.example.com", "*.b.example.com")


def test_identity_fields_are_read_by_export_type() -> None:
    read = Settings.from_environment(environment(IDENTITY_FIELDS='{"CLICKS": ["contactId", "linkTarget"]}'))

    assert read.identity_fields == {"CLICKS": ("contactId", "linkTarget")}


def test_batch_statuses_are_read_by_word() -> None:
    read = Settings.from_environment(environment(BATCH_STATUSES='{"QUEUED": "running"}'))

    assert read.batch_statuses == {"QUEUED": "running"}


@pytest.mark.parametrize(("text", "allowed"), [("true", True), ("false", False), ("", False), ("1", False)])
def test_loopback_is_allowed_by_true_alone(text: str, allowed: bool) -> None:
    assert Settings.from_environment(environment(ALLOW_LOOPBACK_HTTP=text)).allow_loopback_http is allowed


def test_a_missing_variable_is_an_error_that_names_it() -> None:
    given = environment()
    del given["BUCKET"]

    with pytest.raises(KeyError, match="BUCKET"):
        Settings.from_environment(given)


def test_the_deadline_is_a_duration() -> None:
    assert make_settings(run_deadline_minutes=90).run_deadline == timedelta(hours=1.5)
