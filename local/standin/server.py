"""The HTTP around an application: sockets, threads, and the one place that every call passes."""

import contextlib
import errno
import socket
import socketserver
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from local.standin.api import JOURNAL_PATH, TOKEN_HEADER, JournalApi
from local.standin.clock import Clock
from local.standin.exchange import Answer, Application, Call
from local.standin.faults import Faults
from local.standin.faulty import answered
from local.standin.journal import CallRecord, Journal

HOST = "127.0.0.1"
_MAX_BODY_BYTES = 1 << 20


class PortInUse(Exception):
    """Something else listens on the port; the text is a sentence."""


class Endpoint:
    """One port. It is bound at once and answers from `start` to `stop`.

    Raises:
        PortInUse: the port is taken.
    """

    def __init__(self, port: int, journal: Journal, clock: Clock, faults: Faults) -> None:
        try:
            self._server = _Server((HOST, port), _Handler)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise PortInUse(f"Port {port} on {HOST} is already in use.") from None
        self._server.endpoint = self
        self._journal = journal
        self._clock = clock
        self._faults = faults
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = f"http://{HOST}:{self._server.server_port}"
        self.application: Application | None = None
        self.journal_api: JournalApi | None = None
        """Of the API's port only."""

    def start(self, application: Application, journal_api: JournalApi | None = None) -> None:
        """Answer calls from now on."""
        self.application = application
        self.journal_api = journal_api
        self._thread.start()

    def stop(self) -> None:
        """Close the port and all connections."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._server.close_connections()

    def exchange(self, call: Call) -> Answer:
        """Answer one call, with its fault from the script, and record it. Every call passes here."""
        if call.path == JOURNAL_PATH and self.journal_api is not None:
            return self.journal_api.answer()
        assert self.application is not None  # noqa: S101 - set before the thread starts
        route = self.application.route(call)
        answer = answered(self.application, call, route, self._faults.meet(route.kind, route.export_type))
        self._journal.note(
            CallRecord(
                at=self._clock().isoformat(timespec="milliseconds"),
                server=self.application.name,
                kind=route.kind,
                method=call.method,
                path=call.path,
                status=answer.status,
                batch_id=answer.batch_id or route.batch_id,
                range=call.headers.get("range"),
                carried_token=TOKEN_HEADER in call.headers,
            )
        )
        return answer


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    endpoint: Endpoint

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._connections: set[socket.socket] = set()
        self.resetting: set[socket.socket] = set()
        """Connections that are to end with a reset."""
        super().__init__(address, handler)

    def server_bind(self) -> None:
        # Skips HTTPServer's look-up of the host's full name, which may wait for a name server.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        if request in self.resetting:
            self.resetting.discard(request)
            # Closing with a linger time of 0 sends a reset, without a FIN before it.
            request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def close_connections(self) -> None:
        """End the kept-alive connections, so that a stopped stand-in answers nobody."""
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A caller that hangs up is no error here; everything else is a bug and must be visible.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "stand-in"
    sys_version = ""
    disable_nagle_algorithm = True
    server: _Server

    def _exchange(self) -> None:
        target = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > _MAX_BODY_BYTES or "transfer-encoding" in headers:
            self.close_connection = True
            self._send(Answer(413, b"The request's body is too long, or of unknown length."))
            return
        body = self.rfile.read(int(length))
        self._send(
            self.server.endpoint.exchange(Call(self.command, target.path, dict(parse_qsl(target.query)), headers, body))
        )

    def _send(self, answer: Answer) -> None:
        sending = answer.sending
        if sending.is_silent or sending.ends_at is not None:
            self.close_connection = True
        if sending.is_silent:
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.announced_length is None:
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(answer.announced_length))
        self.end_headers()
        if self.command != "HEAD":
            for piece in answer.pieces():
                self.wfile.write(piece)
        if sending.is_reset:
            self.server.resetting.add(self.connection)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _exchange  # noqa: N815 - the base class's names

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing to standard error: the journal has the call, without signatures."""
