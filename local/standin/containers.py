"""The containers of result files: Symplify does not document which one it uses.

A container's name is a shape (`array`, `pretty`, `ndjson`, `wrapper`, `bom`), alone or with one of two endings: `.gz`
for gzip that no header announces, `+gzip` for gzip announced by `Content-Encoding: gzip`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass


def _as_it_is(record: str) -> str:
    return record


def _pretty(record: str) -> str:
    text = json.dumps(json.loads(record), indent=2, ensure_ascii=False)
    return "  " + text.replace("\n", "\n  ")


@dataclass(frozen=True)
class Shape:
    """The text before, between and after the records; `%s` in `before` is the export type."""

    before: str
    between: str
    after: str
    record: Callable[[str], str] = _as_it_is


SHAPES = {
    "array": Shape("[", ",", "]"),
    "pretty": Shape("[\n", ",\n", "\n]\n", _pretty),
    "ndjson": Shape("", "\n", "\n"),
    "wrapper": Shape('{"exportType":"%s","records":[', ",", "]}"),
    "bom": Shape("\ufeff[", ",", "]"),
}


@dataclass(frozen=True)
class Container:
    """A shape, and whether and how it is compressed."""

    shape: Shape
    gzip: bool = False
    announced: bool = False
    """Whether the file host sends `Content-Encoding: gzip`."""


def container(name: str) -> Container:
    """Return the container of that name.

    Raises:
        ValueError: there is no such container; the text is a sentence.
    """
    for ending, announced in ((".gz", False), ("+gzip", True)):
        if name.endswith(ending) and name.removesuffix(ending) in SHAPES:
            return Container(SHAPES[name.removesuffix(ending)], gzip=True, announced=announced)
    if name not in SHAPES:
        raise ValueError(f"'{name}' is not a container; there are {', '.join(SHAPES)}, each also with .gz or +gzip.")
    return Container(SHAPES[name])
