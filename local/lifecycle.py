"""Up and down: what runs, where its files lie, and how all of it ends."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from local import deployment, vendor
from local.cloud import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, Cloud, boot
from local.deployment import Deployment
from local.problem import Problem
from local.processes import Process
from local.vendor import Vendor

HOME = Path(__file__).parent.parent / ".local"
_STATE = "state.json"
# Waits of half a minute become half a second: the stand-in has no limits to respect.
_STANDIN_WAIT_SCALE = 0.02

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Account:
    """A Symplify account to pull from instead of the stand-in."""

    url: str
    customer_id: str
    token: str


@dataclass(frozen=True)
class Wishes:
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

    def stop(self) -> None:
        """End every process and remove every file."""
        for process in (self.cloud.process, self.vendor.process):
            if process is not None:
                process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def up(home: Path, wishes: Wishes, tell: Tell) -> Running:
    """Boot, deploy, and remember what runs in `home`. Whatever goes wrong, nothing stays behind.

    Raises:
        Problem: a local cloud runs already, or something did not start; the sentence says what.
    """
    _refuse_second(home)
    home.mkdir(parents=True, exist_ok=True)
    folder = Path(mkdtemp(dir=home, prefix="cloud-"))
    started: list[Process] = []
    try:
        chosen, token = _vendor(folder, wishes, tell)
        started += [chosen.process] if chosen.process else []
        tell("Starting the embedded cloud (TLS, IAM enforced)")
        cloud = boot(folder, wishes.port, _STANDIN_WAIT_SCALE if chosen.process else 1.0)
        started.append(cloud.process)
        tell(f"Running cdk bootstrap against {cloud.endpoint}")
        deployment.bootstrap(cloud, folder)
        tell("Running cdk deploy")
        deployed = deployment.deploy(cloud, folder, _settings(chosen, wishes))
        deployment.set_token(cloud, deployed, token)
        running = Running(cloud, chosen, deployed, folder)
        _remember(home, running)
    except BaseException:
        for process in started:
            process.stop()
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return running


def current(home: Path) -> Running:
    """The local cloud that runs.

    Raises:
        Problem: none does.
    """
    running = _recall(home)
    if running is None or not running.cloud.process.is_alive:
        raise Problem("No local cloud runs. Start one with: python -m local up")
    return running


def down(home: Path) -> bool:
    """Stop all; return whether there was anything to stop."""
    running = _recall(home)
    if running is not None:
        running.stop()
        (home / _STATE).unlink(missing_ok=True)
    for leftover in home.glob("cloud-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    return running is not None


def _refuse_second(home: Path) -> None:
    running = _recall(home)
    if running is not None and running.cloud.process.is_alive:
        raise Problem(f"A local cloud runs already at {running.cloud.endpoint}. Stop it with: python -m local down")
    down(home)


def _vendor(folder: Path, wishes: Wishes, tell: Tell) -> tuple[Vendor, str]:
    if wishes.account is None:
        tell("Starting the stand-in Symplify (synthetic data)")
        return vendor.start_standin(folder, wishes.standin_port, wishes.events_per_day, wishes.faults)
    account = Vendor(wishes.account.url.rstrip("/"), wishes.account.customer_id)
    tell(f"Asking {account.base_url} who we are")
    vendor.check_account(account, wishes.account.token)
    return account, wishes.account.token


def _settings(chosen: Vendor, wishes: Wishes) -> dict[str, str]:
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
        **(wishes.settings or {}),
    }


def _remember(home: Path, running: Running) -> None:
    state = asdict(running) | {"folder": str(running.folder)}
    half = home / f"{_STATE}.new"
    half.write_text(json.dumps(state, indent=1))
    half.replace(home / _STATE)


def _recall(home: Path) -> Running | None:
    try:
        state = json.loads((home / _STATE).read_text())
    except FileNotFoundError:
        return None
    cloud, chosen = state["cloud"], state["vendor"]
    standin = Process(**chosen["process"]) if chosen["process"] else None
    return Running(
        Cloud(cloud["endpoint"], cloud["ca_bundle"], Process(**cloud["process"])),
        Vendor(chosen["base_url"], chosen["customer_id"], standin),
        Deployment(**state["deployment"]),
        Path(state["folder"]),
    )
