"""The command line of `profile`."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lambdas.vocabulary import EXPORT_TYPES, Period
from local.problem import Misused
from local.profiling import options
from local.profiling.options import SETTINGS, Options


def add_profile(parser: Any) -> None:
    """Add the arguments of `profile`."""
    parser.add_argument("file", nargs="+", type=Path, metavar="FILE", help="a result file as it was downloaded")
    parser.add_argument("--export", metavar="TYPE", help=f"{', '.join(EXPORT_TYPES)} (default: from the file's name)")
    add_setting(parser, SETTINGS)
    parser.add_argument(
        "--ordered-at",
        action="append",
        default=[],
        metavar="TIME",
        help="when the export was ordered (UTC without an offset); once, or once for each file",
    )
    parser.add_argument("--period", help=f"the period that was ordered: {', '.join(Period)}")


def add_setting(parser: Any, names: Sequence[str]) -> None:
    """Add the option for settings."""
    parser.add_argument(
        "--setting",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=f"a value in place of that in cdk.json (may be repeated): {', '.join(names)}",
    )


def profile_options(given: argparse.Namespace) -> Options:
    """How the files are to be read.

    Raises:
        Misused: an argument cannot be used.
    """
    stack = options.stack_settings(settings(given), SETTINGS)
    return Options(
        settings=options.load_settings(stack),
        export=options.chosen_export(given.export),
        orders=options.orders(given.ordered_at, given.period, len(given.file)),
    )


def settings(given: argparse.Namespace) -> dict[str, str]:
    """The settings that were given.

    Raises:
        Misused: one is not NAME=VALUE.
    """
    try:
        return pairs(given.setting)
    except ValueError as error:
        raise Misused(str(error)) from None


def pairs(words: Sequence[str]) -> dict[str, str]:
    """Settings as names and texts.

    Raises:
        ValueError: a word is not NAME=VALUE.
    """
    found = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign:
            raise ValueError(f"--setting takes NAME=VALUE with a name of cdk.json, not '{word}'.")
        found[name] = value
    return found
