"""The functions' bundles: their code, a layer of packages for all of them, and one for the load.

uv installs the packages from the locked files for the target platform: no Docker, no compiler. The folders lie in
`.build/`, named by a hash of their sources, so that nothing is installed twice.
"""

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from compileall import compile_dir
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from py_compile import PycInvalidationMode
from tempfile import mkdtemp
from typing import Any

import uv

PYTHON_VERSION = "3.13"
"""The functions' runtime on AWS."""

_ROOT = Path(__file__).parent.parent
_BUILD = _ROOT / ".build"
_FUNCTIONS = _ROOT / "lambdas"
# boto3 ships a description of every service of AWS, nine tenths of its size, and a cold start unpacks all of it.
# Endpoints name Step Functions `states`.
_SERVICES = ("athena", "dynamodb", "glue", "s3", "secretsmanager", "sns", "stepfunctions")
_ENDPOINTS = (*_SERVICES, "states", "sts")
# Of Powertools, functions use the log and the metrics, and these need two of its utilities.
_UTILITIES = ("jmespath_utils", "typing")
# CDK's zip keeps the modes of files, and on Lambda another user reads them: the caller's umask must not decide.
_FOLDER_MODE, _FILE_MODE = 0o755, 0o644
_PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}


class BundleFailed(Exception):
    """The packages of the functions could not be installed; the text says why."""


@dataclass(frozen=True)
class Bundle:
    """A folder that becomes a function's code or a layer, and a hash of its sources."""

    path: Path
    fingerprint: str


def code() -> Bundle:
    """The functions' own code, as the package `lambdas`."""
    files = (path for ending in ("py", "jinja") for path in _FUNCTIONS.rglob(f"*.{ending}"))
    sources = [path.relative_to(_ROOT) for path in sorted(files)]
    digest = sha256()
    for source in sources:
        content = (_ROOT / source).read_bytes()
        digest.update(f"{source.as_posix()}\0{len(content)}\0".encode() + content)

    def fill(folder: Path) -> None:
        for source in sources:
            target = folder / source
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(_ROOT / source, target)

    return _made("code", digest.hexdigest(), fill)


def layer(requirements: str, architecture: str | None) -> Bundle:
    """The packages of a locked file in `lambdas/`; `architecture` is AWS Lambda's, or None for this machine.

    Raises:
        BundleFailed: a package has no wheel for that machine, or cannot be fetched.
    """
    locked = _FUNCTIONS / requirements
    python = f"{sys.version_info.major}.{sys.version_info.minor}" if architecture is None else PYTHON_VERSION
    target = ["--python-version", python]
    if architecture is not None:
        target += ["--python-platform", _PLATFORMS[architecture]]

    def fill(folder: Path) -> None:
        command = [
            *(uv.find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"),
            *(*target, "--python", sys.executable, "--target", str(folder / "python"), "-r", str(locked)),
        ]
        # The system's certificates, so that a company's proxy is trusted, unless the caller's environment decides.
        environment = {"UV_SYSTEM_CERTS": "true", **os.environ}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603
        if done.returncode != 0:
            raise BundleFailed(f"The packages in lambdas/{requirements} could not be installed: {done.stderr.strip()}")
        _slim(folder / "python")
        if architecture is None:
            # Lambda compiles at a cold start; here that would be ten times at once. The deployment changes the files'
            # times, so the compiled code must not be checked against them.
            compile_dir(folder, quiet=2, workers=0, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)

    made_from = sha256(" ".join([*target, sys.platform]).encode() + Path(__file__).read_bytes() + locked.read_bytes())
    return _made(locked.stem, made_from.hexdigest(), fill)


def linked(packages: Bundle) -> Bundle:
    """A layer for the embedded cloud that names the folder of a layer's packages on this machine.

    That cloud unpacks each layer at every cold start: tens of megabytes, hundreds of times in a test run. As on AWS,
    path files in a layer's `python/lib/pythonX.Y/site-packages` are read.
    """
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    # First on the path, as a layer is: the embedded cloud has packages of the same names.
    line = f"import sys; sys.path.insert(0, {str(packages.path / 'python')!r})\n"

    def fill(folder: Path) -> None:
        site = folder / "python" / "lib" / python / "site-packages"
        site.mkdir(parents=True)
        (site / "packages.pth").write_text(line)

    return _made(f"{packages.path.name}-linked", sha256(line.encode()).hexdigest(), fill)


def _slim(packages: Path) -> None:
    """Keep of boto3's descriptions what the functions use, which is a fifth, and of Powertools a half."""
    powertools = packages / "aws_lambda_powertools"
    for part in (*powertools.glob("event_handler"), *powertools.glob("utilities/*/")):
        if part.name not in _UTILITIES:
            shutil.rmtree(part)
    for data in packages.glob("boto*/data"):
        for service in data.iterdir():
            if service.is_dir() and service.name not in _SERVICES:
                shutil.rmtree(service)
        for packed in data.rglob("*.json.gz"):
            description = json.loads(gzip.decompress(packed.read_bytes()))
            packed.with_suffix("").write_text(_compact(_without_documentation(description)))
            packed.unlink()
        for examples in data.rglob("examples-*.json"):
            examples.unlink()
        endpoints = data / "endpoints.json"
        if endpoints.exists():
            document = json.loads(endpoints.read_text())
            for partition in document["partitions"]:
                services = partition["services"]
                partition["services"] = {name: services[name] for name in _ENDPOINTS if name in services}
            endpoints.write_text(_compact(document))


def _without_documentation(description: Any) -> Any:
    """Empty the documentation texts; the keys stay, since botocore reads some, and members may have that name."""
    if isinstance(description, dict):
        return {
            name: "" if name == "documentation" and isinstance(value, str) else _without_documentation(value)
            for name, value in description.items()
        }
    return [_without_documentation(each) for each in description] if isinstance(description, list) else description


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _made(name: str, fingerprint: str, fill: Callable[[Path], None]) -> Bundle:
    """Fill the folder of that fingerprint unless it exists; the name is given when it is complete."""
    fingerprint = sha256(f"{fingerprint} {_FOLDER_MODE:o} {_FILE_MODE:o}".encode()).hexdigest()
    path = _BUILD / f"{name}-{fingerprint[:16]}"
    if not path.is_dir():
        _BUILD.mkdir(exist_ok=True)
        half = Path(mkdtemp(dir=_BUILD, prefix=f"{name}-"))
        try:
            fill(half)
            for made in (half, *half.rglob("*")):
                made.chmod(_FOLDER_MODE if made.is_dir() else _FILE_MODE)
            half.rename(path)
        except OSError:
            # A concurrent synthesis has just created the same folder.
            if not path.is_dir():
                raise
        finally:
            shutil.rmtree(half, ignore_errors=True)
    return Bundle(path, fingerprint)
