"""Checkpoint: the days that a load of several calls has merged so far.

Their files lie where they will be published, and nothing points to them yet. The document lies beside the shadow
tables, so that the vacuum deletes that of an abandoned load.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from lambdas.lake.profile.audit import Counts
from lambdas.lake.storage import keys
from lambdas.lake.storage.store import Store
from lambdas.vocabulary import ExportType


@dataclass(frozen=True)
class MergedDay:
    """The result of merging one day (or an entity table), in rows."""

    read: int
    new: int
    updated: int
    location: str | None
    """Of its new files; None when nothing changed."""
    overlap: Counts = field(default_factory=Counts)

    @property
    def known(self) -> int:
        """Rows that the table had already, with the same content or from an export that outranks this one."""
        return self.read - self.new - self.updated


class Checkpoint:
    """The checkpoint of one run's load of one batch."""

    def __init__(self, store: Store, export: ExportType, name: str) -> None:
        self._store = store
        self._key = keys.checkpoint(export, name)

    def read(self) -> dict[str, MergedDay]:
        """Return the days that earlier calls have merged."""
        body = self._store.read(self._key)
        found = json.loads(body).items() if body is not None else ()
        return {day: MergedDay(**(done | {"overlap": Counts(**done["overlap"])})) for day, done in found}

    def write(self, merged: Mapping[str, MergedDay]) -> None:
        """Store them for the next call."""
        kept = {day: asdict(done) for day, done in merged.items()}
        self._store.write(self._key, json.dumps(kept).encode(), "application/json")
