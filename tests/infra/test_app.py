"""`cdk synth`, as a user types it: no credentials, and a bad value is a sentence."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def synth(tmp_path: Path, **context: str) -> subprocess.CompletedProcess[str]:
    node = Path(sys.prefix) / "bin" / "node"
    words = [word for name, value in context.items() for word in ("-c", f"{name}={value}")]
    command = [str(node), "node_modules/aws-cdk/bin/cdk", "synth", "--quiet", "--output", str(tmp_path / "out"), *words]
    # No credentials, and no way to ask an instance for some.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {"PATH": f"{Path(sys.prefix) / 'bin'}:{os.environ['PATH']}", "AWS_EC2_METADATA_DISABLED": "true"}
    # CDK's validation of the template takes two thirds of a synthesis, and `make check` has its own.
    environment["CDK_VALIDATION"] = "false"
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_synth_needs_no_credentials(tmp_path: Path) -> None:
    done = synth(tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out" / "symplify-lake.template.json").read_text())["Resources"]


def test_a_bad_setting_is_a_sentence_and_no_stack_trace(tmp_path: Path) -> None:
    done = synth(tmp_path, timeZone="Mars/Olympus")
    assert done.returncode != 0
    assert "Mars/Olympus" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out" / "symplify-lake.template.json").exists()
