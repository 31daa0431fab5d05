"""Seeded fault scripts: the faults of the vendor on one night, and disruptions of its executions."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.standin.faults import Rule, parsed
from local.standin.links import ACCESS_KEY_ID, FORMS

Row = dict[str, Any]


def _status(*statuses: int) -> Callable[[random.Random], Row]:
    return lambda rng: {"fault": "status", "status": rng.choice(statuses), "times": rng.randint(1, 4)}


def _rate_limit(rng: random.Random) -> Row:
    headers = rng.choice([{}, {"Retry-After": "1"}, {"Retry-After": "20"}, {"Retry-After": "soon"}])
    return {"fault": "status", "status": 429, "headers": headers, "times": rng.randint(1, 3)}


def _cut(rng: random.Random) -> Row:
    length = rng.choice(["promised", "cut", "none"])
    return {"fault": "cut", "atByte": rng.choice([0, 1, 20, 500]), "length": length, "times": rng.choice([1, 2, 5])}


def _reset(rng: random.Random) -> Row:
    return {"fault": "reset", "atByte": rng.choice([0, 5, 300]), "times": rng.choice([1, 2, 5])}


def _batch_status(*statuses: str, times: int | None = 1) -> Callable[[random.Random], Row]:
    return lambda rng: {"fault": "batchStatus", "status": rng.choice(statuses), "times": times}


def _page(rng: random.Random) -> Row:
    return {"fault": "page", "form": rng.choice(["html", "json", "xml"]), "times": rng.choice([1, 2, 5])}


def _unusable_id(rng: random.Random) -> Row:
    return {"fault": "batchId", "id": rng.choice([".", "..", "../apiurl", "1\\2", "%2e%2e", "1\n2", " "])}


def _link_form(rng: random.Random) -> Row:
    return {"fault": "linkForm", "form": rng.choice([*FORMS]), "times": rng.choice([1, None])}


def _expired(rng: random.Random) -> Row:
    status, code = rng.choice([400, 400, 401, 403, 410]), rng.choice(["AccessDenied", "ExpiredToken", "RequestExpired"])
    return {"fault": "expired", "status": status, "code": code, "times": rng.choice([1, 2, None])}


def _plain(**row: Any) -> Callable[[random.Random], Row]:
    return lambda _: row


# The faults of each call, equally likely.
_FAULTS: dict[str, tuple[Callable[[random.Random], Row], ...]] = {
    "order": (
        _status(500, 502, 503),
        _status(400, 401, 403, 404),
        _rate_limit,
        _cut,
        _reset,
        _plain(fault="lost"),
        _plain(fault="lost", times=2),
        _plain(fault="delay", seconds=1),
        # Longer than the function's timeout, which ends it with an order in flight.
        _plain(fault="delay", seconds=22),
        _page,
        _unusable_id,
        _plain(fault="sameBatch"),
        _plain(fault="sameBatch", times=2),
    ),
    "status": (
        _status(500, 503),
        _status(404),
        _status(401, 403),
        _rate_limit,
        _cut,
        _reset,
        _batch_status("ERROR"),
        _batch_status("EXPLODED", "QUEUED", "CANCELLED", ""),
        _page,
        _batch_status("IN_PROGRESS", times=6),
        _batch_status("IN_PROGRESS", times=None),
        _plain(fault="lost", times=3),
    ),
    "link": (
        _status(500, 404, 403, 406),
        _rate_limit,
        _cut,
        _plain(fault="otherHost", host="files.example.com"),
        _plain(fault="otherHost", host="localhost", times=2),
        _plain(fault="lost", times=4),
        _page,
        _page,
        _link_form,
        _link_form,
    ),
    "redirect": (_status(500, 404), _plain(fault="otherHost"), _rate_limit, _page),
    "file": (
        _status(500, 503),
        _status(404, 302),
        _cut,
        _reset,
        _plain(fault="cut", atByte=30, length="cut", times=None),
        _plain(fault="cut", atByte=30, length="none", times=None),
        _expired,
        _expired,
        _expired,
        _plain(fault="changed"),
        _plain(fault="changed", times=None),
        _plain(fault="cutGzip", times=None),
        _plain(fault="drip", bytesPerSecond=20_000),
        _plain(fault="drip", bytesPerSecond=100),
        _plain(fault="delay", seconds=22),
        _plain(fault="lost", times=2),
    ),
}
_DISRUPTIONS = ("nothing", "nothing", "nothing", "duplicate", "overlap", "kill")


@dataclass(frozen=True)
class FaultedNight:
    """A night of one export type."""

    rules: tuple[Rule, ...]
    disruption: str
    """`nothing`; `duplicate`: the rule fires twice; `overlap`: a second run starts; `kill`: the run is stopped."""
    kill_after: float
    """Seconds after the start."""


def night(seed: int, export: str, canary: str) -> FaultedNight:
    """The night of a seed, deterministically.

    Error responses and pages of the vendor's API contain the canary, refusals of the file host what signs its links.
    """
    rng = random.Random(seed)
    calls = rng.choices(list(_FAULTS), k=rng.randint(1, 3))
    if "redirect" in calls:
        # Requested only when the call for the link returns none.
        calls.append("link")
    rows = [
        {"call": call, "exportType": export, "skip": rng.choice([0, 0, 0, 1]), **rng.choice(_FAULTS[call])(rng)}
        for call in calls
    ]
    for row in rows:
        if row["fault"] in ("status", "page") and row["call"] != "file":
            row["text"] = f"The token {canary} cannot be served now."
        if row["fault"] == "expired":
            row["text"] = f"Request has expired: AWSAccessKeyId={ACCESS_KEY_ID}&Signature=none"
    script = parsed(json.dumps({"rules": rows}).encode())
    return FaultedNight(script.rules, rng.choice(_DISRUPTIONS), rng.uniform(0.1, 3))
