"""What a user says beside the files: export type, settings, and when the export was ordered."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from infra import settings as infra_settings
from infra.settings import BadSetting, fields_of
from lambdas.settings import Settings
from lambdas.vocabulary import EXPORT_TYPES, ExportType, Period, UnknownName, export_type, period
from local.problem import Misused

_CDK = Path(__file__).parent.parent.parent / "cdk.json"
SETTINGS = (
    *("eventTime", "identityFields", "timestampTimeZone", "timeZone"),
    *("quarantineRatio", "quarantineMinimum", "unknownTimeRatio"),
)
"""The settings that say what a file becomes."""


@dataclass(frozen=True)
class Order:
    """When and for which period an export was ordered."""

    at: datetime
    period: Period


@dataclass(frozen=True)
class Options:
    """How files are read."""

    settings: Settings
    """As the load has them. Only those that decide what a file becomes have a value."""
    export: ExportType | None = None
    """Of all files; None is that of each file's name."""
    orders: tuple[Order, ...] = ()
    """Of each file, or one of all; none where it is not known."""

    def order(self, position: int) -> Order | None:
        """The order of a file."""
        return None if not self.orders else self.orders[position if len(self.orders) > 1 else 0]


def stack_settings(given: Mapping[str, str], allowed: Sequence[str]) -> infra_settings.Settings:
    """The settings of cdk.json with those given in their place, which are among the allowed ones.

    Raises:
        Misused: one is unknown or cannot be used.
    """
    context = {**json.loads(_CDK.read_text())["context"], **given}
    # When the nightly rules fire says nothing about a file: any zone is as good as another.
    context |= {"staggerMinutes": 0, "scheduleTime": _at_night(context.get("timeZone", "UTC"))}
    try:
        found = infra_settings.from_context(context)
    except BadSetting as error:
        raise Misused(str(error)) from None
    foreign = sorted(set(given) - set(allowed))
    if foreign:
        raise Misused(f"The setting {foreign[0]} changes nothing here; this command takes {', '.join(allowed)}.")
    return found


def _at_night(zone: str) -> str:
    try:
        local = datetime.combine(datetime.now(UTC).date(), time(3), ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        return "03:30"
    return f"{local.astimezone(UTC):%H:%M}"


def load_settings(stack: infra_settings.Settings) -> Settings:
    """The settings as the functions read them."""
    chosen: dict[str, Any] = {
        "time_zone": stack.time_zone,
        "timestamp_time_zone": stack.timestamp_time_zone,
        "identity_fields": stack.identity_fields,
        "event_time": {name: tuple(fields_of(times)) for name, times in stack.event_time.items()},
        "quarantine_ratio": stack.quarantine_ratio,
        "quarantine_minimum": stack.quarantine_minimum,
        "unknown_time_ratio": stack.unknown_time_ratio,
    }
    values: dict[str, Any] = {field.name: chosen.get(field.name) for field in fields(Settings)}
    return Settings(**values)


def chosen_export(name: str | None) -> ExportType | None:
    """The export type of that name.

    Raises:
        Misused: there is none.
    """
    try:
        return None if name is None else export_type(name)
    except UnknownName as error:
        raise Misused(str(error)) from None


def export_of(file: Path) -> ExportType:
    """The export type that a file's name has: `OPENS_result.json`, `hard_bounces.night-1.json`.

    Raises:
        Misused: it has none, or several.
    """
    words = "_".join(re.findall(r"[A-Z]+", file.name.upper()))
    found = {
        export_type(name).name for name in (*EXPORT_TYPES, "OPENED") if re.search(rf"(?<![A-Z]){name}(?![A-Z])", words)
    }
    if len(found) != 1:
        what = f"several export types ({', '.join(sorted(found))})" if found else "no export type"
        raise Misused(f"The name of {file} has {what}; say with --export which it is: {', '.join(EXPORT_TYPES)}.")
    return export_type(found.pop())


def orders(at: Sequence[str], period_name: str | None, files: int) -> tuple[Order, ...]:
    """When the files were ordered: one time for all, or one for each.

    Raises:
        Misused: a time or the period cannot be used, or one is missing.
    """
    if bool(at) != (period_name is not None):
        raise Misused("--ordered-at and --period belong together: they say which span the export was ordered for.")
    if len(at) > 1 and len(at) != files:
        raise Misused(f"--ordered-at stands {len(at)} times for {files} files: give it once, or once for each file.")
    if period_name is None:
        return ()
    try:
        chosen = period(period_name)
    except UnknownName as error:
        raise Misused(str(error)) from None
    return tuple(Order(_instant(text), chosen) for text in at)


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Misused(f"--ordered-at takes a time such as 2026-01-31T03:30:00Z, not '{text}'.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
