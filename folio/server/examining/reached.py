"""The server, as clients reach it: one request at a time, each with an end, and never an error but `NotReached`."""

import json
import re
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from io import BytesIO
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from folio.server.echo import PATH, TOKEN, headers_of, new_token, nonce_of

SECONDS = 10.0  # for an answer, and for a connection
MOST = 256 * 1024  # bytes of an answer that are read
EARLY_SECONDS = 2.0  # in which a server that had a request's head alone would have answered
# An address that nobody has: what a client says of itself, which a proxy must not pass on as the truth.
CLAIMED = "203.0.113.77"
END, CONTINUE = b"\r\n\r\n", re.compile(rb"HTTP/1\.[01] 100\b")
PIECE = 16 * 1024
MARK = "x-folio-doctor-hop"  # in `Connection`, which no proxy passes on
ACTED_UPON = {"If-Match", "If-None-Match", "Range"}  # by a proxy that keeps answers, where it is asked to read


class NotReached(Exception):
    """No answer came; the text says why."""


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]  # by their names in lower case
    body: bytes
    seconds: float
    nonce: str = ""

    @property
    def told(self) -> dict[str, Any] | None:
        """What a server of ours says that arrived; None where the answer is anybody else's."""
        try:
            document = json.loads(self.body)
        except ValueError:
            return None
        return document if isinstance(document, dict) and "nonce" in document and "connection" in document else None


@dataclass
class Reached:
    """Where clients reach the server, and what was found there already."""

    url: str
    is_public: bool  # whether that is FOLIO_PUBLIC_URL
    found: dict[str, Any] = field(default_factory=dict)

    @property
    def parts(self) -> SplitResult:
        return urlsplit(self.url)

    def connect(self) -> HTTPConnection:
        """Return a connection; raise NotReached where there can be none."""
        parts = self.parts
        host, port = parts.hostname or "", parts.port
        made = (
            HTTPSConnection(host, port, timeout=SECONDS, context=ssl.create_default_context())
            if parts.scheme == "https"
            else HTTPConnection(host, port, timeout=SECONDS)
        )
        try:
            made.connect()
        except (OSError, HTTPException, UnicodeError) as error:
            made.close()
            raise NotReached(why(error)) from error
        return made

    def ask(self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Answer:
        """Ask for a path below the URL; raise NotReached where no answer comes."""
        connection = self.connect()
        started = time.perf_counter()
        try:
            connection.request(method, f"{self.parts.path}{path}", headers=dict(headers or {}))
            return answer_of(connection.getresponse(), started)
        except (OSError, HTTPException) as error:
            raise NotReached(why(error)) from error
        finally:
            connection.close()

    def echo(self, method: str = "GET", query: str = "") -> Answer:
        """Have a server tell what arrives of a request."""
        token = new_token()
        nonce = str(nonce_of(token))
        headers = {
            **sendable(method, nonce),
            TOKEN: token,
            "X-Forwarded-For": CLAIMED,
            "Connection": f"close, {MARK}",
            "Content-Length": "0",
        }
        answer = self.ask(f"{PATH}{query}", method, headers)
        answer.nonce = nonce
        return answer

    def offer(self, size: int) -> tuple[Answer | None, bool]:
        """Announce a body of a size, and send none of it: return the answer, and whether the body was asked for."""
        token = new_token()
        headers = {
            **sendable("GET", str(nonce_of(token))),
            TOKEN: token,
            "Host": self.parts.netloc,
            "Content-Type": "application/octet-stream",
            "Content-Length": str(size),
            "Expect": "100-continue",
            "Connection": "close",
        }
        head = [f"POST {self.parts.path}{PATH} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        connection = self.connect()
        started, is_asked_for = time.perf_counter(), False
        try:
            connection.sock.sendall("\r\n".join([*head, "", ""]).encode())
            came = Came(connection.sock)
            is_asked_for = came.begins_with_continue()
            if is_asked_for:
                connection.sock.settimeout(EARLY_SECONDS)
            return answer_of(came.response(), started), is_asked_for
        except TimeoutError as error:
            if is_asked_for:
                return None, True
            raise NotReached(why(error)) from error
        except (OSError, HTTPException) as error:
            if is_asked_for:  # it waits for the body no longer
                return None, True
            raise NotReached(why(error)) from error
        finally:
            connection.close()

    def certificate_days(self) -> float | None:
        """Return for how many days the certificate is still good; None without TLS."""
        connection = self.connect()
        try:
            found = connection.sock.getpeercert() if isinstance(connection.sock, ssl.SSLSocket) else None
        finally:
            connection.close()
        if not found or "notAfter" not in found:
            return None
        return (ssl.cert_time_to_seconds(str(found["notAfter"])) - time.time()) / 86_400


def sendable(method: str, nonce: str) -> dict[str, str]:
    """Return what is sent to see whether it arrives: of what a cache may act upon by itself, nothing where it may."""
    sent = headers_of(nonce)
    return sent if method == "PUT" else {name: value for name, value in sent.items() if name not in ACTED_UPON}


class Came:
    """What comes on a connection, whose end the server makes: by TLS nobody can look at it without taking it."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.data = b""

    def begins_with_continue(self) -> bool:
        """Tell whether a body is asked for, and leave what comes after that."""
        while END not in self.data and len(self.data) < MOST and self.more():
            pass
        head, _, rest = self.data.partition(END)
        if not CONTINUE.match(head):
            return False
        self.data = rest
        return True

    def more(self) -> bool:
        try:
            piece = self.sock.recv(PIECE)
        except ConnectionError:
            if not self.data:
                raise
            return False  # a proxy that has refused a body need not wait for it
        self.data += piece
        return bool(piece)

    def makefile(self, *arguments: Any, **named: Any) -> BytesIO:
        return BytesIO(self.data)

    def response(self) -> HTTPResponse:
        """Return the answer; raise TimeoutError where none comes, and HTTPException where it is none."""
        with suppress(TimeoutError):
            while len(self.data) < MOST and self.more():
                pass
        if not self.data:
            raise TimeoutError
        made = HTTPResponse(self, method="POST")  # type: ignore[arg-type]  # of which it wants no more than the file
        made.begin()
        return made


def answer_of(response: HTTPResponse, started: float) -> Answer:
    try:
        body = response.read(MOST)
    except IncompleteRead as error:
        body = error.partial
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, body, time.perf_counter() - started)


def why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return f"there was no answer within {SECONDS:g} seconds"
    if isinstance(error, socket.gaierror):
        return f"its name leads nowhere: {error.strerror}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__


def default_url() -> tuple[str, bool]:
    """Return where the server is asked unless told otherwise, and whether that is FOLIO_PUBLIC_URL."""
    return (settings.PUBLIC_URL, True) if settings.PUBLIC_URL else ("http://127.0.0.1:8000", False)
