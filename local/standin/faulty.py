"""An exchange with a fault: in place of the application, in its answer, or in how the answer is sent."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from html import escape
from urllib.parse import urlsplit

from local.standin import faults
from local.standin.exchange import Answer, Application, Call, Route, Sending
from local.standin.files import problem
from local.standin.links import FORMS
from local.standin.pace import Pace


def answered(application: Application, call: Call, route: Route, fault: faults.Rule | None) -> Answer:
    """Answer a call as the application does, except for the fault."""
    match fault:
        case None:
            return application.answer(call, route)
        case faults.Status():
            return Answer(fault.status, fault.text.encode(), {"Content-Type": "text/plain", **fault.headers})
        case faults.Expired():
            return problem(fault.status, fault.code, fault.text)
        case faults.Changed() | faults.CutGzip():
            return application.answer(call, replace(route, version=type(fault).__name__))
        case faults.SameBatch():
            return application.answer(call, replace(route, is_repeat=True))
    return _altered(application.answer(call, route), fault)


def _altered(answer: Answer, fault: faults.Rule) -> Answer:
    match fault:
        case faults.Delay(seconds=seconds):
            time.sleep(seconds)
            return answer
        case faults.Drip(bytes_per_second=rate):
            return replace(answer, sending=Sending(pace=Pace(rate)))
        case faults.Reset(at_byte=at):
            return replace(answer, sending=Sending(ends_at=at, is_reset=True))
        case faults.Lost():
            return replace(answer, sending=Sending(is_silent=True))
        case faults.Cut(at_byte=at, length=length):
            return replace(answer, sending=Sending(ends_at=at, length=length))
    return _rewritten(answer, fault)


def _rewritten(answer: Answer, fault: faults.Rule) -> Answer:
    match fault:
        case faults.OtherHost(host=host):
            return _with_link(
                answer, lambda link: urlsplit(link)._replace(scheme="https", netloc=host).geturl().encode()
            )
        case faults.LinkForm(form=form):
            return _with_link(answer, FORMS[form])
        case faults.BatchStatus(status=status):
            return _with_field(answer, "status", status)
        case faults.BatchId(id=batch_id):
            return _with_field(answer, "batchId", batch_id)
        case faults.Page(form=form, text=text):
            return replace(answer, status=200, content=_page(answer, form, text), headers=_PAGE_HEADERS[form])
    return answer


def _at(link: str, host: str) -> bytes:
    return urlsplit(link)._replace(scheme="https", netloc=host).geturl().encode()


def _with_link(answer: Answer, written: Callable[[str], bytes]) -> Answer:
    if answer.status == 200 and isinstance(answer.content, bytes):
        return replace(answer, content=written(answer.content.decode()))
    if "Location" in answer.headers:
        return replace(answer, headers={**answer.headers, "Location": written(answer.headers["Location"]).decode()})
    return answer


def _with_field(answer: Answer, name: str, value: str) -> Answer:
    if answer.status != 200 or not isinstance(answer.content, bytes):
        return answer
    return replace(answer, content=json.dumps({**json.loads(answer.content), name: value}).encode())


_PAGE_HEADERS = {
    "html": {"Content-Type": "text/html;charset=UTF-8"},
    "json": {"Content-Type": "application/json"},
    "xml": {"Content-Type": "application/xml"},
}


def _page(answer: Answer, form: str, text: str) -> bytes:
    held = answer.headers.get("Location") or (answer.content.decode() if isinstance(answer.content, bytes) else "")
    match form:
        case "json":
            return json.dumps({"errors": [{"message": text, "instance": held}], "data": None}).encode()
        case "xml":
            return f"<Error><Message>{escape(text)}</Message><Resource>{escape(held)}</Resource></Error>".encode()
    return f'<!doctype html><h1>{escape(text)}</h1><a href="{escape(held)}">{escape(held)}</a>'.encode()
