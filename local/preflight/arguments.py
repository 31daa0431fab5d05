"""The command line of `preflight`."""

import argparse
import os
import shlex
from typing import Any

from local import stacks
from local.checks import Check
from local.preflight.preflight import preflight
from local.problem import Misused
from local.profiling import arguments
from local.standin.options import TOKEN_VARIABLE


def add_preflight(parser: Any) -> None:
    """Add the arguments of `preflight`."""
    parser.add_argument(
        "--setting",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a value in place of that in cdk.json (may be repeated)",
    )
    parser.add_argument(
        "--cdk",
        default="",
        metavar="OPTIONS",
        help="the options that cdk deploy will be given: -c NAME=VALUE and --profile count here, others do not matter",
    )


def run(given: argparse.Namespace) -> list[Check]:
    """Run all checks with the caller's credentials.

    Raises:
        Misused: an argument cannot be used.
    """
    settings = arguments.settings(given)
    try:
        options = _cdk_options().parse_known_args(shlex.split(given.cdk))[0]
    except (ValueError, argparse.ArgumentError) as error:
        raise Misused(f"The options for CDK cannot be read: {error}.") from None
    try:
        settings |= arguments.pairs(options.context)
    except ValueError as error:
        raise Misused(str(error)) from None
    session = stacks.session(options.profile)
    return list(preflight(session, settings, os.environ.get(TOKEN_VARIABLE, "")))


def _cdk_options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(allow_abbrev=False, exit_on_error=False, add_help=False)
    parser.add_argument("-c", "--context", action="append", default=[])
    parser.add_argument("--profile")
    return parser
