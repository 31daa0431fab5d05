"""The request of a replay: which landed batches to merge, and whether to rebuild the table."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from lambdas.execution import BadInput

_NAMES = ("from", "to", "except", "rebuild", "reprofile")
# The limit that an execution's state can carry.
_MOST_LEFT_OUT = 500


@dataclass(frozen=True)
class Selection:
    """A replay's selection of batches."""

    first: str = ""
    """The first day of order, `YYYY-MM-DD`; empty for all."""
    last: str = ""
    """The last day, inclusive; empty for all."""
    left_out: tuple[str, ...] = ()
    """Batch ids."""
    is_rebuild: bool = False
    reprofiles: bool = False
    """Whether a rebuild decides the table's profile again, from the records in raw/."""

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "Selection":
        """Read `{"from": …, "to": …, "except": […], "rebuild": …, "reprofile": …}`, of which any may be missing.

        Raises:
            BadInput: it is invalid; the text is a sentence.
        """
        unknown = sorted(set(given) - set(_NAMES))
        if unknown:
            raise BadInput(f"replay has {', '.join(map(repr, unknown))[:200]}; it takes {', '.join(_NAMES)}.")
        left_out = given.get("except", [])
        if not isinstance(left_out, list) or not all(isinstance(one, str) and 0 < len(one) <= 100 for one in left_out):
            raise BadInput('replay.except must be a list of batch ids, such as ["101112"].')
        if len(left_out) > _MOST_LEFT_OUT:
            raise BadInput(f"replay.except takes at most {_MOST_LEFT_OUT} batches.")
        rebuild, reprofile = _flag("rebuild", given), _flag("reprofile", given)
        if reprofile and not rebuild:
            raise BadInput("A profile is decided again only when the table is rebuilt: use --reprofile with --rebuild.")
        days = _day("from", given), _day("to", given)
        selection = cls(*days, tuple(dict.fromkeys(left_out)), is_rebuild=rebuild, reprofiles=reprofile)
        if selection.last and selection.first > selection.last:
            raise BadInput(f"replay.from ({selection.first}) is after replay.to ({selection.last}).")
        if selection.left_out and not rebuild:
            raise BadInput(
                "Rows of a batch leave a table only when it is rebuilt: use --except together with --rebuild "
                '("except" with "rebuild": true).'
            )
        if rebuild and (selection.first or selection.last):
            raise BadInput(
                "A rebuild takes all of raw, since what lies outside of --from and --to would be lost: use --rebuild "
                "without them."
            )
        return selection


def _flag(name: str, given: Mapping[str, Any]) -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise BadInput(f"replay.{name} must be true or false.")
    return value


def _day(name: str, given: Mapping[str, Any]) -> str:
    value = given.get(name)
    if value is None:
        return ""
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise BadInput(f"replay.{name} must be a day such as 2026-01-31.") from None
