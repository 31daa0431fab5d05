"""Progress: which days a load has merged already, when it takes more than one call.

Their files lie where they will be published, and nothing points to them yet. The document lies among the drafts, so
that what a given up load leaves of it is tidied away with them.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from lambdas.lake.storage import keys
from lambdas.lake.storage.store import Store
from lambdas.vocabulary import ExportType


@dataclass(frozen=True)
class MergedDay:
    """What a merge did to one day of a table (or to an entity table), in rows."""

    read: int
    new: int
    updated: int
    location: str | None
    """Where its new state lies; None when nothing in it changed."""

    @property
    def known(self) -> int:
        """Rows that the table held already, with the same content or from an export that outranks this one."""
        return self.read - self.new - self.updated


class Progress:
    """What one run has merged of one batch, by day."""

    def __init__(self, store: Store, export: ExportType, name: str) -> None:
        self._store = store
        self._key = keys.progress(export, name)

    def read(self) -> dict[str, MergedDay]:
        """The days that earlier calls have merged."""
        body = self._store.read(self._key)
        return {day: MergedDay(**done) for day, done in json.loads(body).items()} if body is not None else {}

    def write(self, merged: Mapping[str, MergedDay]) -> None:
        """Keep them for the next call."""
        kept = {day: asdict(done) for day, done in merged.items()}
        self._store.write(self._key, json.dumps(kept).encode(), "application/json")
