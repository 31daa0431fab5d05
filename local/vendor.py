"""The Symplify of the local cloud: an account of the user, or the stand-in as a process."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from urllib.parse import urlsplit

import urllib3

from lambdas.symplify.answers import RateLimited, Refused, Unavailable
from lambdas.symplify.client import Client
from lambdas.symplify.token import is_usable
from local.problem import Problem
from local.processes import Process, start
from local.standin import faults, shapes
from local.standin.options import TOKEN_VARIABLE

_ROOT = Path(__file__).parent.parent
STANDIN_CUSTOMER = "1234"


@dataclass(frozen=True)
class Vendor:
    """Where exports come from. The token is stored only in the cloud's secret."""

    base_url: str
    customer_id: str
    process: Process | None = None
    """That of the stand-in; None for an account."""

    @property
    def is_on_loopback(self) -> bool:
        """Whether it runs on this machine, where plain http is allowed."""
        return urlsplit(self.base_url).hostname in ("127.0.0.1", "localhost", "::1")


def check_account(vendor: Vendor, token: str) -> None:
    """Ask Symplify for the account's addresses: a cheap call that verifies address, customer id and token.

    Raises:
        Problem: one of them is wrong, or nobody answers.
    """
    if not is_usable(token):
        raise Problem("The token is empty, or holds blanks or other characters that no token has.")
    check_address(vendor)
    answer = Client(urllib3.PoolManager(), vendor.base_url, vendor.customer_id, lambda: token).account()
    if isinstance(answer, Refused):
        raise Problem(
            f"{vendor.base_url}: {answer.reason} Nothing was started. An address of Symplify's ends in /rest, and "
            "address, customer id and token belong together."
        )
    if isinstance(answer, Unavailable):
        raise Problem(f"{vendor.base_url}: {answer.reason} Nothing was started.")
    if isinstance(answer, RateLimited):
        raise Problem(f"{vendor.base_url}: Symplify asks to wait {answer.wait_seconds} s. Nothing was started.")


def check_address(vendor: Vendor) -> None:
    """Refuse an address that the token may not be sent to.

    Raises:
        Problem: it is plain http, and not on this machine.
    """
    if not vendor.base_url.startswith("https://") and not vendor.is_on_loopback:
        raise Problem(f"'{vendor.base_url}' is not an https address; Symplify's is like https://HOST/rest.")


def address(url: str) -> str:
    """The address without a slash at its end.

    Raises:
        Problem: it is invalid, or has a password.
    """
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole:
        raise Problem("That is no address to call; Symplify's is like https://HOST/rest.")
    if parts.username is not None or parts.password is not None:
        raise Problem("The address holds a user name or a password, which no address of Symplify does.")
    return url.rstrip("/")


def start_standin(
    folder: Path, port: int | None, events_per_day: int, script: Path | None = None, shape: str | None = None
) -> tuple[Vendor, str]:
    """Start the stand-in, with a fault script and a shape if there are any, and return it with its token.

    Raises:
        Problem: it did not start, or the script or the shape is invalid.
    """
    token = token_urlsafe(24)
    command = [sys.executable, "-m", "local.standin", "--customer-id", STANDIN_CUSTOMER, "--port", str(port or 0)]
    command += ["--events-per-day", str(events_per_day)]
    if script is not None:
        try:
            faults.read(script)
        except faults.BadFaults as error:
            raise Problem(str(error)) from None
        command += ["--faults", str(script.resolve())]
    if shape is not None:
        try:
            shapes.read(shape)
        except shapes.BadShape as error:
            raise Problem(str(error)) from None
        command += ["--shape", str(shapes.place(shape).resolve())]
    environment = {**os.environ, TOKEN_VARIABLE: token, "TMPDIR": str(folder)}
    started = start("standin", command, environment, folder, _ROOT, is_read=True)
    line = started.handle.stdout.readline() if started.handle.stdout else b""
    if not line:
        started.process.stop()
        words = started.log.read_text(errors="replace").strip().splitlines()
        raise Problem(f"The stand-in Symplify did not start: {words[-1] if words else 'it printed nothing'}")
    return Vendor(json.loads(line)["baseUrl"], STANDIN_CUSTOMER, started.process), token
