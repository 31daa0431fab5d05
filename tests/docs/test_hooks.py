"""What guards a commit finds what it is there for: secrets, and workflows that GitHub would refuse."""

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

BIN = Path(sys.executable).parent
SCAN = (str(BIN / "detect-secrets-hook"), "--no-verify", "--baseline", ".secrets.baseline")
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_planted_secret_is_found(tmp_path: Path) -> None:
    planted = tmp_path / "settings.py"
    planted.write_text(f'key = "AKIA{"Q7" * 8}"\nurl = "https://bob:{"x" * 12}@example.com"\n')
    done = run(*SCAN, str(planted))
    assert done.returncode == 1
    assert "AWS Access Key" in done.stdout
    assert "Basic Auth Credentials" in done.stdout


def test_the_baseline_excuses_no_file_but_locked_and_measured_ones() -> None:
    baseline = json.loads((ROOT / ".secrets.baseline").read_text())
    assert baseline["results"] == {}
    (patterns,) = [used["pattern"] for used in baseline["filters_used"] if used["path"].endswith("exclude_file")]
    names = run("git", "ls-files").stdout.split()
    excused = [name for name in names if any(re.search(pattern, name) for pattern in patterns)]
    assert excused
    assert all(name.endswith((".txt", "package-lock.json", "results.json")) for name in excused)


def test_the_workflow_passes_and_a_broken_one_does_not(tmp_path: Path) -> None:
    assert run(str(BIN / "actionlint"), str(WORKFLOW)).returncode == 0
    broken = tmp_path / "ci.yml"
    broken.write_text(WORKFLOW.read_text().replace("runs-on", "runs-at"))
    assert run(str(BIN / "actionlint"), str(broken)).returncode == 1


def test_the_workflow_runs_what_must_pass_with_pinned_actions() -> None:
    text = WORKFLOW.read_text()
    assert "run: .ci/run\n" in text
    for action in re.findall(r"uses: (.*)", text):
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", action)


def test_every_hook_runs_a_program_of_the_environment() -> None:
    entries = re.findall(r"entry: \.venv/bin/(\S+)", (ROOT / ".pre-commit-config.yaml").read_text())
    assert {"ruff", "detect-secrets-hook"} <= set(entries)
    for name in entries:
        assert (BIN / name).exists(), name
