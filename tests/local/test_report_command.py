"""`python -m local report`, where no report can be had; test_demo.py and test_readme.py have one written."""

from pathlib import Path

from tests.conftest import local_in_process


def test_a_stack_without_a_name_is_not_the_local_cloud(tmp_path: Path) -> None:
    """An unset variable of a shell, say."""
    done = local_in_process("report", "--stack", "", home=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--stack is empty" in done.stderr
