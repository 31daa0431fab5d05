"""The Makefile's help and environment, and the length of files that `make check` looks at."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import uv

from checks.file_length import MOST_LINES, too_long
from infra import bundle
from tests.conftest import ROOT


def make(*arguments: str, added: str = "") -> str:
    """What make prints, with rules added to the Makefile's."""
    # A make that runs these tests passes its own flags on otherwise.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "UV_"))}
    command = ["make", "--no-print-directory", "-f", "Makefile", "-f", "-", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, input=added, capture_output=True, text=True, check=True)
    return done.stdout


def test_make_without_a_target_shows_every_command() -> None:
    shown = make()
    for command in ("install", "demo", "test", "check", "deploy", "doctor", "clean"):
        assert f"\n{command} " in shown


def test_uv_and_node_trust_the_systems_certificates_in_every_command() -> None:
    shown = make("show", added="show:\n\t@echo $$UV_SYSTEM_CERTS $$NODE_USE_SYSTEM_CA\n")
    assert shown == "true 1\n"


def test_packages_of_the_functions_are_fetched_with_the_systems_certificates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "uv"
    fake.write_text(f"#!{sys.executable}\nimport os, sys\nsys.exit('trusts: ' + os.environ['UV_SYSTEM_CERTS'])\n")
    fake.chmod(0o755)
    monkeypatch.setattr(uv, "find_uv_bin", lambda: str(fake))
    monkeypatch.setattr(bundle, "_BUILD", tmp_path / "build")
    monkeypatch.delenv("UV_SYSTEM_CERTS", raising=False)
    with pytest.raises(bundle.BundleFailed, match="trusts: true"):
        bundle.layer("requirements.txt", None)


def test_a_file_above_the_limit_is_found_wherever_it_lies(tmp_path: Path) -> None:
    for name, lines in {"app.py": 321, "infra/a.py": 320, "tests/unit/b.py": 321, "other/c.py": 999}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x = 1\n" * lines)
    assert too_long(tmp_path) == {"app.py": MOST_LINES + 1, "tests/unit/b.py": MOST_LINES + 1}


def test_make_check_looks_at_the_length_of_files() -> None:
    assert "-m checks.file_length" in make("--dry-run", "--assume-old=install", "check")
