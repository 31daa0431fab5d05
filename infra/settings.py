"""The values that a team sets in `cdk.json` (or with `cdk -c NAME=VALUE`): their types, bounds and defaults.

A bad value is one sentence. Names are camelCase in the context and snake_case here.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from difflib import get_close_matches
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from infra.batch_statuses import WANTED as STATUSES_WANTED
from infra.batch_statuses import BatchStatuses
from infra.batch_statuses import problem as statuses_problem
from infra.setting_conflicts import problem as conflict
from lambdas.vocabulary import EXPORT_TYPES, Nature, Period, TimeFormat, UnknownName, export_type

EXAMPLE_CUSTOMER = "123456"
"""The customer id in the cdk.json of this repository; deploying with it is a warning."""

# Enough for any identity; `environment_size.py` bounds them all together.
_Path = Annotated[str, Meta(min_length=1, max_length=64)]
_Paths = Annotated[tuple[_Path, ...], Meta(min_length=1, max_length=8)]
_TagName = Annotated[str, Meta(pattern="^(?!aws:).{1,128}$")]
# A star stands for one part of the name, so that the list cannot allow everything.
_Host = Annotated[str, Meta(pattern=r"^[A-Za-z0-9*-]+([.][A-Za-z0-9*-]+){2,}$")]
_KEY = "^(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)?$"
# IAM compares whole ARNs: without the six characters that Secrets Manager adds to a name, a role may read nothing.
_SECRET = "^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+-[A-Za-z0-9]{6})?$"  # noqa: S105
_Days = Annotated[int, Meta(ge=1, le=3650)]
_Weekday = Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY", ""]
_LogDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653]


# Besides the waits for Symplify and for the lease: copy and load, each resumed a few times.
_WORK = timedelta(hours=2)


class EventTime(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """A field that has the event's time, with its format and the zone of its texts where these are not evident."""

    field: _Path
    format: TimeFormat | None = None
    time_zone: str | None = None


class BadSetting(ValueError):
    """A value of the context cannot be used; the text is a sentence for the person who set it."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One deployment. Resources are named after `stack_name`, so two of them live in one account."""

    # Short enough that bucket names, which end in account and region, stay within S3's 63 characters.
    stack_name: Annotated[str, Meta(pattern="^[a-z][a-z0-9-]{0,27}[a-z0-9]$")] = "symplify-lake"
    tags: Mapping[_TagName, str] = {}

    base_url: str
    customer_id: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$")]
    token_secret_arn: Annotated[str, Meta(pattern=_SECRET)] = ""
    """The ARN of a secret that exists; empty makes one."""
    token_secret_key_arn: Annotated[str, Meta(pattern=_KEY)] = ""
    """The KMS key of that secret, where it is neither AWS's nor `kms_key_arn`."""
    # The vendor's bucket, by both of its host names.
    result_hosts: Annotated[tuple[_Host, ...], Meta(min_length=1)] = (
        "carma-filetransfer.s3-eu-west-1.amazonaws.com",
        "carma-filetransfer.s3.eu-west-1.amazonaws.com",
    )
    allow_loopback_http: bool = False

    time_zone: str = "UTC"
    schedule_time: Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "03:30"
    """When the first rule fires, UTC; the others follow at intervals."""
    stagger_minutes: Annotated[int, Meta(ge=0, le=60)] = 5
    exports: Mapping[str, bool] = {}
    """By export type; a type that is not named is on."""
    identity_fields: Mapping[str, _Paths] = {}
    """By export type: the fields, or paths into objects, that identify a record, in place of what the records say."""
    event_time: Mapping[str, _Path | _Paths | EventTime] = {}
    """By export type: the field, path or paths that have the event's time, in place of what the records say."""
    timestamp_time_zone: str = ""
    """Of times whose texts have no offset; empty means the account's."""
    unknown_time_ratio: Annotated[float, Meta(ge=0, le=1)] = 0.01
    nightly_period: Period = Period.LAST_3_DAYS
    sweep_weekday: _Weekday = "SUNDAY"

    calls_per_minute: Annotated[int, Meta(ge=0, le=120)] = 0
    """How many calls of Symplify all exports may make together within a minute; 0 is no limit of our own."""
    poll_first_seconds: Annotated[int, Meta(ge=5, le=3600)] = 30
    poll_max_seconds: Annotated[int, Meta(ge=5, le=3600)] = 300
    batch_statuses: BatchStatuses = {}
    """What further words of Symplify's for a batch's status mean."""
    run_deadline_hours: Annotated[int, Meta(ge=1, le=20)] = 6
    """How long after its start a run may wait for Symplify; a night must end before the next one begins."""
    order_grace_seconds: Annotated[int, Meta(ge=1, le=7200)] = 900
    order_attempts: Annotated[int, Meta(ge=1, le=3)] = 2
    lease_wait_minutes: Annotated[int, Meta(ge=1, le=240)] = 60

    raw_retention_days: _Days = 400
    """Tables are rebuilt from raw; Symplify itself keeps 12 months."""
    noncurrent_retention_days: _Days = 30
    superseded_retention_hours: Annotated[int, Meta(ge=0, le=720)] = 24
    query_result_retention_days: _Days = 30
    log_retention_days: _LogDays = 90
    delete_data_with_stack: bool = False
    use_existing_data: bool = False
    """Use the bucket, database and ledger that an earlier stack of this name has left."""

    alert_emails: tuple[Annotated[str, Meta(pattern="^[^@ ]+@[^@ ]+[.][^@ ]+$")], ...] = ()
    """Who is notified of failures and silence; each address must confirm its subscription first."""
    nightly_summary: bool = False
    morning_report: bool = True
    contact_engagement: bool = False
    machine_click_seconds: Annotated[int, Meta(ge=0, le=60)] = 1
    monthly_budget_usd: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    """What a month may cost before AWS Budgets writes to the alert addresses; 0 makes no budget."""
    budget_tag: str = ""
    """The name in `tags` whose costs count; empty counts the whole account."""
    kms_key_arn: Annotated[str, Meta(pattern=_KEY)] = ""
    """The team's own KMS key for everything that stores data; empty means AWS's keys."""

    quarantine_ratio: Annotated[float, Meta(ge=0, le=1)] = 0.001
    quarantine_minimum: Annotated[int, Meta(ge=0)] = 10
    athena_scan_limit_gb: Annotated[int, Meta(ge=1, le=100_000)] = 100
    """What one query may read at most; a gigabyte is 2^30 bytes."""

    architecture: Literal["arm64", "x86_64"] = "arm64"
    bundle: Literal["lambda", "host"] = "lambda"
    """The platform of the functions' packages: AWS Lambda, or this machine (the local cloud)."""

    @property
    def database(self) -> str:
        """The Glue database; Athena takes no hyphens in names."""
        return self.stack_name.replace("-", "_")

    @property
    def machine_timeout(self) -> timedelta:
        """The longest a run may take; the machine ends it then."""
        return timedelta(hours=self.run_deadline_hours, minutes=self.lease_wait_minutes) + _WORK

    @property
    def watch_time(self) -> time:
        """When the watch checks the night, UTC: when even the run of the last rule must have ended."""
        last = datetime.combine(datetime.now(UTC).date(), self.rule_time(len(EXPORT_TYPES) - 1))
        return (last + self.machine_timeout).time()

    def is_on(self, export: str) -> bool:
        """Whether the rule of an export is enabled."""
        return self.exports.get(export, True)

    def rule_time(self, position: int) -> time:
        """When the rule at that position of the night fires, UTC."""
        first = datetime.combine(datetime.now(UTC).date(), time.fromisoformat(self.schedule_time))
        return (first + timedelta(minutes=position * self.stagger_minutes)).time()


def from_context(context: Mapping[str, Any]) -> Settings:
    """Read the settings from a CDK context, without the names that CDK keeps there (`@aws-cdk/…`, `aws:…`, `a-b`).

    Raises:
        BadSetting: a name is unknown or a value cannot be used.
    """
    given = {name: _parsed(value) for name, value in context.items() if not re.search("[@:/-]", name)}
    _check_names(given)
    try:
        settings = msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise BadSetting(_sentence(str(error), given)) from None
    if settings.nightly_period is Period.TODAY:
        raise BadSetting(
            "The setting nightlyPeriod in cdk.json is TODAY, which misses the rest of the day; choose one of "
            f"{', '.join(period for period in Period if period is not Period.TODAY)}."
        )
    _check_address(settings)
    _check_exports(settings)
    _check_statuses(settings)
    _check_times(settings)
    if found := conflict(settings):
        raise BadSetting(f"{found}.")
    return settings


def _parsed(value: Any) -> Any:
    """Values of `cdk -c` are text; lists and objects come as JSON there."""
    if isinstance(value, str) and value.startswith(("{", "[")):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _sentence(problem: str, given: Mapping[str, Any]) -> str:
    """Turn `Expected int - at $.pollFirstSeconds` into a sentence with the setting, its value and what it takes."""
    expected, _, path = problem.replace("`", "'").partition(" - at ")
    found = re.search(r"\$\.(\w+)", path)
    if found is None:
        return f"A setting in cdk.json is wrong: {expected}."
    name = found[1]
    wanted = _WANTED.get(name, "it takes true or false" if "'bool'" in expected else expected)
    return f"The setting {name} in cdk.json is {json.dumps(given.get(name))}, which cannot be used: {wanted}."


_WANTED: Mapping[str, str] = {
    "stackName": "it takes 2 to 29 lower-case letters, digits and hyphens, a letter first",
    "customerId": "it takes the id that Symplify gave you, of letters, digits, hyphens and underscores",
    "tags": "it takes names with texts, and names that begin with aws: are AWS's own",
    "tokenSecretArn": "it takes the whole ARN of a secret, with the hyphen and six characters at its end, or nothing",
    "resultHosts": "it takes a list of host names of at least three parts, where * may stand for one",
    "scheduleTime": "it takes a time of day, UTC, such as 03:30",
    "exports": "it takes export types, each with true or false",
    "eventTime": "it takes export types, each with a field, a list of fields, or "
    f'{{"field": …, "format": …, "timeZone": …}}, where format is one of {", ".join(TimeFormat)}',
    "nightlyPeriod": f"it takes one of {', '.join(period for period in Period if period is not Period.TODAY)}",
    "sweepWeekday": f"it takes one of {', '.join(filter(None, get_args(_Weekday)))}, or nothing",
    "batchStatuses": STATUSES_WANTED,
    "logRetentionDays": f"it takes one of {', '.join(map(str, get_args(_LogDays)))}",
    "architecture": "it takes arm64 or x86_64",
    "bundle": "it takes lambda or host",
}
"""What a setting takes, where the library would show a pattern or nothing."""


def _check_names(given: Mapping[str, Any]) -> None:
    known = [field.encode_name for field in msgspec.structs.fields(Settings)]
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f" Perhaps {near[0]} is meant." if near else ""
            raise BadSetting(f"There is no setting '{name}'.{hint}")


def _check_address(settings: Settings) -> None:
    is_loopback = settings.base_url.startswith(("http://127.0.0.1:", "http://localhost:", "http://[::1]:"))
    if is_loopback and settings.allow_loopback_http:
        return
    if not settings.base_url.startswith("https://") or "@" in settings.base_url:
        raise BadSetting(
            f"The setting baseUrl in cdk.json is '{settings.base_url}'; it must be the https address that Symplify "
            "gave you, such as https://eu-proxy-1.symplifymail.com/rest."
        )


def _check_exports(settings: Settings) -> None:
    chosen_by_export: Mapping[str, Mapping[str, Any]] = {
        "exports": settings.exports,
        "identityFields": settings.identity_fields,
        "eventTime": settings.event_time,
    }
    for setting, names in chosen_by_export.items():
        for name in names:
            try:
                known = export_type(name).name
            except UnknownName as error:
                raise BadSetting(f"The setting {setting} in cdk.json cannot be used: {error}") from None
            if known != name:
                raise BadSetting(f"The setting {setting} in cdk.json has '{name}'; write {known}.")
    for name, chosen in settings.identity_fields.items():
        if len(set(chosen)) < len(chosen):
            raise BadSetting(f"The setting identityFields in cdk.json names a field of {name} twice.")
    for name, times in settings.event_time.items():
        if EXPORT_TYPES[name].nature is Nature.ENTITIES:
            raise BadSetting(f"The setting eventTime in cdk.json has {name}, whose table has no days.")
        for one in fields_of(times):
            _check_zone("eventTime", one.get("timeZone"))
    _check_zone("timestampTimeZone", settings.timestamp_time_zone or None)


def fields_of(chosen: str | tuple[str, ...] | EventTime) -> list[dict[str, str]]:
    """The fields that a team has chosen for the event's time, the best first, as the functions read them."""
    if isinstance(chosen, EventTime):
        return [dict(msgspec.to_builtins(chosen))]
    return [{"field": path} for path in ((chosen,) if isinstance(chosen, str) else chosen)]


def _check_zone(setting: str, zone: str | None) -> None:
    try:
        ZoneInfo(zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        raise BadSetting(
            f"The setting {setting} in cdk.json has '{zone}', which is no IANA time zone such as Europe/Stockholm."
        ) from None


def _check_statuses(settings: Settings) -> None:
    problem = statuses_problem(settings.batch_statuses)
    if problem is not None:
        raise BadSetting(f"The setting batchStatuses in cdk.json {problem}.")


def _check_times(settings: Settings) -> None:
    """Refuse a rule that fires before the local day has ended: the night would miss the evening."""
    _check_zone("timeZone", settings.time_zone)
    zone = ZoneInfo(settings.time_zone)
    today = datetime.now(UTC).date()
    for position, export in enumerate(EXPORT_TYPES):
        fires = settings.rule_time(position)
        for month in range(12):
            moment = datetime.combine(today + timedelta(days=30 * month), fires, UTC)
            local = moment.astimezone(zone)
            if local.hour >= 12:
                raise BadSetting(
                    f"The rule of {export} would fire at {fires:%H:%M} UTC, which is {local:%H:%M} in "
                    f"{settings.time_zone} on {local:%d %B}: before the local midnight, so the night would miss the "
                    "rest of that day. Choose another scheduleTime in cdk.json, for summer and winter time alike."
                )
