"""An exchange with a fault: in place of the application, in its answer, or in how the answer is sent."""

import json
import time
from dataclasses import replace
from urllib.parse import urlsplit

from local.standin import faults
from local.standin.exchange import Answer, Application, Call, Route, Sending
from local.standin.files import expired
from local.standin.pace import Pace


def answered(application: Application, call: Call, route: Route, fault: faults.Rule | None) -> Answer:
    """Answer a call as the application does, except for the fault."""
    match fault:
        case None:
            return application.answer(call, route)
        case faults.Status():
            return Answer(fault.status, fault.text.encode(), {"Content-Type": "text/plain", **fault.headers})
        case faults.Expired():
            return expired()
        case faults.Changed() | faults.CutGzip():
            return application.answer(call, replace(route, version=type(fault).__name__))
    return _altered(application.answer(call, route), fault)


def _altered(answer: Answer, fault: faults.Rule) -> Answer:
    match fault:
        case faults.Delay(seconds=seconds):
            time.sleep(seconds)
        case faults.OtherHost(host=host):
            return _elsewhere(answer, host)
        case faults.BatchStatus(status=status):
            return _with_status(answer, status)
        case faults.Drip(bytes_per_second=rate):
            return replace(answer, sending=Sending(pace=Pace(rate)))
        case faults.Reset(at_byte=at):
            return replace(answer, sending=Sending(ends_at=at, is_reset=True))
        case faults.Lost():
            return replace(answer, sending=Sending(is_silent=True))
        case faults.Cut(at_byte=at, length=length):
            return replace(answer, sending=Sending(ends_at=at, length=length))
    return answer


def _elsewhere(answer: Answer, host: str) -> Answer:
    if answer.status == 200 and isinstance(answer.content, bytes):
        return replace(answer, content=_at(answer.content.decode(), host).encode())
    if "Location" in answer.headers:
        return replace(answer, headers={**answer.headers, "Location": _at(answer.headers["Location"], host)})
    return answer


def _at(link: str, host: str) -> str:
    return urlsplit(link)._replace(scheme="https", netloc=host).geturl()


def _with_status(answer: Answer, status: str) -> Answer:
    if answer.status != 200 or not isinstance(answer.content, bytes):
        return answer
    return replace(answer, content=json.dumps({**json.loads(answer.content), "status": status}).encode())
