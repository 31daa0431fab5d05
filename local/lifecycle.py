"""Up and down: what runs, where its files lie, and how all of it ends."""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from infra.settings import BadSetting, from_context
from local import deployment, vendor
from local.cloud import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, Cloud, boot
from local.deployment import Deployment
from local.problem import Problem
from local.processes import Process, stop_all
from local.vendor import Vendor

HOME = Path(__file__).parent.parent / ".local"
DEMO = "demo-"
"""How the folders of demonstrations begin."""
LAKE = "lake"
"""The folder in one that holds its cloud."""
_STATE = "state.json"
# Waits of half a minute become half a second: the stand-in has no limits to respect.
_STANDIN_WAIT_SCALE = 0.02

Report = Callable[[str], None]


@dataclass(frozen=True)
class Account:
    """A Symplify account to pull from instead of the stand-in."""

    url: str
    customer_id: str
    token: str


@dataclass(frozen=True)
class UpOptions:
    """What `up` is asked for."""

    account: Account | None = None
    port: int | None = None
    standin_port: int | None = None
    events_per_day: int = 1000
    settings: Mapping[str, str] | None = None
    """Values over those of `cdk.json`."""
    faults: Path | None = None
    """A fault script for the stand-in."""


@dataclass(frozen=True)
class Running:
    """A local cloud with the stack deployed."""

    cloud: Cloud
    vendor: Vendor
    deployment: Deployment
    folder: Path

    def described(self) -> dict[str, Any]:
        """What `status --json` prints."""
        return {
            "endpoint": self.cloud.endpoint,
            "region": REGION,
            "caBundle": self.cloud.ca_bundle,
            "accessKeyId": ACCESS_KEY_ID,
            "secretAccessKey": SECRET_ACCESS_KEY,
            "bucket": self.deployment.bucket,
            "database": self.deployment.database,
            "workgroup": self.deployment.workgroup,
            "stateMachineArn": self.deployment.state_machine_arn,
            "ledgerTable": self.deployment.ledger_table,
            "tokenSecretArn": self.deployment.token_secret_arn,
            "symplifyUrl": self.vendor.base_url,
            "customerId": self.vendor.customer_id,
            "stack": self.deployment.stack,
        }


def up(home: Path, options: UpOptions, report: Report) -> Running:
    """Boot, deploy, and remember what runs in `home`. Whatever goes wrong, nothing stays behind.

    Raises:
        Problem: a local cloud runs already, or something did not start; the sentence says what.
    """
    check_settings(options.settings or {})
    home.mkdir(parents=True, exist_ok=True)
    with exclusive_lock(home):
        _refuse_second(home)
        folder = Path(mkdtemp(dir=home, prefix="cloud-"))
        try:
            running = _started(folder, options, report)
            _remember(home, running)
        except BaseException:
            _clear(folder)
            raise
    return running


def _started(folder: Path, options: UpOptions, report: Report) -> Running:
    chosen, token = _vendor(folder, options, report)
    report("Starting the embedded cloud (TLS, IAM enforced)")
    cloud = boot(folder, options.port, _STANDIN_WAIT_SCALE if chosen.process else 1.0)
    report(f"Running cdk bootstrap against {cloud.endpoint}")
    deployment.bootstrap(cloud, folder)
    report("Running cdk deploy")
    deployed = deployment.deploy(cloud, folder, _settings(chosen, options))
    deployment.set_token(cloud, deployed, token)
    return Running(cloud, chosen, deployed, folder)


def current(home: Path) -> Running:
    """The local cloud that runs.

    Raises:
        Problem: none does.
    """
    running = _recall(home)
    if running is None or not running.cloud.process.is_alive:
        raise Problem("No local cloud runs. Start one with: python -m local up")
    if running.vendor.process is not None and not running.vendor.process.is_alive:
        raise Problem("The stand-in Symplify has ended. Start anew with: python -m local down, and up")
    return running


def down(home: Path) -> bool:
    """Stop all that was started below `home`, whatever became of its command; return whether anything still ran.

    Raises:
        Problem: a command is starting or stopping it at this moment.
    """
    if not home.is_dir():
        return False
    with exclusive_lock(home):
        stopped = _clear_all(home)
    for demo in home.glob(f"{DEMO}*"):
        # A demonstration that is under way holds its own folder.
        with suppress(Problem), exclusive_lock(demo):
            stopped = _clear_all(demo / LAKE) or stopped
            shutil.rmtree(demo, ignore_errors=True)
    return stopped


@contextmanager
def exclusive_lock(folder: Path) -> Iterator[None]:
    """Keep others from starting or stopping anything in a folder.

    Raises:
        Problem: somebody else is at it.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Problem(f"Another command is starting or stopping the local cloud in {folder} right now.") from None
    finally:
        os.close(handle)


def check_settings(settings: Mapping[str, str]) -> None:
    """Look at settings before anything is started for them.

    Raises:
        Problem: one cannot be used.
    """
    context = json.loads((HOME.parent / "cdk.json").read_text())["context"]
    try:
        from_context(context | settings)
    except BadSetting as problem:
        raise Problem(str(problem)) from None


def _clear(folder: Path) -> bool:
    stopped = stop_all(folder)
    shutil.rmtree(folder, ignore_errors=True)
    return stopped


def _clear_all(home: Path) -> bool:
    (home / _STATE).unlink(missing_ok=True)
    # All of them, not only up to the first that still ran.
    return sum(_clear(folder) for folder in home.glob("cloud-*")) > 0


def _refuse_second(home: Path) -> None:
    try:
        running = _recall(home)
    except Problem:
        running = None
    if running is not None and running.cloud.process.is_alive:
        raise Problem(f"A local cloud runs already at {running.cloud.endpoint}. Stop it with: python -m local down")
    # What a killed command has left.
    _clear_all(home)


def _vendor(folder: Path, options: UpOptions, report: Report) -> tuple[Vendor, str]:
    if options.account is None:
        report("Starting the stand-in Symplify (synthetic data)")
        return vendor.start_standin(folder, options.standin_port, options.events_per_day, options.faults)
    account = Vendor(vendor.address(options.account.url), options.account.customer_id)
    report(f"Asking {account.base_url} who we are")
    vendor.check_account(account, options.account.token)
    return account, options.account.token


def _settings(chosen: Vendor, options: UpOptions) -> dict[str, str]:
    """What makes a deployment a local one: settings alone."""
    # The grace is counted by the clock, which waits that are shortened do not move.
    patience = {"orderGraceSeconds": "10"} if chosen.process else {}
    return {
        **patience,
        "baseUrl": chosen.base_url,
        "customerId": chosen.customer_id,
        "allowLoopbackHttp": "true" if chosen.is_on_loopback else "false",
        "supersededRetentionHours": "0",
        "bundle": "host",
        **(options.settings or {}),
    }


def _remember(home: Path, running: Running) -> None:
    state = asdict(running) | {"folder": str(running.folder)}
    half = home / f"{_STATE}.new"
    half.write_text(json.dumps(state, indent=1))
    half.replace(home / _STATE)


def _recall(home: Path) -> Running | None:
    try:
        state = json.loads((home / _STATE).read_text())
        cloud, chosen = state["cloud"], state["vendor"]
        standin = Process(**chosen["process"]) if chosen["process"] else None
        return Running(
            Cloud(cloud["endpoint"], cloud["ca_bundle"], Process(**cloud["process"])),
            Vendor(chosen["base_url"], chosen["customer_id"], standin),
            Deployment(**state["deployment"]),
            Path(state["folder"]),
        )
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        raise Problem(f"{home / _STATE} cannot be read. Start anew with: python -m local down, and up") from None
