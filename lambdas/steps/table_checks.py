"""What is frozen with a table, checked against the batch and the settings; and what decides it for a new one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from lambdas.lake.errors import Undecided, Unloadable
from lambdas.lake.profile.audit import TELLING_RECORDS, Export
from lambdas.lake.profile.chosen import Chosen
from lambdas.lake.profile.profile import EventTime, Profile
from lambdas.lake.profile.window import Window, ordered_window
from lambdas.lake.rows.staging import Rows
from lambdas.lake.storage.landing import Manifest
from lambdas.lake.tables.glue_tables import SCHEMA_VERSION, Table
from lambdas.settings import Settings
from lambdas.vocabulary import ExportType, Period, TimeFormat, UnknownName, period

# So many records without a usable time never fail a run, unless they are most of it.
_FEW = 10
_UNITS = {timedelta(minutes=1): "minutes", timedelta(hours=1): "hours", timedelta(days=1): "days"}
_REBUILD = "rebuild the table with replay --rebuild --reprofile."


def check_not_left_out(table: Table | None, batch_id: str) -> None:
    """Refuse a batch that a rebuild has excluded from the table.

    Raises:
        Unloadable: it was excluded.
    """
    if table is not None and batch_id in table.left_out:
        raise Unloadable(f"The table was rebuilt without batch {batch_id}, so it is not loaded again.")


def check_table(table: Table, export: ExportType, settings: Settings) -> None:
    """Refuse a table that is of an earlier version, or contradicts the settings.

    Raises:
        Unloadable: it is or does.
    """
    _check_version(table, export)
    _check_time_zone(table, settings)
    _check_identity(table, settings.identity_fields.get(export.name, ()))
    _check_event_time(table, export, settings)
    _check_zones(table, export, settings)


def kept_profile(table: Table, export: ExportType, settings: Settings) -> Profile:
    """The profile that a rebuild keeps, with the zones that the settings name now: a rebuild may change these.

    Raises:
        Unloadable: the settings choose other fields.
    """
    _check_identity(table, settings.identity_fields.get(export.name, ()))
    _check_event_time(table, export, settings)
    times = (replace(one, time_zone=_zones(one, export, settings)[0]) for one in table.profile.event_time)
    return replace(table.profile, event_time=tuple(times))


def _zones(time: EventTime, export: ExportType, settings: Settings) -> tuple[str, ...]:
    """The zones in which a table may read texts without an offset: the settings' first.

    Tables of earlier versions read dates alone as other texts.
    """
    chosen, texts = chosen_for(export, settings), settings.timestamp_time_zone or settings.time_zone
    if time.field in chosen.time_zones:
        return (chosen.time_zones[time.field],)
    return (chosen.date_zone, texts) if time.is_date else (texts,)


def chosen_for(export: ExportType, settings: Settings) -> Chosen:
    """What the settings decide of the profile of an export type's table."""
    times = settings.event_time.get(export.name, ())
    return Chosen(
        event_time=tuple(one["field"] for one in times),
        formats={one["field"]: TimeFormat(one["format"]) for one in times if "format" in one},
        time_zones={one["field"]: one["timeZone"] for one in times if "timeZone" in one},
        date_zone=settings.time_zone,
        identity=settings.identity_fields.get(export.name, ()),
    )


def may_be_decided_again(table: Table, export: ExportType, settings: Settings) -> bool:
    """Whether a contradiction may change a table's profile: it is provisional, and no setting has chosen it."""
    is_chosen = export.name in settings.event_time or export.name in settings.identity_fields
    return not table.profile.is_settled and not is_chosen


def check_unknown_times(
    unknown: int, rows: int, profile: Profile, settings: Settings, export: ExportType, *, is_first: bool
) -> None:
    """Refuse an export in which too many records have no usable time.

    Raises:
        Undecided: they are more than a few, and there is no table yet.
        Unloadable: they are more than a few.
    """
    is_many = unknown > _FEW or unknown > rows / 2
    if profile.has_days and is_many and unknown > settings.unknown_time_ratio * rows:
        raise (Undecided if is_first else Unloadable)(
            f"{unknown} of {rows} records of {export.name} have no usable time in {' or '.join(profile.times)}, which "
            f"the table takes for the time of the event ({profile.event_time[0].format.value}). Nothing was "
            "published. If the vendor has changed its records, look at the file with the command profile, and rebuild "
            "the table with replay --rebuild --reprofile; the setting unknownTimeRatio allows more."
        )


def check_resolution(export: Export, rows: Rows, settings: Settings, *, is_first: bool) -> None:
    """Refuse coarse times where exports never overlap: of a minute that two of them share, one part would be lost.

    Raises:
        Undecided: they are coarse, and there is no table yet.
        Unloadable: they are coarse.
    """
    overlaps = settings.nightly_period != Period.LAST_DAY or settings.sweep_weekday
    span = export.span
    if overlaps or span is None or span.rows < TELLING_RECORDS or span.resolution <= timedelta(seconds=1):
        return
    raise (Undecided if is_first else Unloadable)(
        f"The times of {rows.export.name} are whole {_UNITS[span.resolution]}, and exports of one day (nightlyPeriod "
        "is LAST_DAY, and there is no sweepWeekday) have no time in common: of what happened while one was ordered, "
        "each may hold a part, and one part would be lost. Nothing was published. Set nightlyPeriod to LAST_3_DAYS, or "
        "a sweepWeekday."
    )


def _check_version(table: Table, export: ExportType) -> None:
    # A newer table was refused when it was read.
    if table.schema_version < SCHEMA_VERSION:
        raise Unloadable(
            f"The table {export.table} was made by an earlier version of this stack (schema version "
            f"{table.schema_version}; this one writes {SCHEMA_VERSION}), which identified rows differently: they would "
            "count twice. Rebuild it from raw/ with replay --rebuild; until then it stays as it is."
        )


def _check_time_zone(table: Table, settings: Settings) -> None:
    if table.time_zone != settings.time_zone:
        raise Unloadable(
            f"The table's days are those of {table.time_zone}, and the setting timeZone now says {settings.time_zone}: "
            "every row would move. Set it back, or rebuild the table with replay --rebuild."
        )


def _check_identity(table: Table, chosen: Sequence[str]) -> None:
    if chosen and sorted(chosen) != sorted(table.profile.identity):
        raise Unloadable(
            f"The table identifies its rows by {', '.join(table.profile.identity) or 'all fields'}, and the setting "
            f"identityFields now says {', '.join(chosen)}: rows would count twice. Set it back, or {_REBUILD}"
        )


def _check_event_time(table: Table, export: ExportType, settings: Settings) -> None:
    chosen = tuple(one["field"] for one in settings.event_time.get(export.name, ()))
    if chosen and chosen != table.profile.times:
        raise Unloadable(
            f"The table takes {' or '.join(table.profile.times) or 'no field'} for the time of the event, and the "
            f"setting eventTime now says {' or '.join(chosen)}: rows would move. Set it back, or {_REBUILD}"
        )
    formats = chosen_for(export, settings).formats
    for one in table.profile.event_time:
        if formats.get(one.field, one.format) != one.format:
            raise Unloadable(
                f"The table reads {one.field} as {one.format.value}, and the setting eventTime now says "
                f"{formats[one.field].value}: rows would move. Set it back, or {_REBUILD}"
            )


def _check_zones(table: Table, export: ExportType, settings: Settings) -> None:
    """Refuse another zone for texts without an offset."""
    for time in table.profile.event_time:
        zones = _zones(time, export, settings)
        if time.time_zone not in zones:
            raise Unloadable(
                f"The table reads times in {time.field} without an offset as those of {time.time_zone}, and the "
                f"settings (eventTime, timestampTimeZone, timeZone) now say {zones[0]}: rows would move. Set them "
                "back, or rebuild the table with replay --rebuild."
            )


def window_of(manifest: Manifest) -> Window | None:
    """The span that a batch was ordered for, with slack; None where its period is unknown."""
    try:
        return ordered_window(period(manifest.period), datetime.fromisoformat(manifest.ordered_at))
    except UnknownName:
        return None
