"""The command `first-contact`: collect, profile, and say what to do next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import urllib3

from infra.settings import Settings
from lambdas.symplify.answers import Refused
from lambdas.symplify.client import Client
from lambdas.vocabulary import ExportType, Period
from local.first_contact.collect import Account, Collected, collect
from local.first_contact.folder import Folder
from local.first_contact.pace import LOOPBACK, POLITE, Caller, Overdue
from local.first_contact.zone import hint
from local.problem import Problem
from local.profiling.options import Options, Order, load_settings
from local.profiling.profiling import profile
from local.vendor import Vendor


@dataclass(frozen=True)
class Wanted:
    """What to order."""

    exports: Sequence[ExportType]
    periods: Sequence[Period]


def first_contact(
    vendor: Vendor, token: str, folder: Folder, wanted: Wanted, *, settings: Settings, say: Callable[[str], None]
) -> dict[str, Any]:
    """Collect the exports and profile them; return the document.

    Raises:
        Problem: Symplify refuses the account, or nobody answers.
        Misused: the folder cannot be used.
    """
    http = urllib3.PoolManager()
    account = Account(
        client=Client(http, vendor.base_url, vendor.customer_id, lambda: token),
        http=http,
        hosts=settings.result_hosts,
        is_on_loopback=vendor.is_on_loopback,
        statuses=settings.batch_statuses,
    )
    caller = Caller(LOOPBACK if vendor.is_on_loopback else POLITE, say)
    _check(account, caller, vendor)
    folder.open()
    collected = [
        collect(account, caller, folder, export, period) for period, export in product(wanted.periods, wanted.exports)
    ]
    return _document(folder, collected, settings)


def _check(account: Account, caller: Caller, vendor: Vendor) -> None:
    try:
        answer = caller.ask(account.client.account)
    except Overdue as error:
        raise Problem(f"{vendor.base_url}: {error}") from None
    if isinstance(answer, Refused):
        raise Problem(
            f"{vendor.base_url}: {answer.reason} Nothing was ordered. An address of Symplify's ends in /rest, and "
            "address, customer id and token belong together."
        )


def _document(folder: Folder, collected: Sequence[Collected], settings: Settings) -> dict[str, Any]:
    found = sorted(
        ((one.order, one.file) for one in collected if one.order is not None and one.file is not None),
        key=lambda pair: pair[0].at,
    )
    orders = tuple(Order(order.at, order.period) for order, _ in found)
    profiles = profile([file for _, file in found], Options(load_settings(settings), orders=orders))
    zone = settings.timestamp_time_zone or settings.time_zone
    hints = [
        sentence
        for order, document in zip(orders, profiles, strict=True)
        if order.period is Period.TODAY and (sentence := hint(document, order.at, zone)) is not None
    ]
    return {
        "folder": str(folder.path),
        "exports": [_described(one) for one in collected],
        "profiles": profiles,
        "hints": hints,
    }


def _described(one: Collected) -> dict[str, Any]:
    return {
        "exportType": one.export.name,
        "period": one.period.value,
        "state": one.state,
        "orderedAt": one.order.at.isoformat() if one.order is not None else None,
        "batchId": one.order.batch_id if one.order is not None else None,
        "file": str(one.file) if one.file is not None else None,
        "error": one.error,
    }
