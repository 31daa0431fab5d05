"""The batches: each an order, a result file that is being written, and the number of times its status was asked."""

import threading
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lambdas.vocabulary import Period
from local.standin import shapes, spool
from local.standin.clock import Clock
from local.standin.exchange import Route
from local.standin.options import Options
from local.standin.periods import Window, milliseconds, window
from local.standin.spool import Cancelled, ResultFile
from local.standin.world import World

# A status call that may say FINISHED waits that long for the file, so that a small export finishes with the same call
# every time. Below the 20 s after which callers give up.
_FILE_SECONDS = 10
# Files are written by Python alone, so more threads would only take turns.
_WRITERS = 2


@dataclass(frozen=True)
class Order:
    """What was ordered, and when by the stand-in's clock."""

    batch_id: str
    export_type: str
    period: str
    ordered_at: datetime
    window: Window

    def as_json(self) -> dict[str, object]:
        """The order for the journal; the window in milliseconds since 1970, its end excluded."""
        return {
            "batchId": self.batch_id,
            "exportType": self.export_type,
            "period": self.period,
            "orderedAt": self.ordered_at.isoformat(),
            "windowStart": self.window.start,
            "windowEnd": self.window.end,
        }


@dataclass(frozen=True)
class BatchState:
    """A batch as a status call shows it; times in milliseconds since 1970, 0 where there is none yet."""

    status: str
    processed: int
    total: int
    start_time: int
    end_time: int


class Batch:
    """One batch."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.file: Future[ResultFile] = Future()
        self.written = 0
        self.status_calls = 0
        self.finished_at: datetime | None = None
        self.lock = threading.Lock()

    @property
    def is_lost(self) -> bool:
        """Whether its file could not be written, or one that somebody gave could not be read."""
        return self.file.done() and not self.file.cancelled() and isinstance(self.file.exception(), OSError)

    @property
    def result(self) -> ResultFile | None:
        """The file, once a status call has returned FINISHED."""
        return self.file.result() if self.finished_at is not None else None


class Batches:
    """All batches since the start. Thread-safe."""

    def __init__(self, options: Options, clock: Clock, directory: Path) -> None:
        self._options = options
        self._clock = clock
        self._directory = directory
        self._world = World(options.seed)
        self._batches: dict[str, Batch] = {}
        self.results: dict[str, Path] = {}
        """Files in place of generated ones, by batch id."""
        self._lock = threading.Lock()
        self._writers = ThreadPoolExecutor(_WRITERS, thread_name_prefix="standin-writer")
        self._stopping = threading.Event()

    @property
    def orders(self) -> list[Order]:
        """All orders, the oldest first."""
        with self._lock:
            return [batch.order for batch in self._batches.values()]

    @property
    def next_id(self) -> str:
        """The id that the next order gets."""
        return str(self._options.first_batch_id + len(self._batches))

    def order(self, export_type: str, period: Period) -> Order:
        """Take an order and begin to write its file."""
        now = self._clock()
        with self._lock:
            batch_id = self.next_id
            order = Order(batch_id, export_type, period.value, now, window(period, now, self._options.windows))
            batch = self._batches[batch_id] = Batch(order)
            batch.file = self._writers.submit(self._write, batch)
        return order

    def find(self, batch_id: str) -> Batch | None:
        """The batch of that id, or none."""
        with self._lock:
            return self._batches.get(batch_id)

    def route(self, kind: str, batch_id: str | None) -> Route:
        """A route to a batch, with its export type where there is such a batch."""
        batch = self.find(batch_id) if batch_id is not None else None
        return Route(kind, batch_id, batch.order.export_type if batch else None)

    def ask(self, batch: Batch) -> tuple[int, BatchState]:
        """Count a status call, and return its number and the batch's state. A finished batch stays finished."""
        now = self._clock()
        with batch.lock:
            batch.status_calls += 1
            number = batch.status_calls
        is_due = (
            number >= self._options.finish_after_polls
            and (now - batch.order.ordered_at).total_seconds() >= self._options.finish_after_seconds
        )
        if is_due and batch.finished_at is None and self._is_written(batch):
            with batch.lock:
                batch.finished_at = batch.finished_at or now
        return number, self._state(batch, number)

    def close(self) -> None:
        """Stop writing, and wait until it has stopped."""
        self._stopping.set()
        self._writers.shutdown(cancel_futures=True)

    def _is_written(self, batch: Batch) -> bool:
        try:
            batch.file.result(_FILE_SECONDS)
        except (OSError, Cancelled, CancelledError):
            # Not within that time (a TimeoutError), or never.
            return False
        return True

    def _state(self, batch: Batch, number: int) -> BatchState:
        started = milliseconds(batch.order.ordered_at)
        if batch.finished_at is not None:
            done = batch.file.result().records
            # The vendor's own example is finished at 500 of 501.
            total = done + int(batch.order.batch_id) % 2
            return BatchState("FINISHED", done, total, started, milliseconds(batch.finished_at))
        if batch.is_lost:
            return BatchState("ERROR", 0, 0, started, 0)
        if number == 1:
            return BatchState("PENDING", 0, 0, started, 0)
        return BatchState("IN_PROGRESS", batch.written // 2, batch.written, started, 0)

    def _write(self, batch: Batch) -> ResultFile:
        def progress(count: int) -> None:
            batch.written = count
            if self._stopping.is_set():
                raise Cancelled

        order = batch.order
        given = self.results.get(order.batch_id) or self._options.shape.file_of(order.export_type)
        if given is not None:
            return spool.existing(given)
        texts = shapes.texts(
            self._options.shape,
            self._world,
            order.export_type,
            batch_id=order.batch_id,
            window=order.window,
            ordered_at=milliseconds(order.ordered_at),
            events_per_day=self._options.events_per_day,
        )
        path = self._directory / f"{order.batch_id}_result.json"
        return spool.write(path, texts, self._options.container_of(order.export_type), order.export_type, progress)
