"""A sample of an export's records, flattened: every scalar by its field, or by its path into objects."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from lambdas.lake.column_types import Kind, is_unicode
from lambdas.lake.formats import json_scan
from lambdas.lake.formats.json_records import Fields, kind_of

_DEEPEST = 4
_RARE_SHARE = 0.1
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


@dataclass(frozen=True)
class Sample:
    """Records as texts by path."""

    records: tuple[Mapping[str, str], ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path, in the order in which the records have them, without names that few of the objects have.

        Those are keys of somebody's own, maybe others in each record, and have no role.
        """
        counts = Counter(path for record in self.records for path in record)
        least = _RARE_SHARE * len(self.records)
        return tuple(path for path, count in counts.items() if "." not in path or count >= least)

    def values(self, path: str) -> list[str]:
        """The texts at a path, of the records that have one."""
        return [record[path] for record in self.records if path in record]


def sample_of(records: Iterable[Fields]) -> Sample:
    """Flatten records."""
    return Sample(tuple(map(flattened, records)))


def flattened(fields: Fields) -> dict[str, str]:
    """The scalars of a record as texts, by field or path; an array of numbers counts as a scalar."""
    found: dict[str, str] = {}
    for name, texts in fields.items():
        # Of an object whose own name has a dot, no path would lead to a value.
        if len(texts) == 1 and not ("." in name and kind_of(texts[0]) is Kind.JSON):
            _flatten(name, texts[0], found)
    # Lone surrogates are no text for the engine, and no name or value of a role.
    return {path: value for path, value in found.items() if is_unicode(path) and is_unicode(value)}


def at(fields: Fields, path: str) -> bytes | None:
    """The text at a field or a path of a record; null like a field that is not there.

    A field whose own name has the dots comes before a path.
    """
    texts = fields.get(path)
    if texts is not None and all(kind_of(text) is Kind.NULL for text in texts):
        return None
    if texts is not None:
        text = texts[0] if len(texts) == 1 else b"[" + b",".join(texts) + b"]"
    else:
        first, _, rest = path.partition(".")
        outer = fields.get(first, [])
        text = inside(outer[0], rest) if rest and len(outer) == 1 else b""
    return None if not text or kind_of(text) is Kind.NULL else text


def inside(text: bytes, path: str) -> bytes:
    """The text at a path into an object; empty where it has none. Of a name that is there twice, the last."""
    while path:
        if not text.startswith(b"{"):
            return b""
        members = _members(text)
        name, _, rest = (path, "", "") if path in members else path.partition(".")
        text, path = bytes(members.get(name, b"")), rest
    return text


def _members(text: bytes) -> Mapping[str, bytes | msgspec.Raw]:
    try:
        return _decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {member.name: member.value for member in json_scan.members(text).members}


class _Number(str):
    """A number, as its text."""


def _flatten(path: str, text: bytes, found: dict[str, str]) -> None:
    kind = kind_of(text)
    if kind is Kind.JSON:
        try:
            _walk(path, _loads(text), found, _DEEPEST)
        except RecursionError:
            return
    elif kind is Kind.STRING:
        found[path] = json.loads(text)
    elif kind is not Kind.NULL:
        found[path] = text.decode()


def _walk(path: str, value: Any, found: dict[str, str], levels: int) -> None:
    if isinstance(value, dict):
        for name, inner in value.items() if levels else ():
            # A path has no empty names.
            if name:
                _walk(f"{path}.{name}", inner, found, levels - 1)
    elif isinstance(value, list):
        if value and all(isinstance(part, _Number) for part in value):
            found[path] = f"[{','.join(value)}]"
    elif isinstance(value, str):
        found[path] = value
    elif value is not None:
        found[path] = json.dumps(value)


def _loads(text: bytes) -> Any:
    return json.loads(text, parse_int=_Number, parse_float=_Number)
