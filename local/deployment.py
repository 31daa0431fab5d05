"""The real `cdk bootstrap` and `cdk deploy`, against the embedded cloud."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.cloud import REGION, Cloud
from local.problem import Problem
from local.processes import start

_ROOT = Path(__file__).parent.parent
_CDK = (str(_ROOT / ".venv" / "bin" / "node"), str(_ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"))
_ACCOUNT = "000000000000"


@dataclass(frozen=True)
class Deployment:
    """A deployed stack, by the names of its outputs."""

    stack: str
    bucket: str
    database: str
    workgroup: str
    state_machine_arn: str
    ledger_table: str
    token_secret_arn: str
    alert_topic_arn: str = ""
    """Empty for a cloud that an earlier version of this code started."""


def bootstrap(cloud: Cloud, folder: Path) -> None:
    """Prepare the embedded account for CDK.

    Raises:
        Problem: CDK failed.
    """
    # The environment is given, so the app need not be synthesized (`--app ""`), which takes seconds.
    cdk(cloud, folder, "bootstrap", f"aws://{_ACCOUNT}/{REGION}", app="")


def deploy(cloud: Cloud, folder: Path, settings: Mapping[str, str]) -> Deployment:
    """Deploy the stack, with `settings` over those of `cdk.json`.

    Raises:
        Problem: CDK failed; a bad setting is reported in its own sentence.
    """
    outputs = folder / "outputs.json"
    # As `make deploy` does, without anybody to approve.
    words = ("--strict", "--require-approval", "never", "--outputs-file", str(outputs))
    cdk(cloud, folder, "deploy", *words, *context(settings))
    ((stack, found),) = json.loads(outputs.read_text()).items()
    return Deployment(
        stack=stack,
        bucket=found["Bucket"],
        database=found["Database"],
        workgroup=found["WorkGroup"],
        state_machine_arn=found["StateMachineArn"],
        ledger_table=found["LedgerTable"],
        token_secret_arn=found["TokenSecretArn"],
        alert_topic_arn=found["AlertTopicArn"],
    )


def context(settings: Mapping[str, str]) -> list[str]:
    """Settings as arguments of CDK."""
    return [word for name, value in settings.items() for word in ("--context", f"{name}={value}")]


def set_token(cloud: Cloud, deployment: Deployment, token: str) -> None:
    """Put the token into the stack's secret, as the README describes after `cdk deploy`."""
    cloud.client("secretsmanager").put_secret_value(SecretId=deployment.token_secret_arn, SecretString=token)


def cdk(cloud: Cloud, folder: Path, *words: str, app: str = f"{sys.executable} app.py") -> None:
    """Run a command of CDK as a user does, with its files in `folder`.

    Raises:
        Problem: CDK failed; the sentence has its message.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    # CDK's template validation takes two thirds of a synthesis; `cdk deploy` on AWS and `make check` have their own.
    environment |= {**cloud.environment, "CDK_VALIDATION": "false"}
    environment["PATH"] = os.pathsep.join([str(_ROOT / ".venv" / "bin"), environment.get("PATH", os.defpath)])
    command = [*_CDK, *words, "--app", app, "--output", str(folder / "cdk.out")]
    started = start("cdk", [*command, "--ci", "--no-color"], environment, folder, _ROOT)
    try:
        status = started.handle.wait()
    finally:
        started.process.stop()
    if status != 0:
        raise Problem(f"cdk {words[0]} failed: {_reason(started.log.read_text(errors='replace'))}")


def _reason(output: str) -> str:
    """The message of CDK, without its decoration."""
    noise = ("Subprocess exited", "feature flags are not configured", "NOTICES", " | ", "Outputs:", "Stack ARN")
    lines = [line.strip() for line in output.splitlines() if line.strip() and not any(word in line for word in noise)]
    settings = [line for line in lines if "cdk.json" in line]
    return " ".join(settings or lines[-5:]) or "it printed nothing"
