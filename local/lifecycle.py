"""Up and down: starts and stops everything of a local cloud, and remembers where it runs."""

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
"""The prefix of the folders of demos."""
LAKE = "lake"
"""The folder of a demo's cloud."""
_STATE = "state.json"
STANDIN_WAIT_SCALE = 0.02
"""Waits of half a minute become half a second: the stand-in has no rate limit."""

Report = Callable[[str], None]


@dataclass(frozen=True)
class Account:
    """A Symplify account to pull from instead of the stand-in."""

    url: str
    customer_id: str
    token: str


@dataclass(frozen=True)
class UpOptions:
    """The options of `up`."""

    account: Account | None = None
    port: int | None = None
    standin_port: int | None = None
    events_per_day: int = 1000
    settings: Mapping[str, str] | None = None
    """Values in place of those of `cdk.json`."""
    faults: Path | None = None
    """A fault script for the stand-in."""
    shape: str | None = None
    """A shape of the stand-in's records, by its name or path."""


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
    """Boot, deploy, and remember what runs in `home`. After a failure nothing stays behind.

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
    cloud = boot(folder, options.port, STANDIN_WAIT_SCALE if chosen.process else 1.0)
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
        raise Problem("The stand-in Symplify has ended. Start again with: python -m local down, and up")
    return running


def down(home: Path) -> bool:
    """Stop everything that was started below `home`, also by killed commands; return whether anything still ran.

    Raises:
        Problem: a command is starting or stopping it at this moment.
    """
    if not home.is_dir():
        return False
    with exclusive_lock(home):
        stopped = _clear_all(home)
    for demo in home.glob(f"{DEMO}*"):
        # A demo in progress has the lock of its own folder.
        with suppress(Problem), exclusive_lock(demo):
            stopped = _clear_all(demo / LAKE) or stopped
            shutil.rmtree(demo, ignore_errors=True)
    return stopped


@contextmanager
def exclusive_lock(folder: Path) -> Iterator[None]:
    """Lock a folder against other commands that start or stop something in it.

    Raises:
        Problem: another command has the lock.
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
    """Validate settings before anything is started.

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
    # What a killed command left behind.
    _clear_all(home)


def _vendor(folder: Path, options: UpOptions, report: Report) -> tuple[Vendor, str]:
    if options.account is None:
        report("Starting the stand-in Symplify (synthetic data)")
        return vendor.start_standin(folder, options.standin_port, options.events_per_day, options.faults, options.shape)
    account = Vendor(vendor.address(options.account.url), options.account.customer_id)
    report(f"Checking the account at {account.base_url}")
    vendor.check_account(account, options.account.token)
    return account, options.account.token


def _settings(chosen: Vendor, options: UpOptions) -> dict[str, str]:
    """The settings in which a local deployment differs; nothing else does."""
    # The grace follows the clock, which does not move with shortened waits.
    grace = {"orderGraceSeconds": "10"} if chosen.process else {}
    return {
        **grace,
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
        raise Problem(f"{home / _STATE} cannot be read. Start again with: python -m local down, and up") from None
