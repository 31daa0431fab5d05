"""An object that wraps one array of records: distinguished from a record by its fields, and checked to its end."""

import re
from dataclasses import dataclass

from lambdas.lake.errors import Unloadable
from lambdas.lake.formats import json_scan
from lambdas.lake.formats.block_buffer import BlockBuffer
from lambdas.lake.formats.json_scan import SPACE, shown
from lambdas.vocabulary import ExportType

_NO_SPACE = re.compile(rb"[^ \t\r\n]")


@dataclass(frozen=True)
class Wrapper:
    """An object around the array of records: its text before the array, and the export type."""

    before: bytes
    export: ExportType

    def check(self, rest: bytes) -> None:
        """Check the whole object, given the text after the array.

        Raises:
            Unloadable: it is truncated, followed by something, or holds more than one array of records.
        """
        text = self.before + b"null" + rest.rstrip(SPACE)
        around = json_scan.members(text)
        if not around.is_whole or around.end != len(text):
            raise Unloadable(
                "The file is an object around one array of records, and it is cut or something follows it."
            )
        if any(_holds_records(member.value) for member in around.members):
            raise Unloadable("The file is an object with more than its one array of records.")
        if _names(self.export) & {member.name for member in around.members}:
            raise Unloadable(_ambiguous(self.export, self.before))


def wrapped_array(buffer: BlockBuffer, export: ExportType) -> int | None:
    """Where the array of a wrapping object begins; None when the file is newline-delimited records.

    A record has a known field of its type; a wrapper has none, and one array of records.

    Raises:
        Unloadable: the object may be either.
    """
    data = buffer.head()
    first = json_scan.members(data)
    if not first.is_whole or not _NO_SPACE.search(data, first.end):
        data = buffer.joined(0, buffer.size)
        first = json_scan.members(data)
    names = _names(export)
    is_record = bool(names & {member.name for member in first.members})
    arrays = [member for member in first.members if _holds_records(member.value)]
    holds_records = any(names & _names_inside(member.value) for member in arrays)
    is_alone = not first.is_whole or not _NO_SPACE.search(data, first.end)
    if is_record and is_alone and holds_records:
        raise Unloadable(_ambiguous(export, data))
    if is_record:
        return None
    if not first.is_whole:
        # A value that continues beyond what was read: the records of a wrapper, or one long or broken line.
        return arrays[0].start if arrays else None
    if not is_alone:
        if holds_records:
            raise Unloadable(f"The file is more than one object around records; it starts with {shown(data)}.")
        return None
    found = arrays or [member for member in first.members if _is_empty_array(member.value)]
    if len(found) != 1:
        raise Unloadable(_ambiguous(export, data))
    return found[0].start


def _names(export: ExportType) -> set[str]:
    """The fields that identify a record of the type as one."""
    return {export.key, *export.candidates, *export.event_time}


def _names_inside(array: bytes) -> set[str]:
    """The names of an array's first record, which may be truncated."""
    return {member.name for member in json_scan.members(array[1:].lstrip(SPACE)).members}


def _holds_records(value: bytes) -> bool:
    return value.startswith(b"[") and value[1:].lstrip(SPACE).startswith(b"{")


def _is_empty_array(value: bytes) -> bool:
    return value.startswith(b"[") and not value[1:-1].strip(SPACE)


def _ambiguous(export: ExportType, data: bytes) -> str:
    return (
        f"The file is one object that is neither a {export.name} record nor a wrapper around one array of records; "
        f"it starts with {shown(data)}."
    )
