"""Order one export and save its result, or go on with what an earlier start has ordered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import md5
from pathlib import Path

import urllib3

from lambdas.steps.check_batch import NOT_FOUND_GRACE
from lambdas.symplify import answers
from lambdas.symplify.answers import BadToken, Batch, BatchState, Lost, NotFound, Refused
from lambdas.symplify.client import Client
from lambdas.symplify.link_renewal import Remote
from lambdas.symplify.result import Broken, Result
from lambdas.vocabulary import ExportType, Period
from local.first_contact.folder import Folder, Ordered
from local.first_contact.pace import Caller, Overdue
from local.problem import Problem

# One GET for all of it: a result is read once, and a transfer that breaks begins anew.
_WHOLE = 1 << 50
_PATIENCE_SECONDS = 60
_TRIES = 3


class _Failed(Exception):
    """Nothing was saved; the text is a sentence."""


@dataclass(frozen=True)
class Collected:
    """What became of an export."""

    export: ExportType
    period: Period
    state: str
    """`saved`, `saved before` or `failed`."""
    order: Ordered | None = None
    file: Path | None = None
    error: str | None = None


@dataclass(frozen=True)
class Account:
    """Where results come from."""

    client: Client
    http: urllib3.PoolManager
    hosts: tuple[str, ...]
    is_on_loopback: bool
    statuses: Mapping[str, str]


def collect(account: Account, caller: Caller, folder: Folder, export: ExportType, period: Period) -> Collected:
    """Order, wait and save; what is saved or ordered already is not ordered again.

    Raises:
        Problem: Symplify does not take the token any more.
    """
    order, file = folder.order(export.name, period), folder.result(export.name, period)
    if order is not None and file.exists():
        caller.say(f"{export.name} {period}: saved before")
        return Collected(export, period, "saved before", order, file)
    caller.begin()
    collector = _Collector(account, caller, folder, lambda words: caller.say(f"{export.name} {period}: {words}"))
    try:
        order = collector.ordered(export, period, order)
        collector.wait(order)
        size = collector.save(order, file)
    except (_Failed, Overdue) as error:
        caller.say(f"{export.name} {period}: {error}")
        return Collected(export, period, "failed", folder.order(export.name, period), error=str(error))
    caller.say(f"{export.name} {period}: saved {size:,} bytes")
    return Collected(export, period, "saved", order, file)


@dataclass(frozen=True)
class _Collector:
    account: Account
    caller: Caller
    folder: Folder
    say: Callable[[str], None]

    def ordered(self, export: ExportType, period: Period, before: Ordered | None) -> Ordered:
        """The order, sent unless it was."""
        if before is not None and before.batch_id is not None:
            self.say(f"ordered before, batch {before.batch_id}")
            return before
        intent = Ordered(export.name, period, datetime.now(UTC))

        def send() -> answers.Ordered | answers.RateLimited | Refused | answers.Unavailable | Lost:
            nonlocal intent
            intent = replace(intent, at=datetime.now(UTC))
            self.folder.remember(intent)
            return self.account.client.order(export, period)

        answer: answers.Ordered | Refused | Lost = self.caller.ask(send)
        if isinstance(answer, Lost):
            raise _Failed(
                f"{answer.reason} A batch may be waiting in Symplify that nobody will fetch; start again to order it "
                "anew."
            )
        if isinstance(answer, Refused):
            self.folder.forget(intent)
            raise _refusal(answer)
        order = replace(intent, batch_id=answer.batch_id)
        self.folder.remember(order)
        self.say(f"ordered, batch {order.batch_id}")
        return order

    def wait(self, order: Ordered) -> None:
        """Ask for the batch's status until it is finished."""
        batch_id, number = order.batch_id or "", 0
        while True:
            self.caller.wait(self.caller.pace.wait(number), "The batch was not seen to be finished.")
            number += 1
            answer = self.caller.ask(lambda: self.account.client.batch(batch_id, self.account.statuses))
            match answer:
                case Batch(state=BatchState.FINISHED):
                    return
                case Batch(state=BatchState.RUNNING):
                    continue
                case NotFound() if datetime.now(UTC) - order.at < NOT_FOUND_GRACE:
                    continue
                case Batch() | NotFound():
                    self.folder.forget(order)
                    what = answer.reason if isinstance(answer, NotFound) else "Symplify says that the batch has failed."
                    raise _Failed(f"{what} Start again to order it anew.")
                case Refused():
                    raise _refusal(answer)

    def save(self, order: Ordered, file: Path) -> int:
        """Save the result; return its size."""
        remote = Remote(
            self.account.client,
            self.account.http,
            order.batch_id or "",
            hosts=self.account.hosts,
            allow_loopback_http=self.account.is_on_loopback,
        )
        for number in range(_TRIES):
            result: Result | Refused = self.caller.ask(lambda: remote.first(_WHOLE, _PATIENCE_SECONDS))
            if isinstance(result, Refused):
                raise _refusal(result)
            try:
                return self._written(result, file)
            except Broken as error:
                self.say(str(error))
                if number == _TRIES - 1:
                    raise _Failed(f"{error} Start again to fetch it once more.") from None
                self.caller.wait(self.caller.pace.wait(number), str(error))
        raise AssertionError

    def _written(self, result: Result, file: Path) -> int:
        size, digest = 0, md5(usedforsecurity=False)
        with self.folder.written(file) as opened:
            for chunk in result.chunks():
                opened.write(chunk)
                digest.update(chunk)
                size += len(chunk)
            if result.md5 not in (None, digest.hexdigest()):
                raise Broken(f"The {size} received bytes do not have the MD5 that the source declares.")
        return size


def _refusal(answer: Refused) -> Exception:
    """What a refusal means: the end of all, if it is the token's."""
    return Problem(answer.reason) if isinstance(answer, BadToken) else _Failed(answer.reason)
