"""Fault injection: the synthesized state machine with the real functions, against a stand-in with seeded faults.

`make fault-campaign` runs many scripts, `make test` a few.
"""

import os
import queue
import threading
import time
from dataclasses import asdict

import pytest

from lambdas.vocabulary import EXPORT_TYPES
from local.standin.links import ACCESS_KEY_ID
from tests.workflow.campaign import Counts, Stage
from tests.workflow.fault_scripts import night
from tests.workflow.secret_leaks import KINDS, everything, leaks

pytestmark = pytest.mark.enable_socket

SCRIPTS = int(os.environ.get("FAULT_SCRIPTS", "6"))
FIRST_SEED = int(os.environ.get("FAULT_SEED", "0"))


@pytest.mark.timeout(7200)
def test_after_a_faulted_night_nothing_is_lost_leaked_or_unrecorded_and_the_next_night_recovers(
    stage: Stage,
) -> None:
    seeds: queue.Queue[int] = queue.Queue()
    for seed in range(FIRST_SEED, FIRST_SEED + SCRIPTS):
        seeds.put(seed)
    counts, failures = [Counts() for _ in EXPORT_TYPES], list[str]()
    began = time.monotonic()

    def worker(export: str, totals: Counts) -> None:
        while len(failures) < 5:
            try:
                seed = seeds.get_nowait()
            except queue.Empty:
                return
            try:
                stage.play(export, night(seed, export, stage.standin.options.token), totals)
            except Exception as error:
                failures.append(f"seed {seed} on {export}: {type(error).__name__}: {error}")
                print(failures[-1], flush=True)
            print(f"seed {seed} done after {time.monotonic() - began:.0f} s", flush=True)

    threads = [
        threading.Thread(target=worker, args=(export, totals))
        for export, totals in zip(EXPORT_TYPES, counts, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    total = {name: sum(asdict(totals)[name] for totals in counts) for name in asdict(counts[0])}
    print(f"{total} in {time.monotonic() - began:.0f} s")
    assert not failures, "\n".join(failures)
    assert total["scripts"] == SCRIPTS
    stage.check_keys_are_unique()
    found, seen = leaks(everything(stage), (stage.standin.options.token, ACCESS_KEY_ID, "Signature="))
    print(f"Searched for secrets: {dict(seen)}")
    assert not found
    assert set(seen) == KINDS
    assert stage.messages()
