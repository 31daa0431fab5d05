"""Errors that are delivered as a result: recognised by their members, and quoted in their own words."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from lambdas.lake.formats import json_scan
from lambdas.lake.formats.json_scan import Member
from lambdas.lake.formats.member_names import ERRORS, STATUS, WORDS, plain
from lambdas.quotation import quoted

_BAD = re.compile(
    r"fail|err|denied|forbidden|unauthori|invalid|expired|abort|cancel|time(?:d.?)?out|reject|unavailable|exception"
    r"|not.?found|exceeded|refused|^(?:false|no|nok|ko)$|^[45][0-9][0-9]$",
    re.I,
)
_UNFINISHED = re.compile(r"pending|progress|running|queued|waiting|processing|partial|incomplete|not.?ready", re.I)
_GOOD = re.compile(r"^(?:ok|okay|success\w*|succeeded|finished|completed?|done|ready|true|yes|[01]|2[0-9][0-9])$", re.I)


def failure(members: Sequence[Member], *, holds_records: bool) -> str | None:
    """The words in which a document says that it is an error, or not finished; None when it says neither.

    An unknown status is no failure beside records, and one without any: unknown is failure.
    """
    errors = [json_scan.value(member.value) for member in members if plain(member.name) in ERRORS]
    errors = [error for error in errors if _says_something(error)]
    states = [json_scan.value(member.value) for member in members if plain(member.name) in STATUS]
    states = [str(state) for state in states if isinstance(state, str | bool) and _is_bad(str(state), holds_records)]
    if not errors and not states:
        return None
    return words(members) or "it gives no reason"


def words(members: Sequence[Member]) -> str:
    """What an error says of itself, within bounds and without links and people; empty when it says nothing."""
    named = {plain(member.name): json_scan.value(member.value) for member in members if _may_say(member)}
    found = [text for name in sorted(named.keys() & ERRORS) for text in _texts(named[name])]
    found = [*found, *_texts(named)] or [f"{name} {named[name]}" for name in sorted(named.keys() & STATUS)]
    return quoted(": ".join(dict.fromkeys(text for text in found if text)))


def _may_say(member: Member) -> bool:
    return plain(member.name) in ERRORS or (
        plain(member.name) in (*WORDS, *STATUS) and member.value[:1] not in (b"[", b"{")
    )


def _texts(error: Any) -> Iterator[str]:
    """The texts of an error: its own, those under its telling names, or those of its first few parts."""
    match error:
        case str():
            yield error
        case list():
            for one in error[:3]:
                yield from _texts(one)
        case dict():
            named = {plain(name): value for name, value in error.items()}
            for name in WORDS:
                if isinstance(named.get(name), str):
                    yield named[name]


def _says_something(error: Any) -> bool:
    return bool(error) and error not in ("0", "false", "none", "null")


def _is_bad(state: str, holds_records: bool) -> bool:
    if _BAD.search(state) or _UNFINISHED.search(state):
        return True
    return not holds_records and not _GOOD.match(state)
