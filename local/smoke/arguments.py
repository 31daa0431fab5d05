"""The command line of `smoke`."""

import argparse
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from lambdas.aws_errors import has_code
from lambdas.lake.storage.landing import SMALLEST_PART
from lambdas.vocabulary import EXPORT_TYPES, ExportType, Nature, Period, UnknownName, export_type, period
from local.problem import Misused
from local.smoke.report import Report, Step
from local.smoke.smoke import walk
from local.smoke.trial import Trial
from local.stacks import Deployed

_BY_DAY = [export.name for export in EXPORT_TYPES.values() if export.nature is Nature.EVENTS]
_PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def add_smoke(parser: Any) -> None:
    """Add the arguments of `smoke`."""
    parser.add_argument("--export", default="OPENS", metavar="TYPE", help=f"{', '.join(_BY_DAY)} (default: OPENS)")
    parser.add_argument(
        "--period",
        help=f"{', '.join(Period)} (default: {Period.LAST_DAY}, or {Period.LAST_2_WEEKS} where there is no table yet)",
    )
    parser.add_argument(
        "--part-bytes",
        type=int,
        default=SMALLEST_PART,
        help=f"the size of the parts of the first copy (default: {SMALLEST_PART}, S3's smallest)",
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="where to keep the report (default: smoke-….md)")


def trial(given: argparse.Namespace, deployed: Deployed) -> Trial:
    """What is to be walked.

    Raises:
        Misused: an argument cannot be used.
    """
    try:
        export, chosen = export_type(given.export), period(given.period) if given.period else None
    except UnknownName as error:
        raise Misused(str(error)) from None
    if export.nature is not Nature.EVENTS:
        raise Misused(f"{export.name} has no days; choose one of {', '.join(_BY_DAY)}.")
    if chosen is None:
        chosen = Period.LAST_DAY if _has_table(deployed, export) else Period.LAST_2_WEEKS
    return Trial(deployed=deployed, export=export, period=chosen, part_bytes=given.part_bytes)


def _has_table(deployed: Deployed, export: ExportType) -> bool:
    """Whether the export's table is there; what its fields are is decided by the first export, and a day is little."""
    try:
        deployed.client("glue").get_table(DatabaseName=deployed.stack.outputs["Database"], Name=export.table)
    except ClientError as error:
        if has_code(error, "EntityNotFoundException"):
            return False
        raise
    return True


def run(given: argparse.Namespace, deployed: Deployed, say: Callable[[str], None]) -> Report:
    """Walk all steps and keep the report, also that of a run that is interrupted.

    Raises:
        Misused: an argument cannot be used.
    """
    chosen, steps, began = trial(given, deployed), list[Step](), datetime.now(UTC)
    report = Report(
        stack=deployed.stack.name,
        cloud="the embedded cloud, which proves nothing about AWS"
        if deployed.stack.is_local
        else f"AWS, {_region(deployed)}",
        what=f"{chosen.export.name} {chosen.period}",
        version=str(tomllib.loads(_PYPROJECT.read_text())["project"]["version"]),
        began=began,
        steps=steps,
        left=chosen.undo.left,
    )
    file = given.report or Path(f"{chosen.name}-{deployed.stack.name}.md")
    try:
        for step in walk(chosen, say):
            steps.append(step)
            say(f"  {step.verdict}: {step.words}")
    finally:
        file.write_text(report.page())
        say(f"The report is kept in {file}.")
    return report


def _region(deployed: Deployed) -> str:
    return str(deployed.client("sts").meta.region_name)
