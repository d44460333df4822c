"""Who is told: whoever has the token, at `/metrics` and at the port that is for this alone.

The port is the parent's listener, so that it is taken or refused as the server starts, and every worker waits at it:
the parent has one thread, which must be able to fork, and any one worker may be the one that hangs or dies.
"""

import gzip
import logging
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from hmac import compare_digest
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from threading import Lock, Thread, Timer
from time import sleep
from typing import Any

from django.conf import settings
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from .collecting import Collecting

logger = logging.getLogger(__name__)

PATH = "/metrics"
PATIENCE = 5  # seconds that a client of the port may take for its request, and for each piece of the answer
PAUSE = 0.1  # seconds until the next try to take a client
LONGEST = 20  # seconds for all of a client of the port: whoever sends byte by byte keeps others waiting
WAIT = 10  # seconds that one who asks waits for those who asked before
LEVEL = 1  # of compression: what is told shrinks to a tenth by the first
Headers = list[tuple[str, str]]


class Metrics:
    """Answers `/metrics`, for any host and by any scheme."""

    def __init__(self, collecting: Collecting) -> None:
        self.collecting = collecting
        self.turn = Lock()  # one at a time: it takes some milliseconds, in which others are to be answered

    def __call__(self, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        status, headers, body = self.answer(
            environ["REQUEST_METHOD"],
            environ.get("HTTP_AUTHORIZATION", ""),
            environ.get("HTTP_ACCEPT_ENCODING", ""),
        )
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def answer(self, method: str, authorization: str, encodings: str) -> tuple[int, Headers, bytes]:
        """Return the status, headers and body of an answer to whoever may ask; where there is a token, it is needed."""
        token = settings.METRICS_TOKEN
        if token and not holds(authorization, token):
            detail = "Send the token of FOLIO_METRICS_TOKEN, as Authorization: Bearer …"
            return refused(401, detail, ("WWW-Authenticate", 'Bearer realm="metrics"'))
        if method not in {"GET", "HEAD"}:
            return refused(405, f"Ask {PATH} by GET.", ("Allow", "GET, HEAD"))
        if not self.turn.acquire(timeout=WAIT):
            return refused(503, "Others are being told already.", ("Retry-After", "5"))
        try:
            body = self.collecting.text()
        finally:
            self.turn.release()
        headers = [("Content-Type", CONTENT_TYPE_PLAIN_0_0_4), ("Vary", "Accept-Encoding")]
        if "gzip" in encodings:
            body = gzip.compress(body, LEVEL)
            headers.append(("Content-Encoding", "gzip"))
        return 200, completed(headers, body), body


def holds(authorization: str, token: str) -> bool:
    scheme, _, given = authorization.partition(" ")
    return scheme.lower() == "bearer" and compare_digest(given.strip().encode("utf-8", "replace"), token.encode())


def refused(status: int, detail: str, *headers: tuple[str, str]) -> tuple[int, Headers, bytes]:
    body = f"{detail}\n".encode()
    return status, completed([("Content-Type", "text/plain; charset=utf-8"), *headers], body), body


def completed(headers: Headers, body: bytes) -> Headers:
    return [
        *headers,
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ]


class Port:
    """Answers at a listener of its own, one client after another."""

    def __init__(self, listener: socket.socket, metrics: Metrics) -> None:
        self.listener = listener
        self.metrics = metrics

    def start(self) -> None:
        Thread(target=self.serve, name="metrics port", daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                connection, address = self.listener.accept()
            except OSError:  # the client has gone again, or no descriptor is left
                logger.debug("A client of the port for metrics was not taken.", exc_info=True)
                sleep(PAUSE)
                continue
            with connection, cut_off_after(LONGEST, connection):
                try:
                    Answering(connection, address, self.metrics)
                except OSError:  # it went away, or took too long
                    logger.debug("A client of the port for metrics was not answered.", exc_info=True)
                except Exception:  # others are still to be answered
                    logger.exception("A client of the port for metrics was not answered.")


@contextmanager
def cut_off_after(seconds: float, connection: socket.socket) -> Iterator[None]:
    def cut_off() -> None:
        with suppress(OSError):  # it has ended meanwhile
            connection.shutdown(socket.SHUT_RDWR)

    timer = Timer(seconds, cut_off)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class Answering(BaseHTTPRequestHandler):
    """One request at the port; each connection has one."""

    timeout = PATIENCE
    server_version = "Folio"
    sys_version = ""

    def __init__(self, connection: socket.socket, address: Any, metrics: Metrics) -> None:
        self.metrics = metrics
        super().__init__(connection, address, None)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        told = (self.headers.get("Authorization", ""), self.headers.get("Accept-Encoding", ""))
        if path == PATH:
            status, headers, body = self.metrics.answer(self.command, *told)
        else:
            status, headers, body = refused(404, f"There is nothing but {PATH} here.")
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Tell nothing of what is asked every few seconds."""
