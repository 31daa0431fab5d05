"""A record of the stand-in to a record of the shape: functions without state."""

import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec

from local.standin.shapes import times
from local.standin.shapes.definition import BadShape, ExportShape, Field
from local.standin.world import DAY_MS

Record = dict[str, Any]
Reshape = Callable[[Record, Mapping[str, Any]], Record]
"""(A record, the facts of its export: `@row`, `@orderedAt`, `@batchId`) -> the record in the shape."""

_Make = Callable[[Mapping[str, Any]], Any]

FACTS = ("@row", "@orderedAt", "@batchId")
MAIL = "@mail"
"""The id of the mail that an event is about; known for records with an `eventId`."""

_NAMES = re.compile(r"\{([^{}]*)\}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_COUNTERS_BEGIN = 19_000 * DAY_MS  # January 2022
_BETWEEN_COUNTERS = 97


def reshaper(export: ExportShape, known: Collection[str]) -> Reshape:
    """The function that reshapes the records of an export, whose source has the fields `known`.

    Raises:
        BadShape: a field that no record has, two targets in one place, or a value that cannot be written so. The
            function raises it, too, for a record that has no time where the shape takes one.
    """
    chosen = {target: _whole(target, field) for target, field in export.fields.items()}
    named = [*known, *FACTS, *([MAIL] if "eventId" in known else [])]
    _check_names(chosen, export.drop, named)
    gone = {*chosen, *export.drop, *(field.from_ for field in chosen.values())}
    if export.others == "drop":
        gone |= set(known)
    _check_places([*chosen, *(name for name in known if name not in gone)])
    makers = [(target, target.split("."), _maker(target, field)) for target, field in chosen.items()]

    def reshape(record: Record, facts: Mapping[str, Any]) -> Record:
        values = {**record, **facts}
        if "eventId" in record:
            values[MAIL] = record["eventId"] // 10
        made: Record = {}
        for target, path, make in makers:
            try:
                _put(made, path, make(values))
            except BadShape as error:
                raise BadShape(f"{target}: {error}") from None
        made |= {name: value for name, value in record.items() if name not in gone}
        return made

    return reshape


def _whole(target: str, field: str | Field) -> Field:
    """The field with its origin: by default the source's field of the same name."""
    if isinstance(field, str):
        return Field(from_=field)
    if len(field.origins) > 1:
        raise BadShape(f"{target} has {' and '.join(field.origins)}, and takes one of them")
    return field if field.origins else msgspec.structs.replace(field, from_=target)


def _check_names(chosen: Mapping[str, Field], drop: Collection[str], named: Collection[str]) -> None:
    taken = [(target, name) for target, field in chosen.items() for name in _taken(field)]
    for target, name in [*taken, *(("drop", name) for name in drop)]:
        if name not in named:
            raise BadShape(f"{target} names {name}, which no record has; there are {', '.join(named)}")


def _taken(field: Field) -> list[str]:
    names = _NAMES.findall(field.text or "")
    return names if field.from_ is None else [field.from_, *names]


def _check_places(places: list[str]) -> None:
    for place in places:
        parts = place.split(".")
        if not all(parts):
            raise BadShape(f"'{place}' is no target; names stand between its dots")
        for length in range(1, len(parts)):
            above = ".".join(parts[:length])
            if above in places:
                raise BadShape(f"{above} and {place} are in one place; drop the first, or give it another name")


def _maker(target: str, field: Field) -> _Make:
    try:
        rewrite = times.rewriter(field)
    except BadShape as error:
        raise BadShape(f"{target}: {error}") from None
    steps = [step for step in (rewrite, _TYPES[field.type]) if step is not None]
    origin = _origin(field)

    def make(values: Mapping[str, Any]) -> Any:
        value = origin(values)
        for step in steps:
            value = step(value)
        return value

    return make


def _origin(field: Field) -> _Make:
    if field.text is not None:
        template = field.text
        return lambda values: _NAMES.sub(lambda found: str(_text(values[found[1]])), template)
    if field.counter is not None:
        daily = field.counter
        return lambda values: (
            (values["@orderedAt"] - _COUNTERS_BEGIN) * daily // DAY_MS + values["@row"] * _BETWEEN_COUNTERS
        )
    if field.from_ is not None:
        name = field.from_
        return lambda values: values[name]
    return lambda values: field.value


def _put(made: Record, path: list[str], value: Any) -> None:
    for part in path[:-1]:
        made = made.setdefault(part, {})
    made[path[-1]] = value


def _text(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if not isinstance(value, str):
        return value
    if _NUMBER.fullmatch(value):
        return float(value) if "." in value else int(value)
    digits = "".join(re.findall("[0-9]", value))
    return int(digits) if digits else None


_TYPES: Mapping[str | None, Callable[[Any], Any] | None] = {None: None, "text": _text, "number": _number}
