"""The command line of `first-contact`."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lambdas.symplify.token import is_usable
from lambdas.vocabulary import EXPORT_TYPES, Period, UnknownName, export_type, period
from local import vendor
from local.first_contact.first_contact import Wanted, first_contact
from local.first_contact.folder import Folder
from local.problem import Misused
from local.profiling import arguments
from local.profiling.options import SETTINGS, stack_settings
from local.standin.options import TOKEN_VARIABLE

_SETTINGS = (*SETTINGS, "resultHosts", "batchStatuses")
FOLDER = "first-contact"


def add_first_contact(parser: Any) -> None:
    """Add the arguments of `first-contact`. The token is none of them: the list of processes shows arguments."""
    parser.add_argument("--symplify-url", metavar="URL", required=True, help="your account's address, ending in /rest")
    parser.add_argument("--customer-id", metavar="ID", required=True, help="its customer id")
    parser.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help=f"a file with its API token (default: variable {TOKEN_VARIABLE})",
    )
    parser.add_argument(
        "--export", nargs="+", action="extend", metavar="TYPE", help=f"(default: all) {', '.join(EXPORT_TYPES)}"
    )
    parser.add_argument(
        "--period", nargs="+", action="extend", metavar="PERIOD", help=f"(default: LAST_3_DAYS) {', '.join(Period)}"
    )
    parser.add_argument(
        "--folder", type=Path, default=Path(FOLDER), help=f"where the results are saved (default: {FOLDER})"
    )
    arguments.add_setting(parser, _SETTINGS)


def run(given: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Run the command; return its document.

    Raises:
        Misused: an argument cannot be used.
        Problem: Symplify refuses the account, or nobody answers.
    """
    try:
        wanted = Wanted(
            exports=list({(one := export_type(name)).name: one for name in given.export or EXPORT_TYPES}.values()),
            periods=list(dict.fromkeys(period(name) for name in given.period or [Period.LAST_3_DAYS])),
        )
    except UnknownName as error:
        raise Misused(str(error)) from None
    settings = stack_settings(arguments.settings(given), _SETTINGS)
    token = _token(given.token_file)
    account = vendor.Vendor(vendor.address(given.symplify_url), given.customer_id)
    vendor.check_address(account)
    return first_contact(account, token, Folder(given.folder), wanted, settings=settings, say=say)


def _token(file: Path | None) -> str:
    try:
        token = os.environ.get(TOKEN_VARIABLE, "") if file is None else file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Misused(f"The token's file {file} cannot be read: {why}.") from None
    where = f"the variable {TOKEN_VARIABLE}" if file is None else f"the file {file}"
    if not token:
        raise Misused(f"There is no token in {where}; give it there or with --token-file, never as an argument.")
    if not is_usable(token):
        raise Misused(f"What is in {where} holds blanks or other characters that no token has.")
    return token
