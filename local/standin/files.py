"""The file host: serves results to signed links, as Amazon S3 does."""

import re
from dataclasses import replace
from xml.sax.saxutils import escape

from local.standin import spool
from local.standin.api import TOKEN_HEADER
from local.standin.batches import Batches
from local.standin.exchange import Answer, Call, FilePart, Route, Sending
from local.standin.links import Links
from local.standin.pace import Pace
from local.standin.spool import ResultFile

_PATH = re.compile(r"/result/[^/]+/([^/]+)_result\.json")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class Files:
    """Answers a GET of a signed link with the file or a part of it. Everything else is refused."""

    name = "files"

    def __init__(self, batches: Batches, links: Links, bytes_per_second: int | None) -> None:
        self._batches = batches
        self._links = links
        self._sending = Sending(pace=Pace(bytes_per_second) if bytes_per_second else None)

    def route(self, call: Call) -> Route:
        """The kind is file, or unknown for a path that no link has."""
        found = _PATH.fullmatch(call.path)
        return self._batches.route("file", found[1]) if found else Route("unknown")

    def answer(self, call: Call, route: Route) -> Answer:
        """Answer a call. Problems are statuses with S3's XML in the body."""
        if TOKEN_HEADER in call.headers:
            # The token belongs only to the API's host. S3 would ignore it, and the leak would go unnoticed.
            return problem(400, "TokenLeak", "The API token was sent to the file host, where it must never go.")
        refusal = self._links.refusal(call.method, call.path, call.query)
        if refusal is not None:
            return problem(403, *refusal)
        batch = self._batches.find(route.batch_id) if route.batch_id is not None else None
        if batch is None or batch.result is None:
            return problem(404, "NoSuchKey", "The specified key does not exist.")
        return replace(_content(call, spool.version(batch.result, route.version)), sending=self._sending)


def _content(call: Call, file: ResultFile) -> Answer:
    wanted = [tag.strip() for tag in call.headers.get("if-match", "*").split(",")]
    if "*" not in wanted and file.etag not in wanted:
        return problem(412, "PreconditionFailed", "At least one of the preconditions you specified did not hold.")
    headers = {"Content-Type": "application/json", "ETag": file.etag, "Accept-Ranges": "bytes"}
    if file.content_encoding is not None:
        headers["Content-Encoding"] = file.content_encoding
    span = _span(call.headers.get("range", ""), file.size)
    if span is None:
        return Answer(200, FilePart(file.path, 0, file.size), headers)
    start, end = span
    if start >= end:
        unsatisfiable = problem(416, "InvalidRange", "The requested range is not satisfiable.")
        return Answer(416, unsatisfiable.content, {**unsatisfiable.headers, "Content-Range": f"bytes */{file.size}"})
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
    return Answer(206, FilePart(file.path, start, end - start), headers)


def _span(header: str, size: int) -> tuple[int, int] | None:
    """The first byte and the one after the last; empty when no byte is in range; None when the header is ignored.

    Like S3 this knows one range a call, and sends everything when the header is something else.
    """
    found = _RANGE.fullmatch(header.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        return max(0, size - int(found[2])), size
    start, end = int(found[1]), min(size, int(found[2]) + 1) if found[2] else size
    if found[2] and int(found[2]) < start:
        return None
    return start, end


def problem(status: int, code: str, message: str) -> Answer:
    """An error of S3's, as XML."""
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{escape(message)}</Message>"
        "<RequestId>STANDIN000000000</RequestId></Error>"
    )
    return Answer(status, text.encode(), {"Content-Type": "application/xml"})
