"""The embedded cloud: one process that speaks AWS's APIs over TLS and enforces IAM, and a session to talk to it."""

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import boto3
import urllib3
from botocore.config import Config

from local import certificate
from local.problem import Problem
from local.processes import Process, start

if TYPE_CHECKING:
    from boto3 import Session

REGION = "eu-west-1"
# The embedded cloud takes unknown credentials for the root of the account.
ACCESS_KEY_ID = "test"
SECRET_ACCESS_KEY = "test"  # noqa: S105 - guards a server that only this machine reaches

_ROOT = Path(__file__).parent.parent
_PYTHON = _ROOT / ".venv" / "cloud" / "bin" / "python"
_START_SECONDS = 60.0
# Another process can take a free port in the seconds until the cloud listens there.
_PORTS_TRIED = 5
# What its log says then, from its own check or from the server.
_PORT_TAKEN = "already in use"

# Clients are safe to share between threads, a session that makes them is not.
_MAKING = Lock()


class _PortTakenError(Problem):
    pass


@dataclass(frozen=True)
class Cloud:
    """A running embedded cloud."""

    endpoint: str
    ca_bundle: str
    process: Process

    @cached_property
    def session(self) -> "Session":
        """A boto3 session with the root's credentials; `client` adds the endpoint."""
        return boto3.Session(
            aws_access_key_id=ACCESS_KEY_ID, aws_secret_access_key=SECRET_ACCESS_KEY, region_name=REGION
        )

    def client(self, service: str) -> Any:
        """A boto3 client of a service, which all callers share: a new one takes a tenth of a second. Thread-safe."""
        with _MAKING:
            if service not in self._clients:
                self._clients[service] = self.session.client(
                    service,  # type: ignore[call-overload]
                    endpoint_url=self.endpoint,
                    verify=self.ca_bundle,
                    config=Config(retries={"mode": "standard", "max_attempts": 3}),
                )
            return self._clients[service]

    @cached_property
    def _clients(self) -> dict[str, Any]:
        return {}

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables by which AWS's tools and CDK reach this cloud."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "AWS_CA_BUNDLE": self.ca_bundle,
            "NODE_EXTRA_CA_CERTS": self.ca_bundle,
        }


def boot(folder: Path, port: int | None = None, wait_scale: float = 1.0) -> Cloud:
    """Start the embedded cloud with its files in `folder`, and return when it answers.

    `wait_scale` shortens the waits and retry intervals of state machines, which the stand-in does not need in
    full.

    Raises:
        Problem: the port is taken, or the cloud does not start.
    """
    made = certificate.make(folder)
    (folder / "tmp").mkdir()
    tries = 1 if port is not None else _PORTS_TRIED
    while True:
        tries -= 1
        try:
            return _boot_at(free_port(port), folder, made, wait_scale)
        except _PortTakenError:
            if not tries:
                raise


def _boot_at(port: int, folder: Path, made: certificate.Certificate, wait_scale: float) -> Cloud:
    # Only what programs need of the user's environment: AWS's and proxies' variables would leak into functions.
    environment = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    environment |= {
        "AUTH": "true",
        "USE_SSL": "1",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "MINISTACK_REGION": REGION,
        "MINISTACK_SSL_CERT": str(made.chain),
        "MINISTACK_SSL_KEY": str(made.key),
        "SFN_WAIT_SCALE": str(wait_scale),
        "STATE_DIR": str(folder / "state"),
        "TMPDIR": str(folder / "tmp"),
        # CDK's own function that empties a bucket (`deleteDataWithStack`) needs Node, and the SDK that Lambda has.
        "PATH": os.pathsep.join([str(_ROOT / ".venv" / "bin"), os.environ.get("PATH", os.defpath)]),
        "NODE_PATH": str(_ROOT / "node_modules"),
    }
    started = start("cloud", [str(_PYTHON), "-m", "ministack"], environment, folder)
    cloud = Cloud(f"https://localhost:{port}", str(made.authority), started.process)
    try:
        _wait_until_ready(cloud, started.log)
    except BaseException:
        cloud.process.stop()
        raise
    return cloud


def free_port(wanted: int | None) -> int:
    """A free port of this machine: the wanted one, or any.

    Raises:
        Problem: the wanted port is taken.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted or 0))
        except OSError as error:
            raise Problem(
                f"Port {wanted} cannot be used ({error.strerror}). Choose another one, or leave it out for a free one."
            ) from None
        return int(probe.getsockname()[1])


def _wait_until_ready(cloud: Cloud, log: Path) -> None:
    http = urllib3.PoolManager(ca_certs=cloud.ca_bundle, retries=False, timeout=5)
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if not cloud.process.is_alive:
            break
        try:
            if http.request("GET", f"{cloud.endpoint}/_ministack/health").status == 200:
                return
        except urllib3.exceptions.HTTPError:
            pass
        time.sleep(0.1)
    text = log.read_text(errors="replace").strip()
    if _PORT_TAKEN in text:
        raise _PortTakenError(f"Something else took the port of {cloud.endpoint} while the embedded cloud started.")
    last = " / ".join(text.splitlines()[-3:])
    raise Problem(f"The embedded cloud did not start; its log {log} ends with: {last or 'nothing'}")
