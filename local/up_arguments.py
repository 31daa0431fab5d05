"""The command line of `up` and `demo`."""

import argparse
import os
from pathlib import Path
from typing import Any

from local.lifecycle import Account, UpOptions
from local.problem import Problem
from local.profiling import arguments
from local.standin.options import TOKEN_VARIABLE
from local.standin.records import MAX_EVENTS_PER_DAY


def add_up(parser: Any) -> None:
    """Add the arguments of `up`."""
    parser.add_argument("--symplify-url", metavar="URL", help="a Symplify account's address, ending in /rest")
    parser.add_argument("--customer-id", metavar="ID", help="the account's customer id")
    parser.add_argument("--token", help=f"its API token (better: the environment variable {TOKEN_VARIABLE})")
    parser.add_argument("--port", type=_port, help="port of the embedded cloud (default: a free one)")
    parser.add_argument("--standin-port", type=_port, help="port of the stand-in's API (default: a free one)")
    parser.add_argument("--events-per-day", type=_count, default=1000, help="SENT events of the stand-in per day")
    parser.add_argument(
        "--faults", type=Path, metavar="FILE", help="a fault script for the stand-in, see docs/faults.md"
    )
    parser.add_argument(
        "--shape",
        metavar="FILE",
        help="a shape of the stand-in's records, or the name of a ready one, see docs/shapes.md",
    )
    parser.add_argument(
        "--setting",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a value in place of that in cdk.json (may be repeated)",
    )


def up_options(given: argparse.Namespace) -> UpOptions:
    """The options that were given.

    Raises:
        Problem: they do not fit each other.
    """
    token = given.token or os.environ.get(TOKEN_VARIABLE, "")
    account = None
    if given.symplify_url or given.customer_id or given.token:
        missing = [
            name
            for name, value in (
                ("--symplify-url", given.symplify_url),
                ("--customer-id", given.customer_id),
                (f"--token or {TOKEN_VARIABLE}", token),
            )
            if not value
        ]
        if missing:
            raise Problem(f"An account needs an address, a customer id and a token; missing: {', '.join(missing)}.")
        for name, value in (("--faults", given.faults), ("--shape", given.shape)):
            if value:
                raise Problem(f"{name} is for the stand-in, and with your own account there is none.")
        account = Account(given.symplify_url, given.customer_id, token)
    try:
        settings = arguments.pairs(given.setting)
    except ValueError as error:
        raise Problem(str(error)) from None
    return UpOptions(
        account=account,
        port=given.port,
        standin_port=given.standin_port,
        events_per_day=given.events_per_day,
        settings=settings,
        faults=given.faults,
        shape=given.shape,
    )


def _port(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"'{text}' is no port; ports are numbers from 1 to 65535")
    return int(text)


def _count(text: str) -> int:
    if not (text.isdecimal() and int(text) <= MAX_EVENTS_PER_DAY):
        raise argparse.ArgumentTypeError(f"'{text}' is no number from 0 to {MAX_EVENTS_PER_DAY}")
    return int(text)
