"""What a wrapper says about its records: how many there are, and whether more follow elsewhere."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.lake.errors import Unloadable
from lambdas.lake.formats import json_scan
from lambdas.lake.formats.json_scan import Member
from lambdas.lake.formats.member_names import COUNTS, LAST, META, NEXT, PAGES, plain

_NOTHING: tuple[Any, ...] = (None, False, "", "0", "false", [], {})


@dataclass(frozen=True)
class Claims:
    """The counts that a wrapper gives, and whether it says that it is not all."""

    counts: frozenset[int]
    has_more: bool

    def check(self, held: int) -> None:
        """Compare with the number of records that the wrapper holds.

        Raises:
            Unloadable: it contradicts itself, or is a page of several.
        """
        for count in sorted(self.counts, reverse=True):
            if count != held:
                raise Unloadable(_sentence(f"it says {count} and holds {held}"))
        if self.has_more:
            raise Unloadable(_sentence(f"it says that more follows elsewhere, and holds {held}"))


def claims(members: Sequence[Member]) -> Claims:
    """Read a wrapper's members, without its records."""
    named = COUNTS | PAGES | NEXT | LAST | META
    found = [(plain(one.name), json_scan.value(one.value)) for one in members if plain(one.name) in named]
    flat = [pair for name, value in found for pair in _flat(name, value)]
    return Claims(
        counts=frozenset(int(value) for name, value in flat if name in COUNTS and _is_whole(value)),
        has_more=any(_says_more(name, value) for name, value in flat),
    )


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """A member, or those of an object of bookkeeping; a link has its name beside its address."""
    if name in META and isinstance(value, dict):
        yield from ((plain(inner), one) for inner, one in value.items())
    elif name in META and isinstance(value, list):
        links = (link for link in value if isinstance(link, dict))
        yield from ((plain(str(link.get("rel"))), link.get("href")) for link in links)
    else:
        yield name, value


def _is_whole(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 19


def _says_more(name: str, value: Any) -> bool:
    if name in LAST:
        return value is False
    if name in PAGES:
        return _is_whole(value) and int(value) > 1
    return name in NEXT and value not in _NOTHING


def _sentence(what: str) -> str:
    return (
        f"The file is one object around its records and contradicts itself: {what}. A part is not loaded as the whole: "
        "look at the beginning and the end of the file in raw/, and ask Symplify for all of it."
    )
