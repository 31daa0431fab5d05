"""The runbook as its tests read it: headings and commands."""

import re

from local.lifecycle import Running
from tests.conftest import ROOT

RUNBOOK = (ROOT / "docs" / "operations.md").read_text()


def commands() -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", RUNBOOK, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


def anchors() -> set[str]:
    """The headings as GitHub makes anchors of them."""
    headings = re.findall(r"^#+ (.*)$", RUNBOOK, re.MULTILINE)
    return {re.sub(r"[^a-z0-9_ -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def filled(running: Running, command: str, **more: str) -> str:
    """A command with what the stack, and the lines before it, say in the place of its names in capitals."""
    deployed = running.deployment
    names = {
        "STATE_MACHINE_ARN": deployed.state_machine_arn,
        "TOKEN_SECRET_ARN": deployed.token_secret_arn,
        "LEDGER_TABLE": deployed.ledger_table,
        "DATABASE": deployed.database,
        "BUCKET": deployed.bucket,
        "STACK": deployed.stack,
        **more,
    }
    for name, value in names.items():
        # Escaped, since a replacement may hold backslashes.
        command = re.sub(rf"(?<![A-Z_]){name}(?![A-Z_])", value.replace("\\", r"\\"), command)
    return command


def section(heading: str) -> list[str]:
    """The commands of a section of the page, in their order."""
    (text,) = re.findall(rf"^### {heading}\n(.*?)(?=^##)", RUNBOOK, re.MULTILINE | re.DOTALL)
    return [command for command in commands() if f"\n{command}\n" in text]
