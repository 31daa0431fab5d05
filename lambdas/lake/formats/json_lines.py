"""Records on lines: one each as a rule, and in any other order that leaves no doubt where each begins and ends.

Accepted: several objects on a line, with or without commas between them; a comma after each line; arrays of objects;
carriage returns as line ends; a byte order mark where a file was appended. A line with anything else on it is
rejected as a whole, since what is beside the damage may be damaged too.
"""

import re
from collections.abc import Iterator

import msgspec

from lambdas.lake.formats import json_scan
from lambdas.lake.formats.json_scan import SPACE

Found = tuple[int, bytes]
"""A position and the text that stands there."""

_PART = re.compile(rb"[^\r]+")


def records(content: bytes) -> Iterator[Found]:
    """Yield each record on the lines, and each line that is none."""
    start = 0
    while start < len(content):
        end = content.find(b"\n", start)
        end = len(content) if end < 0 else end
        yield from on_line(content[start:end], start)
        start = end + 1


def spread_records(content: bytes) -> Iterator[Found]:
    """Yield each value of a file whose records are written over several lines.

    Raises:
        InvalidJson: something is broken; resynchronising there would be guessing.
    """
    for start, end in json_scan.sequence(content):
        text = content[start:end]
        yield from _in_value(start, text) or [(start, text)]


def is_cut(line: bytes) -> bool:
    """Whether the last line of a file, which has no line end, is no JSON to its end."""
    return not any(_is_json(part) for part in (line, line[line.rfind(b"\r") + 1 :]))


def after_records(data: bytes) -> int:
    """The position after the last whole object or array in a row of them; 0 when there is none."""
    position = 0
    try:
        for start, end in json_scan.sequence(data):
            if data[start] not in b"[{":
                break
            position = end
    except json_scan.InvalidJson:
        pass
    return position


def on_line(line: bytes, position: int) -> Iterator[Found]:
    """Yield each record on a line, or the line when it is none; nothing of a blank line."""
    stripped = line.strip(SPACE)
    if not stripped:
        return
    if _is_one_object(stripped):
        # Whatever white space is in it.
        yield position + line.index(stripped), stripped
    elif found := _in_row(line, position):
        yield from found
    elif b"\r" in stripped:
        for part in _PART.finditer(line):
            yield from on_line(part[0], position + part.start())
    else:
        yield position + line.index(stripped), stripped


def _is_one_object(text: bytes) -> bool:
    if not text.startswith(b"{"):
        return False
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _in_row(line: bytes, position: int) -> list[Found]:
    """The records in a row of objects and arrays of objects; none when anything else is among them."""
    found: list[Found] = []
    try:
        for start, end in json_scan.sequence(line):
            inside = _in_value(position + start, line[start:end])
            if not inside:
                return []
            found += inside
    except json_scan.InvalidJson:
        return []
    return found


def _in_value(position: int, text: bytes) -> list[Found]:
    """The object that a value is, or those of the array that it is; none when it is neither."""
    if text.startswith(b"{"):
        return [(position, text)]
    if not text.startswith(b"["):
        return []
    inside = [(position + 1 + start, text[1 + start : 1 + end]) for start, end, _ in json_scan.values(text[1:])]
    return inside if all(one.startswith(b"{") for _, one in inside) else []


def _is_json(text: bytes) -> bool:
    try:
        text.decode("utf-8")
        return all(True for _ in json_scan.sequence(text))
    except (UnicodeDecodeError, json_scan.InvalidJson):
        return False
