"""Decide a table's profile: names are hints, the evidence of the records decides, and where it does not, people do."""

from collections.abc import Iterable

from lambdas.lake.errors import Undecided
from lambdas.lake.profile import field_names
from lambdas.lake.profile.chosen import Chosen
from lambdas.lake.profile.evidence import Evidence, TimeEvidence
from lambdas.lake.profile.field_names import WHAT, WHO, Role, TimeRank
from lambdas.lake.profile.profile import EventTime, Profile
from lambdas.vocabulary import ExportType, Nature, TimeFormat

# The shares of records that must have a time, and of times that must lie in the ordered window.
TIME_SHARE, INSIDE_SHARE = 0.99, 0.95
# A field that fewer records have does not say who or what, if another one does.
_FILLED_SHARE = 0.9
_SHOWN, _LONGEST = 12, 80


def decide(export: ExportType, evidence: Evidence, chosen: Chosen, time_zone: str) -> Profile:
    """Return the profile that the evidence supports, provisional as yet.

    Raises:
        Undecided: it supports none, or several; the sentence names candidates and the setting that decides.
    """
    if not evidence.records:
        raise Undecided("The export has no records.")
    _check_identity(export, evidence, chosen)
    times = _event_times(export, evidence, chosen, time_zone)
    who, what = (_best(evidence, wanted) for wanted in (WHO, WHAT))
    link = _best(evidence, (Role.LINK,))
    roles = {role.value: path for found in (who, what, link) if found for path, role in [found]}
    has_days = export.nature is Nature.EVENTS or (
        export.nature is Nature.EITHER and bool(times) and (who is not None or bool(chosen.event_time))
    )
    if not has_days:
        key = chosen.identity or (_key(export, evidence),)
        return Profile(identity=key, roles=roles | ({"key": key[0]} if len(key) == 1 else {}))
    if not times:
        raise Undecided(_no_time(export, evidence))
    named = tuple(found[0] for found in (who, what) if found)
    more: tuple[str, ...] = ()
    if any(time.is_date for time in times):
        # A field that is the same everywhere would make all events of a day one.
        named = named if any(evidence.fields[path].distinct > 1 for path in named) else ()
        more = _telling_apart(evidence) if named else ()
    identity = chosen.identity or tuple(dict.fromkeys((*named, *more)))
    return Profile(event_time=times, identity=identity, roles=roles)


def _check_identity(export: ExportType, evidence: Evidence, chosen: Chosen) -> None:
    """A name with a typing error would make all records one."""
    missing = [path for path in chosen.identity if path not in evidence.fields or not evidence.fields[path].filled]
    if missing:
        raise Undecided(
            f"No record of this export has {', '.join(missing)}, which the setting identityFields names for "
            f"{export.name}. Its fields are {_listed(evidence.paths)}."
        )


def usable_times(export: ExportType, evidence: Evidence) -> list[TimeEvidence]:
    """The times that may be those of events: nearly all records have one, most in the window, and they differ.

    The likeliest name first, of equal ones the shallower path, then the one that tells more events apart (a mailing has
    one time of sending and many of opening), and then the one that records have first.
    """

    def rank(time: TimeEvidence) -> tuple[int, int, float]:
        # Rounded, since many are counted roughly.
        differing = -round(time.distinct / time.records, 1)
        return field_names.time_rank(time.field, export), field_names.depth(time.field), differing

    usable = [
        time
        for time in evidence.times
        if time.parsed >= TIME_SHARE * time.records and time.inside >= INSIDE_SHARE * time.parsed and time.distinct > 1
    ]
    # Stable, and the evidence has the times in the order of the records' fields.
    return sorted(usable, key=rank)


def _event_times(export: ExportType, evidence: Evidence, chosen: Chosen, time_zone: str) -> tuple[EventTime, ...]:
    if chosen.event_time:
        formats = {path: _format(export, evidence, chosen, path) for path in chosen.event_time}
        dates = {(time.field, time.format) for time in evidence.times if time.are_dates}
        return tuple(
            _event_time(path, one, chosen, time_zone, is_date=(path, one) in dates) for path, one in formats.items()
        )
    if export.nature is Nature.ENTITIES:
        return ()
    usable = usable_times(export, evidence)
    if not usable:
        return ()
    best = usable[0]
    _check_order(export, best.field, [time for time in usable if time.field == best.field])
    if export.nature is Nature.EITHER and field_names.time_rank(best.field, export) > TimeRank.UNNAMED:
        # A record that was only created or changed in the window is no event.
        return ()
    return (_event_time(best.field, best.format, chosen, time_zone, is_date=best.are_dates),)


def _event_time(path: str, time_format: TimeFormat, chosen: Chosen, time_zone: str, *, is_date: bool) -> EventTime:
    zone = (chosen.date_zone if is_date else "") or time_zone
    return EventTime(path, time_format, chosen.time_zones.get(path, zone), is_date)


def _check_order(export: ExportType, path: str, fitting: Iterable[TimeEvidence]) -> None:
    """Refuse to guess whether the day or the month comes first."""
    if {TimeFormat.DAY_FIRST, TimeFormat.MONTH_FIRST} <= {time.format for time in fitting}:
        raise Undecided(
            f"The times in {path} may begin with the day or with the month, and both fit. Say which in the setting "
            f'eventTime: {{"{export.name}": {{"field": "{path}", "format": "day-first"}}}}, or "month-first".'
        )


def _format(export: ExportType, evidence: Evidence, chosen: Chosen, path: str) -> TimeFormat:
    """The format of a field that the settings choose: the setting's, else that of most of its values."""
    if path not in evidence.fields or not evidence.fields[path].filled:
        raise Undecided(
            f"No record of this export has {path}, which the setting eventTime names for {export.name}. "
            f"Its fields are {_listed(evidence.paths)}."
        )
    if path in chosen.formats:
        return chosen.formats[path]
    found = [time for time in evidence.times if time.field == path and time.parsed]
    if not found:
        raise Undecided(
            f"The setting eventTime names {path} for {export.name}, and none of its values is a time in a known format."
        )
    best = max(found, key=_fits)
    _check_order(export, path, [time for time in found if _fits(time) == _fits(best)])
    return best.format


def _fits(time: TimeEvidence) -> tuple[int, int]:
    return time.parsed, time.inside


def _best(evidence: Evidence, wanted: tuple[Role, ...]) -> tuple[str, Role] | None:
    """The field that says who or what, among those that nearly every record has and that differ."""
    filled = [path for path, found in evidence.fields.items() if found.filled >= _FILLED_SHARE * evidence.records]
    telling = [path for path in filled if evidence.fields[path].distinct > 1]
    held = [path for path, found in evidence.fields.items() if found.filled]
    return next((found for paths in (telling, filled, held) if (found := field_names.best(paths, wanted))), None)


def _telling_apart(evidence: Evidence) -> tuple[str, ...]:
    """What else tells events of one who and what apart, where their times are dates alone."""
    return field_names.telling_apart(
        [path for path, found in evidence.fields.items() if found.filled == evidence.records and found.distinct > 1]
    )


def _key(export: ExportType, evidence: Evidence) -> str:
    """The key of an entity: an id of its own in every record, and unique.

    Raises:
        Undecided: no field is one.
    """
    unique = unique_keys(export, evidence)
    best = [path for path in unique if field_names.key_rank(path, export) == field_names.key_rank(unique[0], export)]
    if not best or (field_names.key_rank(best[0], export) == 2 and len(best) > 1):
        candidates = f"Candidates are {_listed(best)}. " if best else ""
        raise Undecided(
            f"No field of {export.name} is certainly the key of its records: an id of their own that every record has "
            f"and no two share. {candidates}Name it in the setting identityFields; the fields are "
            f"{_listed(evidence.paths)}."
        )
    return best[0]


def unique_keys(export: ExportType, evidence: Evidence) -> list[str]:
    """The fields that may be the key of an entity, the likeliest first."""
    found = [
        (rank, field_names.depth(path), path)
        for path, values in evidence.fields.items()
        if (rank := field_names.key_rank(path, export)) is not None
        and values.filled == evidence.records
        # A record that is repeated as it is counts once.
        and values.distinct >= evidence.distinct_records
        # What all records share, or the only record has, is no key for its name alone.
        and (rank < 2 or values.distinct > 1)
    ]
    return [path for _, _, path in sorted(found)]


def _no_time(export: ExportType, evidence: Evidence) -> str:
    seen = [
        f"{time.field[:_LONGEST]} ({time.format.value}: {time.parsed} of {time.records} records have one, "
        f"{time.inside} in the span that was ordered, {time.distinct} differ)"
        for time in evidence.times
        if time.parsed
    ]
    times = f"Times are {_some(seen)}." if seen else "No field looks like a time."
    return (
        f"No field of {export.name} is certainly the time of its events: one that nearly every record has, in the span "
        f"that was ordered, and not the same in all. {times} "
        f"Name it in the setting eventTime; the fields are {_listed(evidence.paths)}."
    )


def _listed(names: Iterable[str]) -> str:
    return _some([name[:_LONGEST] for name in names])


def _some(found: list[str]) -> str:
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"{', '.join(found[:_SHOWN]) or 'none'}{more}"
