"""An object that wraps one array of records: distinguished from a record by its looks, and checked to its end.

A wrapper's other members are bookkeeping (status, total, next, …). A record has members of its own: an id, a time, a
name. Where both remain possible, the file is refused, since a wrong guess would pass for success.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from lambdas.lake.errors import Unloadable
from lambdas.lake.formats import error_document, json_scan
from lambdas.lake.formats.block_buffer import BlockBuffer
from lambdas.lake.formats.json_scan import SPACE, Member, Members, shown
from lambdas.lake.formats.member_names import (
    ERRORS,
    REMARKS,
    SAYINGS,
    is_bookkeeping,
    is_generic,
    is_of_a_record,
    may_be_either,
    plain,
)
from lambdas.lake.formats.wrapper_claims import Claims, claims
from lambdas.vocabulary import ExportType

_NO_SPACE = re.compile(rb"[^ \t\r\n]")
# A first line that ends within an object, as those do that are written over several lines.
_BEGINS_SPREAD = re.compile(rb'[^\r\n]*(?:[{,][ \t]*[\r\n]\s*"|\[[ \t]*[\r\n])')


@dataclass(frozen=True)
class First:
    """The first object of a file, as far as the buffer goes."""

    text: bytes
    members: tuple[Member, ...]
    is_whole: bool
    is_alone: bool
    """Whether nothing follows it, as far as is known."""

    @property
    def is_spread(self) -> bool:
        """Whether it is written over several lines, so that lines are no records."""
        if self.is_whole:
            return b"\n" in self.text or b"\r" in self.text
        return bool(_BEGINS_SPREAD.match(self.text))


class _Look(Enum):
    """What an object looks like."""

    RECORD = "record"
    WRAPPER = "wrapper"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Wrapper:
    """An object around the array of records: its text before the array, and the export type."""

    before: bytes
    export: ExportType

    def check(self, rest: bytes, *, holds_records: bool) -> Claims:
        """Check the whole object, given the text after the array; return what it says about its records.

        Raises:
            Unloadable: it is cut, something follows it, it says that it is an error, or it is no wrapper after all.
        """
        array = b"[{}]" if holds_records else b"[]"
        text = self.before + array + rest.rstrip(SPACE)
        around = json_scan.members(text)
        if not around.is_whole or around.end != len(text):
            raise Unloadable(
                f"The file is an object around one array of records, which begins at byte {len(self.before)}, and it "
                "is cut or something follows it. If it is cut, order the export again; else look at its end in raw/."
            )
        look, found = _look(around.members, self.export)
        if look is not _Look.WRAPPER or found is None or found.start != len(self.before):
            raise Unloadable(_unclear(text, around.members))
        others = tuple(member for member in around.members if member is not found)
        _check_success(others, holds_records=holds_records)
        return claims(others)


def first_object(buffer: BlockBuffer) -> First:
    """Read the object that the buffer begins with."""
    data = buffer.head()
    found = json_scan.members(data)
    if not found.is_whole or not _NO_SPACE.search(data, found.end):
        data = buffer.joined(0, buffer.size)
        found = json_scan.members(data)
    text = data[: found.end] if found.is_whole else data
    return First(text, found.members, found.is_whole, is_alone=not _is_followed(found, data))


def wrapped_array(first: First, export: ExportType) -> int | None:
    """Where the array of a wrapping object begins; None when the file is records.

    Raises:
        Unloadable: the object is an error, or may be either.
    """
    look, found = _look(first.members, export)
    if not first.is_alone:
        if look is _Look.WRAPPER and found is not None and _is_named(found, export) and _holds_records(found.value):
            raise Unloadable(
                f"The file is more than one object around records: the second follows at byte {len(first.text)}. Their "
                "records cannot be taken for those of one export; look at the file in raw/."
            )
        return None
    if not first.is_whole and found is None:
        # One long record, or a broken one.
        return None
    if look is _Look.RECORD:
        return None
    if first.is_whole:
        _check_success([member for member in first.members if member is not found], holds_records=found is not None)
    if look is _Look.UNCLEAR or found is None:
        raise Unloadable(_unclear(first.text, first.members))
    return found.start


def check_last(line: bytes) -> None:
    """Check that the last line is no error that ended an export before its time.

    Raises:
        Unloadable: it is.
    """
    found = json_scan.members(line)
    has_error = any(plain(one.name) in ERRORS for one in found.members)
    if found.is_whole and has_error and _has_bookkeeping_alone(found.members):
        _check_success(found.members, holds_records=True)


def _is_followed(found: Members, data: bytes) -> bool:
    return found.is_whole and bool(_NO_SPACE.search(data, found.end))


def _look(members: Sequence[Member], export: ExportType) -> tuple[_Look, Member | None]:
    """What an object looks like, and the array that may be its records."""
    arrays = [one for one in members if _holds_records(one.value) and _may_be_data(one, export)]
    arrays = arrays or [one for one in members if _is_empty_array(one.value) and _is_named(one, export)]
    arrays = arrays or [one for one in members if _is_empty_array(one.value) and not is_bookkeeping(one.name)]
    others = [one.name for one in members if one not in arrays]
    strangers = [name for name in others if not is_bookkeeping(name) and not may_be_either(name)]
    is_marked = any(map(is_of_a_record, strangers))
    if not any(_holds_records(one.value) for one in arrays):
        return _look_without_records(arrays, others, strangers, is_marked=is_marked)
    has_name = any(_is_named(one, export) for one in arrays)
    if strangers or len(arrays) > 1:
        is_record = is_marked and not has_name
        return (_Look.RECORD, None) if is_record else (_Look.UNCLEAR, arrays[0])
    if has_name or not others or any(map(is_bookkeeping, others)):
        return _Look.WRAPPER, arrays[0]
    return _Look.UNCLEAR, arrays[0]


def _look_without_records(
    empties: Sequence[Member], others: Sequence[str], strangers: Sequence[str], *, is_marked: bool
) -> tuple[_Look, Member | None]:
    if is_marked:
        return _Look.RECORD, None
    if len(empties) == 1 and not strangers:
        return _Look.WRAPPER, empties[0]
    # A time alone is a record's, unless something says that it is a document's.
    is_record = any(map(is_of_a_record, others)) and not any(map(is_bookkeeping, others))
    return (_Look.RECORD if is_record else _Look.UNCLEAR), None


def _check_success(members: Sequence[Member], *, holds_records: bool) -> None:
    words = error_document.failure(members, holds_records=holds_records)
    if words is not None:
        raise Unloadable(f"The file says that the export failed or is not finished: '{words}'. Order it again.")


def _has_bookkeeping_alone(members: Sequence[Member]) -> bool:
    return all(is_bookkeeping(one.name) or may_be_either(one.name) for one in members)


def _is_named(member: Member, export: ExportType) -> bool:
    """Whether it has a name that wrappers give to their records."""
    return is_generic(member.name) or plain(member.name) == plain(export.name)


def _may_be_data(member: Member, export: ExportType) -> bool:
    return _is_named(member, export) or plain(member.name) not in REMARKS


def _holds_records(value: bytes) -> bool:
    return value.startswith(b"[") and value[1:].lstrip(SPACE).startswith(b"{")


def _is_empty_array(value: bytes) -> bool:
    return value.startswith(b"[") and not value[1:-1].strip(SPACE)


def _unclear(text: bytes, members: Sequence[Member]) -> str:
    is_said = _has_bookkeeping_alone(members) and any(plain(one.name) in SAYINGS for one in members)
    said = error_document.words(members) if is_said else ""
    return (
        "The file is one object that is neither clearly one record nor clearly a wrapper around one array of records; "
        + (f"it says '{said}'." if said else f"it looks like {shown(text)}.")
        + " Nothing was guessed: look at the file in raw/."
    )
