"""The functions find all they import in their own bundle, for this machine and for AWS's."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra import bundle

# As `test_only_the_load_carries_the_engine` has them of the template.
WITH_ENGINE = "load_result"
STEPS = ["plan_run", "start_export", "check_batch", "copy_result", WITH_ENGINE, "close_run"]
FUNCTIONS = [*STEPS, "watch_runs", "write_report"]
_LIMIT_BYTES = 250 * 1000 * 1000


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def alone(program: str, layers: list[Path], tmp_path: Path) -> str:
    """What a program prints that finds nothing but the bundle: neither environment nor site-packages lend a package."""
    paths = [bundle.code().path, *(layer / "python" for layer in layers)]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys\nsys.path[:0] = {[str(path) for path in paths]!r}\n{program}"],
        env={"AWS_DEFAULT_REGION": "eu-west-1", "PATH": os.environ["PATH"]},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_handler_imports_with_nothing_but_its_bundle_on_the_path(name: str, tmp_path: Path) -> None:
    layers = [bundle.layer("requirements.txt", None).path]
    layers += [bundle.layer("requirements-load.txt", None).path] if name == WITH_ENGINE else []
    program = (
        f"import lambdas.handlers.{name} as module\n"
        "assert callable(module.handler)\n"
        "print('\\n'.join(str(m.__file__) for m in sys.modules.values() if getattr(m, '__file__', None)))\n"
    )
    assert "site-packages" not in alone(program, layers, tmp_path)


# What functions are granted (`infra/access.py`) is what they call.
CALLED = {
    "athena": ["start_query_execution"],
    "dynamodb": ["get_item", "put_item", "query", "update_item", "delete_item"],
    "glue": ["get_table", "create_table", "update_table", "batch_create_partition", "batch_update_partition"],
    "s3": ["get_object", "put_object", "upload_part", "complete_multipart_upload", "list_parts", "delete_objects"],
    "secretsmanager": ["get_secret_value"],
    "sns": ["publish"],
    "stepfunctions": ["describe_execution", "list_executions"],
}


def test_services_that_functions_call_are_described_in_the_bundle_as_boto3_has_them(tmp_path: Path) -> None:
    program = (
        "import boto3, json\n"
        "boto3.resource('dynamodb').Table('ledger').load\n"
        f"called = {CALLED!r}\n"
        "members = {}\n"
        "for service, operations in called.items():\n"
        "    client = boto3.client(service)\n"
        "    model = client.meta.service_model\n"
        "    shapes = [model.operation_model(client.meta.method_to_api_mapping[name]) for name in operations]\n"
        "    members[service] = [client.meta.endpoint_url, *(sorted(shape.input_shape.members) for shape in shapes)]\n"
        "print(json.dumps(members))\n"
    )
    slim = json.loads(alone(program, [bundle.layer("requirements.txt", None).path], tmp_path))
    for service, operations in CALLED.items():
        client: Any = boto3.client(service, region_name="eu-west-1")  # type: ignore[call-overload]
        model, names = client.meta.service_model, client.meta.method_to_api_mapping
        shapes = [model.operation_model(names[operation]) for operation in operations]
        whole = [client.meta.endpoint_url, *(sorted(shape.input_shape.members) for shape in shapes)]
        assert slim[service] == whole


def test_the_bundle_for_aws_resolves_and_stays_under_lambdas_limit() -> None:
    parts = [
        bundle.code(),
        bundle.layer("requirements.txt", "arm64"),
        bundle.layer("requirements-load.txt", "arm64"),
    ]
    assert sum(size(part.path) for part in parts) < _LIMIT_BYTES
    libraries = list(parts[2].path.rglob("*.so"))
    assert libraries
    # The machine field of an ELF header: 183 is AArch64.
    assert {int.from_bytes(library.read_bytes()[18:20], "little") for library in libraries} == {183}


def test_a_layer_of_the_embedded_cloud_names_the_folder_of_its_packages_before_all_others(tmp_path: Path) -> None:
    packages = bundle.layer("requirements.txt", None)
    linked = bundle.linked(packages).path
    assert size(linked) < 1000
    (site,) = linked.glob("python/lib/python*/site-packages")
    program = f"import site\nsite.addsitedir({str(site)!r})\nprint(sys.path[0])\nimport boto3"
    assert alone(program, [], tmp_path).strip() == str(packages.path / "python")


def test_packages_that_cannot_be_fetched_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "_FUNCTIONS", tmp_path)
    monkeypatch.setattr(bundle, "_BUILD", tmp_path / "build")
    (tmp_path / "requirements.txt").write_text("no-such-package-of-anybody==1.0 --hash=sha256:" + "0" * 64 + "\n")
    with pytest.raises(bundle.BundleFailed, match=r"requirements\.txt could not be installed"):
        bundle.layer("requirements.txt", "arm64")
    assert list((tmp_path / "build").iterdir()) == []


def test_lambda_may_read_a_bundle_that_was_made_under_a_strict_umask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The zip keeps the modes, and Lambda reads it as another user."""
    monkeypatch.setattr(bundle, "_BUILD", tmp_path / "build")
    before = os.umask(0o077)
    try:
        made = bundle.code().path
    finally:
        os.umask(before)
    modes = {(path.is_dir(), path.stat().st_mode & 0o777) for path in (made, *made.rglob("*"))}
    assert modes == {(True, 0o755), (False, 0o644)}


def test_a_folder_of_other_modes_is_not_taken_for_the_same_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "_BUILD", tmp_path / "build")
    made = bundle.code()
    monkeypatch.setattr(bundle, "_FILE_MODE", 0o600)
    assert bundle.code().fingerprint != made.fingerprint
    assert bundle.code().path != made.path
