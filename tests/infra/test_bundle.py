"""The functions find all they import in their own bundle, for this machine and for AWS's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra import bundle
from infra.functions import SHAPES

_LIMIT_BYTES = 250 * 1000 * 1000


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", SHAPES)
def test_a_handler_imports_with_nothing_but_its_bundle_on_the_path(name: str, tmp_path: Path) -> None:
    layers = [bundle.layer("requirements.txt", None)]
    layers += [bundle.layer("requirements-load.txt", None)] if SHAPES[name].has_engine else []
    paths = [bundle.code().path, *(layer.path / "python" for layer in layers)]
    program = (
        "import sys\n"
        f"sys.path[:0] = {[str(path) for path in paths]!r}\n"
        f"import lambdas.handlers.{name} as module\n"
        "assert callable(module.handler)\n"
        "print('\\n'.join(str(m.__file__) for m in sys.modules.values() if getattr(m, '__file__', None)))\n"
    )
    # -I and -S: neither the environment nor site-packages lend a package.
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        env={"AWS_DEFAULT_REGION": "eu-west-1", "PATH": os.environ["PATH"]},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "site-packages" not in done.stdout


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


def test_packages_that_cannot_be_had_are_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "_FUNCTIONS", tmp_path)
    monkeypatch.setattr(bundle, "_BUILD", tmp_path / "build")
    (tmp_path / "requirements.txt").write_text("no-such-package-of-anybody==1.0 --hash=sha256:" + "0" * 64 + "\n")
    with pytest.raises(bundle.BundleFailed, match=r"requirements\.txt could not be installed"):
        bundle.layer("requirements.txt", "arm64")
    assert list((tmp_path / "build").iterdir()) == []
