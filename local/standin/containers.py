"""The containers of result files: Symplify does not document which one it uses.

A container's name is a form (`array`, `pretty`, `ndjson`, `wrapper`, `bom`), alone or with one of two endings: `.gz`
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
class Form:
    """The text before, between and after the records; `%s` in `before` is the export type."""

    before: str
    between: str
    after: str
    record: Callable[[str], str] = _as_it_is


FORMS = {
    "array": Form("[", ",", "]"),
    "pretty": Form("[\n", ",\n", "\n]\n", _pretty),
    "ndjson": Form("", "\n", "\n"),
    "wrapper": Form('{"exportType":"%s","records":[', ",", "]}"),
    "bom": Form("\ufeff[", ",", "]"),
}


@dataclass(frozen=True)
class Container:
    """A form, and whether and how it is compressed."""

    form: Form
    gzip: bool = False
    announced: bool = False
    """Whether the file host sends `Content-Encoding: gzip`."""


def container(name: str) -> Container:
    """Return the container of that name.

    Raises:
        ValueError: there is no such container; the text is a sentence.
    """
    for ending, announced in ((".gz", False), ("+gzip", True)):
        if name.endswith(ending) and name.removesuffix(ending) in FORMS:
            return Container(FORMS[name.removesuffix(ending)], gzip=True, announced=announced)
    if name not in FORMS:
        raise ValueError(f"'{name}' is not a container; there are {', '.join(FORMS)}, each also with .gz or +gzip.")
    return Container(FORMS[name])
