"""The synthesized machine with the real functions against a stand-in that fails by seeded scripts.

`make fault-campaign` plays many; `make test` plays a few.
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
from tests.workflow.faultscripts import night
from tests.workflow.sweep import KINDS, everything, leaks

pytestmark = pytest.mark.enable_socket

SCRIPTS = int(os.environ.get("FAULT_SCRIPTS", "6"))
FIRST_SEED = int(os.environ.get("FAULT_SEED", "0"))


@pytest.mark.timeout(7200)
def test_after_any_bad_night_nothing_is_lost_leaked_or_ordered_unrecorded_and_the_next_one_heals(
    stage: Stage,
) -> None:
    seeds: queue.Queue[int] = queue.Queue()
    for seed in range(FIRST_SEED, FIRST_SEED + SCRIPTS):
        seeds.put(seed)
    counts, failures = [Counts() for _ in EXPORT_TYPES], list[str]()
    began = time.monotonic()

    def lane(export: str, mine: Counts) -> None:
        while len(failures) < 5:
            try:
                seed = seeds.get_nowait()
            except queue.Empty:
                return
            try:
                stage.play(export, night(seed, export, stage.standin.options.token), mine)
            except Exception as error:
                failures.append(f"seed {seed} on {export}: {type(error).__name__}: {error}")
                print(failures[-1], flush=True)
            print(f"seed {seed} done after {time.monotonic() - began:.0f} s", flush=True)

    lanes = [
        threading.Thread(target=lane, args=(export, mine)) for export, mine in zip(EXPORT_TYPES, counts, strict=True)
    ]
    for thread in lanes:
        thread.start()
    for thread in lanes:
        thread.join()

    total = {name: sum(asdict(mine)[name] for mine in counts) for name in asdict(counts[0])}
    print(f"{total} in {time.monotonic() - began:.0f} s")
    assert not failures, "\n".join(failures)
    assert total["scripts"] == SCRIPTS
    stage.holds_nothing_twice()
    found, seen = leaks(everything(stage), (stage.standin.options.token, ACCESS_KEY_ID, "Signature="))
    print(f"Searched for secrets: {dict(seen)}")
    assert not found
    assert set(seen) == KINDS
    assert stage.heard()
