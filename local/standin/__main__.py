"""The stand-in as a process: `python -m local.standin`. One JSON line on standard output says when it is ready."""

import argparse
import json
import os
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from local.standin import faults, shapes
from local.standin.clock import clock_from, real_clock
from local.standin.options import TOKEN_VARIABLE, Options
from local.standin.periods import Windows
from local.standin.standin import PortInUse, StandIn


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Exit status 0 then, 1 when a port is in use, 2 for wrong arguments."""
    parser = _parser()
    given = parser.parse_args(arguments)
    token = given.token or os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        parser.error(f"no token: set {TOKEN_VARIABLE} in the environment, or pass --token")
    try:
        options = _options(given, token)
        clock = clock_from(_instant(given.now)) if given.now else real_clock
    except ValueError as error:
        parser.error(str(error))
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        standin = StandIn(options, clock)
    except PortInUse as error:
        print(error, file=sys.stderr)
        return 1
    with standin:
        ready = {
            "baseUrl": standin.base_url,
            "filesUrl": standin.files_url,
            "callsUrl": standin.base_url.removesuffix("/rest") + "/_standin/calls",
            "customerId": options.customer_id,
            "pid": os.getpid(),
        }
        print(json.dumps(ready), flush=True)
        stopping.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    default = Options()
    parser = argparse.ArgumentParser(
        prog="python -m local.standin", description="A stand-in for Symplify's export API, with synthetic data."
    )
    add = parser.add_argument
    add("--port", type=int, default=0, help="port of the API (0: a free one)")
    add("--files-port", type=int, default=0, help="port of the file host (0: a free one)")
    add("--customer-id", default=default.customer_id)
    add("--token", help=f"better given as {TOKEN_VARIABLE}, which the list of processes does not show")
    add("--seed", type=int, default=default.seed, help="another seed is another account")
    add("--events-per-day", type=int, default=default.events_per_day, help="SENT events a day")
    add("--finish-after-polls", type=int, default=default.finish_after_polls, help="status calls until FINISHED")
    add("--finish-after-seconds", type=float, default=default.finish_after_seconds, help="and at least that long")
    add("--link-seconds", type=int, default=default.link_seconds, help="life of a signed link")
    add("--calls-per-minute", type=int, help="rate limit of the account (none by default)")
    add("--minute-seconds", type=float, default=default.minute_seconds, help="length of the rate limit's minute")
    add("--file-bytes-per-second", type=int, help="pace of the file host (none by default)")
    add("--faults", type=Path, metavar="FILE", help="a script of what goes wrong, see docs/faults.md")
    add("--shape", metavar="FILE", help="a shape of the records, or the name of a ready one, see docs/shapes.md")
    add("--windows", type=Windows, choices=list(Windows), default=default.windows, help="how periods count back")
    add(
        "--container",
        action="append",
        default=[],
        metavar="[TYPE=]NAME",
        help="container of results, for all or one export type: array, pretty, ndjson, wrapper, bom; each also with "
        ".gz or +gzip (may be repeated)",
    )
    add("--first-batch-id", type=int, default=default.first_batch_id)
    add("--now", metavar="INSTANT", help="start the clock at this instant (ISO 8601, UTC without an offset)")
    return parser


def _options(given: argparse.Namespace, token: str) -> Options:
    named = dict(text.split("=", 1) for text in given.container if "=" in text)
    plain = [text for text in given.container if "=" not in text]
    script = faults.read(given.faults) if given.faults else faults.FaultScript()
    return Options(
        customer_id=given.customer_id,
        token=token,
        api_port=given.port,
        files_port=given.files_port,
        seed=given.seed,
        events_per_day=given.events_per_day,
        finish_after_polls=given.finish_after_polls,
        finish_after_seconds=given.finish_after_seconds,
        link_seconds=given.link_seconds,
        calls_per_minute=script.calls_per_minute or given.calls_per_minute,
        minute_seconds=script.minute_seconds or given.minute_seconds,
        file_bytes_per_second=script.file_bytes_per_second or given.file_bytes_per_second,
        faults=script,
        shape=shapes.read(given.shape) if given.shape else shapes.Shape(),
        windows=given.windows,
        container=plain[-1] if plain else Options.container,
        containers=named,
        first_batch_id=given.first_batch_id,
    )


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


if __name__ == "__main__":
    sys.exit(main())
