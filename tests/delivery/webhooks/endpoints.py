"""Endpoints that webhooks are told at: real servers on this machine, which answer as a test wants."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook as Verifier

from folio.delivery.webhooks.teller import Teller

PATIENCE = 60.0  # seconds that something may take on a machine that does much else
LOOPBACK = "127.0.0.0/8"


@dataclass
class Received:
    """A request that an endpoint got."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.time)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def message(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> dict[str, str]:
        """The events by the slugs of the portfolios."""
        return {each["slug"]: each["event"] for each in self.message["data"]["portfolios"]}

    def verify(self, secret: str) -> Any:
        """Check the signature as a receiver would, and return the message; raise where it is not good."""
        return Verifier(secret).verify(self.body, self.headers)


class Endpoint:
    """A server that notes what it gets, and answers with `answer`: a status, or a function that does it all."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}/hook/secret-part"
        self.received: list[Received] = []
        self.answer: int | Callable[[BaseHTTPRequestHandler], None] = 204
        self.body = b""

    def wait_for(self, count: int, seconds: float = PATIENCE) -> list[Received]:
        """Wait for so many requests, and return all that there are."""
        end = time.monotonic() + seconds
        while len(self.received) < count:
            assert time.monotonic() < end, f"{count} requests did not come; there came {self.received}"
            time.sleep(0.01)
        return list(self.received)


@contextmanager
def endpoint(context: ssl.SSLContext | None = None) -> Iterator[Endpoint]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.received.append(Received(self.command, self.path, headers, body))
            if callable(found.answer):
                found.answer(self)
                return
            self.send_response(found.answer)
            if found.answer in (301, 302, 307, 308):
                self.send_header("Location", f"http://127.0.0.1:{found.port}/elsewhere")
            self.send_header("Content-Length", str(len(found.body)))
            self.end_headers()
            self.wfile.write(found.body)

        do_GET = do_CONNECT = do_POST

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *arguments: Any) -> None:
            """Say nothing of clients that go."""

    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    found = Endpoint(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


def run(teller: Teller) -> None:
    """Do what is due now, and wait until all attempts have ended."""
    end = time.monotonic() + PATIENCE
    teller.step()
    while teller.sending:
        assert time.monotonic() < end
        time.sleep(0.005)
        teller.step()
