"""A smoke run: every step once, each cleaned up after, also when it fails."""

import time
from collections.abc import Callable, Iterator, Mapping

from botocore.exceptions import BotoCoreError, ClientError

from local import doctor
from local.problem import Problem
from local.smoke import alarm, analysts, exports
from local.smoke.analysts import Simulated
from local.smoke.report import Step, Verdict
from local.smoke.trial import NotShown, Trial


def walk(trial: Trial, say: Callable[[str], None]) -> Iterator[Step]:
    """Walk the steps in their order; a failed one does not stop the others."""
    for name, step in STEPS.items():
        say(f"{name} …")
        yield _walked(name, step, trial)


def _walked(name: str, step: Callable[[Trial], str], trial: Trial) -> Step:
    began, before = time.monotonic(), trial.usd
    try:
        verdict, words = Verdict.SHOWN, step(trial)
    except Simulated as said:
        verdict, words = Verdict.SIMULATED, str(said)
    except NotShown as reason:
        verdict, words = Verdict.NOT_SHOWN, str(reason)
    except (Problem, ClientError, BotoCoreError) as error:
        verdict, words = Verdict.FAILED, str(error)
    except Exception as error:
        # What nobody has thought of is what a first run on AWS is for.
        verdict, words = Verdict.FAILED, f"{type(error).__name__}: {error}"
    finally:
        trial.undo.all()
    if trial.deployed.stack.is_local and name in LACKING and verdict in (Verdict.SHOWN, Verdict.SIMULATED):
        verdict, words = Verdict.NOT_HERE, f"{LACKING[name]}. Rehearsed: {words}"
    return Step(name, verdict, words, time.monotonic() - began, trial.usd - before)


def _doctor(trial: Trial) -> str:
    deployed = trial.deployed
    found = list(doctor.examine(deployed.stack, deployed.client, trial.query))
    ill = [f"{check.name}: {check.words}" for check in found if not check.is_well]
    if ill:
        raise Problem(" ".join(ill))
    return f"{len(found)} checks are well"


STEPS: Mapping[str, Callable[[Trial], str]] = {
    "copy in several calls": exports.copy_in_several_calls,
    "empty export": exports.empty_export,
    "moved partition": exports.moved_partition,
    "analysts' query": analysts.query_as_analyst,
    "alarm": alarm.set_and_heard,
    "doctor": _doctor,
}
LACKING: Mapping[str, str] = {
    "moved partition": "Its Athena reads every file under a table, wherever the partitions point",
    "analysts' query": "Its Athena asks for rights on the workgroup alone, and for none on tables and files",
}
"""What the embedded cloud cannot prove, although a step can be rehearsed on it."""
