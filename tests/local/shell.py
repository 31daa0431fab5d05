"""A shell for the runbook's commands: `aws` as the AWS CLI sends them, but to the embedded cloud; all else by `sh`."""

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import jmespath
from botocore import xform_name

from local.cloud import Cloud


def shell(command: str, cloud: Cloud, folder: Path) -> str:
    """Run a line in a folder, and return what it prints.

    Raises:
        ClientError, ParamValidationError, CalledProcessError: it failed.
    """
    words = shlex.split(command)
    if words[0] != "aws":
        return subprocess.run(["sh", "-c", command], cwd=folder, check=True, capture_output=True, text=True).stdout
    target = None
    if words[-2] == ">":
        *words, _, target = words
    printed = _aws(words, cloud, folder)
    if target is not None:
        (folder / target).write_text(printed)
    return printed


def _aws(words: list[str], cloud: Cloud, folder: Path) -> str:
    _, service, operation, *words = words
    client = cloud.client(service.replace("s3api", "s3"))
    method = operation.replace("-", "_")
    model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method])
    members = {xform_name(name).replace("_", "-"): (name, shape) for name, shape in model.input_shape.members.items()}
    query, given, files = None, dict[str, Any](), list[str]()
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            files.append(word)
            continue
        values = [words.pop(0)]
        if word[2:] in members and members[word[2:]][1].type_name == "list":
            while words and not words[0].startswith("--"):
                values.append(words.pop(0))
        if word == "--query":
            query = values[0]
        else:
            name, shape = members[word[2:]]
            given[name] = _converted(shape, values, folder)
    answer = getattr(client, method)(**given)
    answer.pop("ResponseMetadata")
    if files:
        # As `lambda invoke` does with its answer.
        assert "FunctionError" not in answer
        (folder / files[0]).write_bytes(answer.pop("Payload").read())
    found = jmespath.search(query, answer) if query else answer
    # As the AWS CLI prints it.
    return json.dumps(found, indent=4, default=str)


def _converted(shape: Any, values: list[str], folder: Path) -> Any:
    text = values[0]
    if text.startswith("file://"):
        return json.loads((folder / text.removeprefix("file://")).read_text())
    if shape.type_name == "list":
        return values
    if shape.type_name == "integer":
        return int(text)
    if shape.type_name in ("map", "structure"):
        return json.loads(text)
    return text
