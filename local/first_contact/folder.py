"""The folder of the results: for its owner's eyes alone, and the memory of what was ordered."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from lambdas.vocabulary import Period
from local.problem import Misused

_OWN = (".json", ".order", ".part")


@dataclass(frozen=True)
class Ordered:
    """An order that was sent."""

    export: str
    period: Period
    at: datetime
    batch_id: str | None = None
    """None when its answer is not known."""


@dataclass(frozen=True)
class Folder:
    """Results and orders, by export type and period."""

    path: Path

    def open(self) -> None:
        """Make the folder, or close it to others.

        Raises:
            Misused: it holds files of others.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.path.stat().st_mode & 0o077:
            if any(file.suffix not in _OWN for file in self.path.iterdir()):
                raise Misused(
                    f"The folder {self.path} is open to others and holds other files; the results are personal data, "
                    "so choose a folder of their own with --folder."
                )
            self.path.chmod(0o700)

    def result(self, export: str, period: Period) -> Path:
        """Where a result is saved. The name has the export type, as `profile` wants it."""
        return self.path / f"{export}.{period}.json"

    def order(self, export: str, period: Period) -> Ordered | None:
        """The order of a result, if one was sent."""
        try:
            held = json.loads(self._order(export, period).read_bytes())
            return Ordered(export, period, datetime.fromisoformat(held["orderedAt"]), held["batchId"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def remember(self, order: Ordered) -> None:
        """Write an order down."""
        held = {
            "exportType": order.export,
            "period": order.period.value,
            "orderedAt": order.at.isoformat(),
            "batchId": order.batch_id,
        }
        with self.written(self._order(order.export, order.period)) as file:
            file.write(json.dumps(held, indent=1).encode())

    def forget(self, order: Ordered) -> None:
        """Forget an order of which nothing will come."""
        self._order(order.export, order.period).unlink(missing_ok=True)

    @contextmanager
    def written(self, path: Path) -> Iterator[BinaryIO]:
        """A file that only its owner can read, and that is there only when it is whole."""
        part = path.with_name(path.name + ".part")
        part.unlink(missing_ok=True)
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                os.fchmod(file.fileno(), 0o600)
                yield file
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def _order(self, export: str, period: Period) -> Path:
        return self.path / f"{export}.{period}.order"
