"""The settings that the deployment gives to the functions, read from the environment once per process."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any, get_origin


@dataclass(frozen=True)
class Settings:
    """Every value comes from the environment variable of the same name in capitals (`infra/functions.py` sets them)."""

    base_url: str
    customer_id: str
    token_secret_arn: str
    bucket: str
    database: str
    ledger_table: str
    time_zone: str
    """The account's zone, an IANA name: it decides the day (`dt`) of an event."""
    nightly_period: str
    sweep_weekday: str
    """The weekday (MONDAY …) whose night exports two weeks, to catch late events; empty for never."""
    result_hosts: tuple[str, ...]
    """Host names that a result link may point to; `*` stands for any one label of a name."""
    allow_loopback_http: bool
    """Allow plain http to this machine itself, for the local cloud alone."""
    calls_per_minute: int
    """How many calls of Symplify all exports may make together within a minute; 0 for no limit of our own."""
    poll_first_seconds: int
    poll_max_seconds: int
    run_deadline_minutes: int
    """How long after its start a run may wait for the vendor."""
    order_grace_seconds: int
    """How long to wait before a second order when the answer to the first was lost."""
    order_attempts: int
    lease_wait_seconds: int
    longest_function_seconds: int
    """The longest time-out of any function: how long a function may be at work after its run has ended."""
    superseded_retention_hours: int
    """How long a superseded file is kept for queries that still read it; 0 deletes it at once."""
    stack_name: str
    state_machine_arn: str
    alert_topic_arn: str
    watched_exports: tuple[str, ...]
    """The export types whose rules are switched on."""
    nightly_summary: bool
    contact_engagement: bool
    """Whether analysts get the view `contact_engagement`, which profiles persons."""
    machine_click_seconds: int
    """Within how many seconds clicks of one contact and send on two links are suspected to be a machine's."""
    quarantine_ratio: float
    quarantine_minimum: int
    identity_fields: Mapping[str, tuple[str, ...]]
    """The fields that identify a record, by export type, where a team has chosen them; JSON in the environment."""
    batch_statuses: Mapping[str, str]
    """What Symplify's words for a batch's status mean, besides those that are built in; JSON in the environment."""

    event_time: Mapping[str, tuple[Mapping[str, str], ...]]
    """By export type, the fields that have the event's time where a team has chosen them, the best first: each with
    `field`, and maybe `format` and `timeZone`. JSON in the environment."""
    timestamp_time_zone: str
    """Of times whose texts have no offset; empty for the account's."""
    unknown_time_ratio: float
    """The share of records without a usable time above which a run fails."""

    @property
    def run_deadline(self) -> timedelta:
        """The deadline as a duration."""
        return timedelta(minutes=self.run_deadline_minutes)

    @property
    def superseded_retention(self) -> timedelta:
        """The retention of superseded files as a length of time."""
        return timedelta(hours=self.superseded_retention_hours)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings.

        Raises:
            KeyError: a variable is missing, which only a broken deployment can cause.
        """
        values: dict[str, Any] = {}
        for field in fields(cls):
            text = environment[field.name.upper()]
            if field.type is int:
                values[field.name] = int(text)
            elif field.type is float:
                values[field.name] = float(text)
            elif field.type is bool:
                values[field.name] = text == "true"
            elif get_origin(field.type) is Mapping:
                values[field.name] = {name: _frozen(value) for name, value in json.loads(text).items()}
            elif field.type is str:
                values[field.name] = text
            else:
                values[field.name] = tuple(part.strip() for part in text.split(",") if part.strip())
        return cls(**values)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
