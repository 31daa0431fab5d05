"""The stand-in as a whole: two ports, one state."""

import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from local.standin import spool
from local.standin.api import Api, JournalApi
from local.standin.batches import Batches, Order
from local.standin.clock import Clock, real_clock
from local.standin.faults import Faults
from local.standin.files import Files
from local.standin.journal import CallRecord, Journal
from local.standin.limit import RateLimit
from local.standin.links import Links
from local.standin.options import Options
from local.standin.server import Endpoint, PortInUse

__all__ = ["PortInUse", "StandIn"]


class StandIn:
    """A running stand-in, on 127.0.0.1 only; a context manager that stops it and removes its files.

    Raises:
        PortInUse: a chosen port is taken.
    """

    def __init__(self, options: Options | None = None, clock: Clock = real_clock) -> None:
        self.options = options or Options()
        self._journal = Journal()
        self.faults = Faults(self.options.faults.rules)
        """The active fault script, which may be replaced at any time."""
        self._api = Endpoint(self.options.api_port, self._journal, clock, self.faults)
        try:
            self._files = Endpoint(self.options.files_port, self._journal, clock, self.faults)
        except PortInUse:
            self._api.stop()
            raise
        self.base_url = self._api.url + "/rest"
        """The value of the setting baseUrl; the customer id follows it in paths."""
        self.files_url = self._files.url
        self._directory = tempfile.TemporaryDirectory(prefix="standin-")
        self._batches = Batches(self.options, clock, Path(self._directory.name))
        links = Links(self.files_url, self.options.link_seconds, clock)
        limit = RateLimit(self.options.calls_per_minute, self.options.minute_seconds, clock)
        self._files.start(Files(self._batches, links, self.options.file_bytes_per_second))
        self._api.start(
            Api(self.options, self.base_url, self._batches, links, limit), JournalApi(self._journal, self._batches)
        )

    @property
    def orders(self) -> list[Order]:
        """All orders that took effect, the oldest first."""
        return self._batches.orders

    @property
    def next_batch_id(self) -> str:
        """The id that the next order gets."""
        return self._batches.next_id

    def result(self, batch_id: str, version: str | None = None) -> bytes:
        """The bytes of a finished batch's file, or of another version of it (see `spool.version`)."""
        batch = self._batches.find(batch_id)
        assert batch is not None, f"No batch {batch_id}."  # noqa: S101 - a test's own mistake
        return spool.version(batch.file.result(), version).path.read_bytes()

    def replace_result(self, batch_id: str, path: Path) -> None:
        """Use a file as the result of a batch, which may not be ordered yet."""
        self._batches.results[batch_id] = path

    @property
    def calls(self) -> list[CallRecord]:
        """All calls to both ports, refused ones too, in the order in which they were answered."""
        return self._journal.calls

    def stop(self) -> None:
        """Close both ports, stop writing files, and remove them."""
        self._api.stop()
        self._files.stop()
        self._batches.close()
        self._directory.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
