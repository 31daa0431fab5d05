"""Output for people: each file as facts and tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.display import STYLE, facts

_CONTAINERS = {
    "array": "JSON array",
    "ndjson": "newline-delimited JSON",
    "wrapper": "object around an array",
    "empty": "empty",
    "unknown": "unknown",
    "gz": "gzip",
    "bom": "byte order mark",
}
_MOST_DAYS = 31


def show(console: Console, documents: Sequence[Mapping[str, Any]]) -> None:
    """Print every file."""
    for document in documents:
        console.rule(Text(f"{document['exportType']}  {document['file']}", style="bold"), align="left")
        facts(console, _facts(document))
        _table(console, ("field", "kinds", "filled", "shape"), [_field(one) for one in document["fields"]], right=(2,))
        _table(console, ("time", "format", "zone", *_EVIDENCE), _times(document), right=range(3, 6))
        days = list(document["days"].items())
        _table(console, ("day", "records"), [[day, f"{count:,}"] for day, count in days[-_MOST_DAYS:]], right=(1,))
        _table(
            console,
            ("rejected at byte", "shape"),
            [[f"{one['position']:,}", one["shape"]] for one in document["quarantine"]],
        )
        _table(
            console,
            ("compared with", "in both", "only here", "only there", "shared span"),
            _pairs(document),
            right=(1, 2, 3),
        )
        for note in document["notes"]:
            _print(console, f"• {note}")
        for problem in document["problems"]:
            _print(console, f"✗ {problem}", "red")
        if document["loadable"]:
            _print(console, "✓ It would be loaded.")
        console.print()


def _facts(document: Mapping[str, Any]) -> dict[str, str]:
    times = [f"{one['field']} ({one['format']})" for one in document["eventTime"]]
    identity, days = document["identity"], document["days"]
    what = {"key": "the key ", "fields": "the time, " if days else "", "none": ""}[identity["kind"]]
    undecided = "not decided" if document["problems"] and not identity["fields"] and not times else "none"
    whole = "the time with all fields" if times else undecided
    return {
        "container": ", ".join(_CONTAINERS[part] for part in document["container"].split(".")),
        "bytes": f"{document['bytes']:,}",
        "records": f"{document['records']:,}, and {document['rejected']:,} rejected",
        "event time": " or ".join(times) or undecided,
        "identity": what + ", ".join(identity["fields"]) if identity["fields"] else whole,
        "roles": ", ".join(f"{role}: {field}" for role, field in document["roles"].items()) or "none",
    }


def _field(field: Mapping[str, Any]) -> list[str]:
    return [field["name"], ", ".join(field["kinds"]), f"{field['filled']:,}", field["shape"]]


_EVIDENCE = ("parsed", "in the span", "differ", "first", "last")


def _times(document: Mapping[str, Any]) -> list[list[str]]:
    rows = []
    for mark, times in (("★ ", document["eventTime"]), ("", document["otherTimes"])):
        for one in times:
            found = one["evidence"]
            numbers = [found.get(name) for name in ("parsed", "inside", "distinct")]
            counts = ["" if number is None else f"{number:,}" for number in numbers]
            ends = [(found.get(name) or "").replace("T", " ") for name in ("first", "last")]
            rows.append([mark + one["field"], one["format"], one.get("timeZone", ""), *counts, *ends])
    return rows


def _pairs(document: Mapping[str, Any]) -> list[list[str]]:
    return [
        [
            pair["with"],
            *(f"{pair[name]:,}" for name in ("inBoth", "onlyHere", "onlyThere")),
            " to ".join(pair["span"] or []).replace("T", " "),
        ]
        for pair in document["audit"]
    ]


def _table(console: Console, names: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
    if not rows:
        return
    table = Table(**STYLE)
    for position, name in enumerate(names):
        table.add_column(name, justify="right" if position in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def _print(console: Console, words: str, style: str | None = None) -> None:
    console.print(words, style=style, markup=False, emoji=False, highlight=False, soft_wrap=True)
