"""A result that needs several calls of the function: from a slow source, byte for byte, in flat memory.

`make slow-copy` takes 3 GB at 20 MB/s with a time-out of 30 s; `make test` takes less of everything.
"""

import os
import threading
import time
import zlib
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from benchmarks.parts.copy import BLOCK_BYTES, write_noise
from lambdas.lake.storage import keys
from lambdas.lake.storage.crc32 import as_text
from lambdas.lake.storage.landing import Landing
from lambdas.vocabulary import EXPORT_TYPES
from local.standin import Options
from tests.workflow.campaign import Stage, another_vendor

pytestmark = pytest.mark.enable_socket

MEGABYTES = int(os.environ.get("SLOW_COPY_MB", "200"))
SECONDS = int(os.environ.get("SLOW_COPY_TIMEOUT", "14"))
SOURCE = Options(file_bytes_per_second=20_000_000, finish_after_polls=1, link_seconds=60)


class Watch:
    """The most resident memory, in MB, of each function's process."""

    def __init__(self, cloud: int) -> None:
        self.peaks: dict[str, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, args=(psutil.Process(cloud),))

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self, cloud: psutil.Process) -> None:
        while not self._stop.wait(0.1):
            for process in cloud.children(recursive=True):
                with suppress(psutil.Error):
                    function = process.environ().get("AWS_LAMBDA_FUNCTION_NAME", "")
                    now = process.memory_info().rss / 1e6
                    self.peaks[function] = max(now, self.peaks.get(function, 0))


def test_a_result_that_takes_several_calls_arrives_identical_in_flat_memory(stage: Stage, tmp_path: Path) -> None:
    crc = write_noise(tmp_path / "result", MEGABYTES)
    cloud = stage.running.cloud.process.pid
    with another_vendor(stage, SOURCE, SECONDS) as slow, Watch(cloud) as watch:
        batch = slow.standin.next_batch_id
        slow.standin.replace_result(batch, tmp_path / "result")
        began = time.monotonic()
        arn = slow.start(exportType="CLICKS", period="LAST_DAY")
        outcomes = slow.outcomes_until(arn, "copied")
        seconds = time.monotonic() - began
        # The bytes are no records, so there is nothing to load.
        slow.states.stop_execution(executionArn=arn)

        ordered_at = str(slow.ledger.get_item(Key={"pk": "CLICKS", "sk": f"batch#{batch}"})["Item"]["ordered_at"])
        manifest = Landing(slow.s3, stage.deployed.bucket).manifest(EXPORT_TYPES["CLICKS"], ordered_at, batch)
        assert manifest is not None
        assert (manifest.bytes, manifest.crc32) == (MEGABYTES * BLOCK_BYTES, as_text(crc))
        assert stored_crc(slow, keys.raw(EXPORT_TYPES["CLICKS"], ordered_at, batch).result, manifest.bytes) == crc
        slow.ledger.update_item(
            Key={"pk": "CLICKS", "sk": f"batch#{batch}"},
            UpdateExpression="SET #s = :dead",
            ExpressionAttributeNames={"#s": "status"},
            ExpressionAttributeValues={":dead": "dead"},
        )
        # Nobody waits for the takeover of a lease whose owner was stopped by hand.
        slow.ledger.delete_item(Key={"pk": "CLICKS", "sk": "lease"})
    # The same packages without a copy's work: what a function has in memory before it begins.
    start = watch.peaks[f"{stage.deployed.stack}-check-batch"]
    peak = watch.peaks[f"{stage.deployed.stack}-copy-result"]
    print(
        f"{MEGABYTES} MB in {seconds:.0f} s, {outcomes.count('partial')} resumes, "
        f"memory {start:.0f} MB before and {peak:.0f} MB at most"
    )
    # A call begins parts for less than its whole time.
    assert outcomes.count("partial") >= max(1, MEGABYTES // (20 * SECONDS))
    assert peak < start + 200


def stored_crc(stage: Stage, key: str, size: int) -> int:
    """The CRC-32 of an object, read in ranges, since the embedded cloud holds whole answers in memory."""
    crc = 0
    for start in range(0, size, 64 << 20):
        span = f"bytes={start}-{min(start + (64 << 20), size) - 1}"
        part = stage.s3.get_object(Bucket=stage.deployed.bucket, Key=key, Range=span)["Body"].read()
        crc = zlib.crc32(part, crc)
    return crc
