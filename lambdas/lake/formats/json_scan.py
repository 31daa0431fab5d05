"""JSON values as their original text, found with the standard library's scanner.

An odd record is taken apart with it, since what fits no column is kept exactly as it came.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from json import JSONDecoder
from typing import Any

SPACE = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
_LETTER, _DIGIT = re.compile(r"[^\W\d_]"), re.compile(r"\d")


class InvalidJson(ValueError):
    """The text is not JSON from some position on."""


def _refuse(constant: str) -> object:
    raise InvalidJson(f"{constant} is no JSON value")


# Numbers stay text: Python's own limits on digits do not matter here. NaN and Infinity are no JSON.
_scan = JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse).raw_decode


@dataclass(frozen=True)
class Member:
    """A member of an object: its name and its value's text, which is truncated when the object is."""

    name: str
    value: bytes
    start: int


@dataclass(frozen=True)
class Members:
    """The members of an object in order, repeated names included, and where the object ends."""

    members: tuple[Member, ...]
    end: int
    is_whole: bool


def values(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (start, end, position of what follows) of each value in a comma-separated sequence.

    Stops where no comma follows.

    Raises:
        InvalidJson: something else stands where a value is expected.
    """
    # Latin-1 keeps one character a byte, so positions stay byte positions; in UTF-8 all of JSON's own marks are ASCII.
    text = data.decode("latin-1")
    position = after_space(data, 0)
    if text[position : position + 1] in ("", "]"):
        return
    while True:
        start = position
        end = _end(text, start)
        position = after_space(data, end)
        yield start, end, position
        if text[position : position + 1] != ",":
            return
        position = after_space(data, position + 1)


def sequence(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of each value in a row of them, before each of which there may be whitespace and a comma.

    A byte order mark between two values is that of a file which was appended.

    Raises:
        InvalidJson: something else stands where a value is expected.
    """
    text = data.decode("latin-1")
    end = 0
    while True:
        start = _after_mark(data, end)
        if text[start : start + 1] == ",":
            start = _after_mark(data, start + 1)
        if start == len(data):
            return
        end = _end(text, start)
        yield start, end


def value(text: bytes) -> Any:
    """The value of a JSON text, with numbers as text; None when it cannot be read."""
    try:
        return _scan(text.decode("utf-8", "replace"))[0]
    except (ValueError, RecursionError):
        return None


def members(data: bytes) -> Members:
    """Return the members of the object that the data starts with, as far as it goes."""
    text = data.decode("latin-1")
    found: list[Member] = []
    position = after_space(data, 1)
    if text[position : position + 1] == "}":
        return Members((), position + 1, is_whole=True)
    while True:
        name = _name(data, text, position)
        if name is None:
            return Members(tuple(found), position, is_whole=False)
        name_text, start = name
        try:
            end = _end(text, start)
        except InvalidJson:
            found.append(Member(name_text, data[start:], start))
            return Members(tuple(found), len(data), is_whole=False)
        found.append(Member(name_text, data[start:end], start))
        position = after_space(data, end)
        mark = text[position : position + 1]
        if mark == "}":
            return Members(tuple(found), position + 1, is_whole=True)
        if mark != ",":
            return Members(tuple(found), position, is_whole=False)
        position = after_space(data, position + 1)


def _name(data: bytes, text: str, position: int) -> tuple[str, int] | None:
    """The name at a position and where its value starts; None when it is incomplete."""
    if text[position : position + 1] != '"':
        return None
    try:
        end = _end(text, position)
        name = str(_scan(data[position:end].decode())[0])
    except ValueError:
        return None
    colon = after_space(data, end)
    return (name, after_space(data, colon + 1)) if text[colon : colon + 1] == ":" else None


def after_space(data: bytes, position: int) -> int:
    """The position of the next byte that is not whitespace."""
    while data[position : position + 1] and data[position] in SPACE:
        position += 1
    return position


def shown(data: bytes) -> str:
    """The looks of the first bytes, for messages: letters as `a` and digits as 9, since they may be personal."""
    text = data[:60].decode("utf-8", "replace")
    return repr(_DIGIT.sub("9", _LETTER.sub("a", text)))


def _after_mark(data: bytes, position: int) -> int:
    position = after_space(data, position)
    while data.startswith(_BOM, position):
        position = after_space(data, position + len(_BOM))
    return position


def _end(text: str, start: int) -> int:
    try:
        return _scan(text, start)[1]
    except RecursionError:
        raise InvalidJson("it is nested too deeply") from None
    except ValueError as error:
        raise InvalidJson(str(error)) from None
