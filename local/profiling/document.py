"""What was seen of a file, as `profile --json` prints it: no value of anybody, formats and masks alone."""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from lambdas.lake.column_types import Kind, join
from lambdas.lake.profile.evidence import TimeEvidence
from lambdas.lake.storage.keys import UNKNOWN_DAY
from lambdas.vocabulary import TimeFormat
from local.profiling import notes
from local.profiling.audit import Pair
from local.profiling.fields import Seen
from local.profiling.masking import mask, masked_sentence, shown_name
from local.profiling.reading import Reading

_MOST_REJECTS = 5
_RARE_SHARE = 0.1


def document(reading: Reading, pairs: Sequence[Pair]) -> dict[str, Any]:
    """The file's document."""
    names = _names(reading)
    profile, staged = reading.profile, reading.staged
    problems = [] if reading.problem is None else [masked_sentence(reading.problem, names.items())]
    if staged is None and reading.sample:
        problems.append(f"What is shown are the first {len(reading.sample)} records, as far as they could be read.")
    return {
        "file": str(reading.file),
        "exportType": reading.export.name,
        "container": reading.container,
        "bytes": reading.manifest.bytes,
        "records": len(reading.sample) if staged is None else staged.rows,
        "rejected": 0 if staged is None else staged.rejected,
        "fields": _fields(reading, names),
        "eventTime": [
            {
                "field": names.get(one.field, one.field),
                "format": one.format.value,
                "timeZone": one.time_zone,
                "evidence": _evidence(reading, _best(reading, one.field)),
            }
            for one in (profile.event_time if profile else ())
        ],
        "otherTimes": _other_times(reading, names),
        "identity": {
            "kind": profile.kind.value if profile else "none",
            "fields": [names.get(path, path) for path in (profile.identity if profile else ())],
        },
        "roles": {role: names.get(path, path) for role, path in (profile.roles if profile else {}).items()},
        "days": days(reading),
        "quarantine": _quarantine(reading),
        "audit": [pair.described() for pair in pairs],
        "problems": problems,
        "notes": [masked_sentence(note, names.items()) for note in notes.of(reading)],
        "loadable": reading.problem is None,
    }


def days(reading: Reading) -> dict[str, int]:
    """How many records each day would have; empty for a table without days."""
    if reading.profile is None or reading.staged is None or not reading.profile.has_days:
        return {}
    by_day = reading.staged.sorted_files.items()
    counted = {day: sum(file.rows for file in files) for day, files in by_day}
    return dict(sorted(counted.items(), key=lambda pair: (pair[0] == UNKNOWN_DAY, pair[0])))


def _names(reading: Reading) -> Mapping[str, str]:
    """Every field and path, with how it is shown."""
    columns = dict.fromkeys(name for record in reading.sample for name in record)
    if reading.staged is not None:
        columns |= dict.fromkeys(column.source for column in reading.staged.schema.columns)
    paths = dict.fromkeys((*columns, *reading.fields))
    # What few of the objects have are keys of somebody's own.
    rare = {path for path, seen in reading.fields.items() if seen.records < _RARE_SHARE * len(reading.sample)}
    return {path: shown_name(path, columns, is_own=path in rare) for path in paths}


def _fields(reading: Reading, names: Mapping[str, str]) -> list[dict[str, Any]]:
    stored = {} if reading.staged is None else {column.source: column for column in reading.staged.schema.stored}
    found: dict[str, dict[str, Any]] = {}
    for path in dict.fromkeys((*reading.fields, *stored)):
        seen = reading.fields.get(path, Seen())
        column = stored.get(path)
        kinds: list[Kind] = [kind for kind in seen.kinds if kind is not Kind.NULL] or list(seen.kinds)
        if column is not None and column.kind is not Kind.ID and _joined(kinds) is not column.kind:
            # What later records have, and the sample has not.
            kinds.append(column.kind)
        shown = names.get(path, path)
        one = {"name": shown, "kinds": [kind.value for kind in kinds], "filled": _filled(reading, path, seen)}
        # Names that are masked may be the same then.
        if shown not in found or one["filled"] > found[shown]["filled"]:
            found[shown] = {**one, "shape": seen.shape}
    return list(found.values())


def _joined(kinds: Iterable[Kind]) -> Kind:
    found = Kind.NULL
    for kind in kinds:
        found = join(found, kind)
    return found


def _filled(reading: Reading, path: str, seen: Seen) -> int:
    if reading.evidence is None:
        return seen.masks.total()
    evidence = reading.evidence.fields.get(path)
    return 0 if evidence is None else evidence.filled


def _best(reading: Reading, path: str) -> TimeEvidence | None:
    """The evidence of a field in the format that most of its values have."""
    times = reading.evidence.times if reading.evidence is not None else ()
    return max(
        (time for time in times if time.field == path), key=lambda time: (time.parsed, time.inside), default=None
    )


def _evidence(reading: Reading, time: TimeEvidence | None) -> dict[str, Any]:
    if time is None:
        return {}
    return {
        "records": time.records,
        "parsed": time.parsed,
        "inside": None if reading.scope.window is None else time.inside,
        "distinct": time.distinct,
        "withoutOffset": time.without_offset,
        # To the minute: enough to compare with the order, and not the time of one event.
        "first": None if time.first is None else f"{time.first:%Y-%m-%dT%H:%MZ}",
        "last": None if time.last is None else f"{time.last:%Y-%m-%dT%H:%MZ}",
    }


def _other_times(reading: Reading, names: Mapping[str, str]) -> list[dict[str, Any]]:
    chosen = reading.profile.times if reading.profile is not None else ()
    times = reading.evidence.times if reading.evidence is not None else ()
    paths = dict.fromkeys(time.field for time in times if time.parsed and time.field not in chosen)
    found = []
    for path in paths:
        best = _best(reading, path)
        if best is not None:
            formats = [time.format for time in times if time.field == path and time.parsed == best.parsed]
            shown = {"field": names.get(path, path), "format": _format(best.format, formats)}
            found.append({**shown, "evidence": _evidence(reading, best)})
    return found


def _format(best: TimeFormat, formats: Sequence[TimeFormat]) -> str:
    both = (TimeFormat.DAY_FIRST, TimeFormat.MONTH_FIRST)
    return " or ".join(both) if all(one in formats for one in both) else best.value


def _quarantine(reading: Reading) -> list[dict[str, Any]]:
    """The first records that are no JSON objects, by their position and mask."""
    if reading.staged is None or not reading.staged.rejected:
        return []
    with reading.staged.rejects.open() as file:
        rejects = [json.loads(line) for line in islice(file, _MOST_REJECTS)]
    return [{"position": one["position"], "shape": mask(one["text"])} for one in rejects]
