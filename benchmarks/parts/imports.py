"""The cold import of each function's handler, in a new process with only its bundle on the path."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measure import Repetition, Subject, in_turn, run_command
from benchmarks.options import BenchmarkOptions

_LEAST_REPETITIONS = 5


def measure(options: BenchmarkOptions) -> Iterator[dict[str, Any]]:
    """One line per function: its whole process, from the start of Python to its end."""
    # Imported here, since CDK takes seconds.
    from infra import bundle  # noqa: PLC0415
    from infra.functions import FUNCTION_SIZES  # noqa: PLC0415

    options.report("imports: the functions' packages")
    common = [bundle.code().path, bundle.layer("requirements.txt", None).path / "python"]
    engine = bundle.layer("requirements-load.txt", None).path / "python"
    subjects = [
        Subject(name, _importer(name, [*common, engine] if size.has_engine else common))
        for name, size in FUNCTION_SIZES.items()
    ]
    options.report("imports: each function")
    for name, measured in in_turn(subjects, max(_LEAST_REPETITIONS, options.repetitions), options.folder).items():
        figures = measured.figures()
        yield {"subject": name, "hasEngine": FUNCTION_SIZES[name].has_engine, **figures, "failed": measured.failed}


def _importer(name: str, paths: list[Path]) -> Any:
    program = f"import sys; sys.path[:0] = {[str(path) for path in paths]!r}; import lambdas.handlers.{name}"
    environment = {"AWS_DEFAULT_REGION": "eu-west-1", "PATH": os.environ.get("PATH", os.defpath)}

    def start(folder: Path) -> Repetition:
        # -I and -S: no packages from the environment or site-packages.
        return run_command([sys.executable, "-I", "-S", "-c", program], folder, environment)

    return start
