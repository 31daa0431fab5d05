"""The morning report of a stack, written anew by its own function, as a file on this machine."""

import json
import webbrowser
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from lambdas.aws_errors import has_code
from local.checks import ClientFactory
from local.problem import Problem

FOLDER = "reports"
"""Where the command line saves reports, below the local cloud's folder."""


def fetch(stack: str, bucket: str, client: ClientFactory, folder: Path) -> Path:
    """Have the report written and return where it has been saved: `folder`/DAY.html.

    Raises:
        Problem: the stack writes none, or its function failed.
    """
    try:
        answer = client("lambda").invoke(FunctionName=f"{stack}-write-report", Payload=b"{}")
    except ClientError as error:
        if has_code(error, "ResourceNotFoundException"):
            raise Problem(f"{stack} writes no report: its setting morningReport is false.") from None
        raise
    found: dict[str, Any] = json.loads(answer["Payload"].read())
    if "key" not in found:
        raise Problem(f"The report was not written: {found.get('errorMessage', found)}")
    content = client("s3").get_object(Bucket=bucket, Key=found["key"])["Body"].read()
    path = folder / Path(found["key"]).name
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def open_in_browser(path: Path) -> None:
    """Show a report.

    Raises:
        Problem: this machine has no browser that could be started.
    """
    if not webbrowser.open(path.resolve().as_uri()):
        raise Problem(f"No browser could be started; open {path} yourself.")
