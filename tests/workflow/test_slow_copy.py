"""A copy that takes several calls of the function: from a slow source, byte for byte, in constant memory.

`make slow-copy` copies 3 GB at 20 MB/s with a timeout of 30 s; `make test` less, with a shorter timeout.
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
from tests.workflow.campaign import Stage, other_standin

pytestmark = pytest.mark.enable_socket

MEGABYTES = int(os.environ.get("SLOW_COPY_MB", "200"))
SECONDS = int(os.environ.get("SLOW_COPY_TIMEOUT", "14"))
SOURCE = Options(file_bytes_per_second=20_000_000, finish_after_polls=1, link_seconds=60)


class MemorySampler:
    """The peak resident memory of each function, in MB."""

    def __init__(self, cloud: int) -> None:
        self.peaks: dict[str, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, args=(psutil.Process(cloud),))

    def __enter__(self) -> "MemorySampler":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self, cloud: psutil.Process) -> None:
        while not self._stop.wait(0.1):
            for process in cloud.children(recursive=True):
                with suppress(psutil.Error):
                    function = process.environ().get("AWS_LAMBDA_FUNCTION_NAME", "")
                    now = process.memory_info().rss / 1e6
                    self.peaks[function] = max(now, self.peaks.get(function, 0))


def test_a_copy_over_several_calls_is_identical_in_constant_memory(stage: Stage, tmp_path: Path) -> None:
    crc = write_noise(tmp_path / "result", MEGABYTES)
    cloud = stage.running.cloud.process.pid
    with other_standin(stage, SOURCE, SECONDS) as slow, MemorySampler(cloud) as sampler:
        batch = slow.standin.next_batch_id
        slow.standin.replace_result(batch, tmp_path / "result")
        began = time.monotonic()
        arn = slow.start(exportType="CLICKS", period="LAST_DAY")
        outcomes = slow.outcomes_until(arn, "copied")
        seconds = time.monotonic() - began
        # The bytes are noise, so there is nothing to load.
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
        # Release the lease of the stopped run, so that no test waits for the takeover.
        slow.ledger.delete_item(Key={"pk": "CLICKS", "sk": "lease"})
    # The baseline: a function with the same packages that copies nothing.
    baseline = sampler.peaks[f"{stage.deployed.stack}-check-batch"]
    peak = sampler.peaks[f"{stage.deployed.stack}-copy-result"]
    print(
        f"{MEGABYTES} MB in {seconds:.0f} s, {outcomes.count('partial')} resumes, "
        f"memory {baseline:.0f} MB before and {peak:.0f} MB at most"
    )
    # A call stops starting parts before its timeout.
    assert outcomes.count("partial") >= max(1, MEGABYTES // (20 * SECONDS))
    assert peak < baseline + 200


def stored_crc(stage: Stage, key: str, size: int) -> int:
    """The CRC-32 of an object, read in ranges, since the embedded cloud buffers whole responses in memory."""
    crc = 0
    for start in range(0, size, 64 << 20):
        span = f"bytes={start}-{min(start + (64 << 20), size) - 1}"
        part = stage.s3.get_object(Bucket=stage.deployed.bucket, Key=key, Range=span)["Body"].read()
        crc = zlib.crc32(part, crc)
    return crc
