"""The benchmark measures processes, compares them turn by turn, and continues when one fails."""

import sys
from pathlib import Path

import pytest

from benchmarks.measure import Failed, Measured, Repetition, Subject, in_turn, ratio, run_command


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_peak_is_the_commands_own_whatever_its_parent_holds(tmp_path: Path) -> None:
    held = bytearray(b"x") * 300_000_000
    small = run_command(python("pass"), tmp_path)
    assert small.peak < 60_000_000
    assert len(held) == 300_000_000


def test_peak_of_a_family_is_what_its_processes_hold_together(tmp_path: Path) -> None:
    child = "import time; held = bytearray(b'x') * 100_000_000; time.sleep(1.5)"
    started = f"[subprocess.Popen([sys.executable, '-c', {child!r}]) for _ in '12']"
    program = f"import subprocess, sys; [process.wait() for process in {started}]"
    assert run_command(python(program), tmp_path).peak > 200_000_000


def test_last_line_and_temporary_files_of_a_command_are_reported(tmp_path: Path) -> None:
    program = (
        "import pathlib, tempfile, time\n"
        f"with tempfile.TemporaryDirectory(dir={str(tmp_path)!r}) as folder:\n"
        "    (pathlib.Path(folder) / 'work').write_bytes(bytes(1_000_000)); time.sleep(1)\n"
        "print('words'); print('{\"rows\": 3}')"
    )
    done = run_command(python(program), tmp_path)
    assert (done.printed, done.disk) == ({"rows": 3}, 1_000_000)


def test_failing_command_is_reported_with_its_last_output(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="ended with status 3: no bucket"):
        run_command(python("import sys; print('no bucket', file=sys.stderr); sys.exit(3)"), tmp_path)


def test_command_that_hangs_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="took longer than 1 s and was stopped"):
        run_command(python("import time; time.sleep(60)"), tmp_path, limit=1)


def test_subjects_take_turns_and_a_failing_one_is_left_out_while_the_others_go_on(tmp_path: Path) -> None:
    order = []

    def steady(folder: Path) -> Repetition:
        assert list(folder.iterdir()) == []
        order.append("steady")
        return Repetition(1.0, 1.0, 1)

    def breaking(_: Path) -> Repetition:
        order.append("breaking")
        if order.count("breaking") == 2:
            raise Failed("It broke.")
        return Repetition(2.0, 1.0, 1)

    def slow(_: Path) -> Repetition:
        order.append("slow")
        return Repetition(9.0, 1.0, 1)

    subjects = [
        Subject("steady", steady),
        Subject("breaking", breaking),
        Subject("slow", slow, lambda _: "checked", is_slow=True),
    ]
    found = in_turn(subjects, 2, tmp_path)
    assert order == ["steady", "breaking", "steady", "breaking", "slow", "steady"]
    assert sorted(found["steady"].repetitions) == [1, 2]
    assert (found["breaking"].failed, found["breaking"].repetitions) == ("It broke.", {})
    assert (found["slow"].outcome, len(found["slow"].repetitions)) == ("checked", 1)


def test_subject_whose_repetitions_have_different_results_fails(tmp_path: Path) -> None:
    rows = iter((3, 3, 2))
    found = in_turn([Subject("moody", lambda _: Repetition(1.0, 1.0, 1), lambda _: next(rows))], 2, tmp_path)
    assert found["moody"].failed == "Two repetitions had different results: 3 and 2."


def test_ratio_pairs_runs_of_the_same_turn() -> None:
    one = Measured({1: Repetition(2.0, 0, 0), 2: Repetition(30.0, 0, 0), 3: Repetition(4.0, 0, 0)})
    other = Measured({1: Repetition(1.0, 0, 0), 2: Repetition(10.0, 0, 0), 3: Repetition(1.0, 0, 0)})
    assert ratio(one, other) == 3.0
    assert ratio(Measured({1: Repetition(5.0, 0, 0)}), other) == 5.0
    assert ratio(Measured(), other) is None
