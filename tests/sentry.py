"""What takes reports of errors on loopback, as Sentry does: it keeps the bytes that came."""

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any

import brotli

KEY = "0123456789abcdef0123456789abcdef"
UNPACK: dict[str, Callable[[bytes], bytes]] = {"identity": bytes, "gzip": gzip.decompress, "br": brotli.decompress}
PATIENCE = 60  # seconds that a report may take to come, on a machine that does much else


@dataclass
class Sentry:
    """A server that keeps what it was sent; one that hangs takes it and answers nothing."""

    port: int = 0
    hangs: threading.Event = field(default_factory=threading.Event)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def dsn(self) -> str:
        return f"http://{KEY}@127.0.0.1:{self.port}/42"

    @property
    def events(self) -> list[dict[str, Any]]:
        """Return the reports that came: of an envelope, the line behind the head of each."""
        found = []
        for body in list(self.bodies):
            lines = body.splitlines()
            for head, line in pairwise(lines):
                if b'"type"' in head and json.loads(head).get("type") == "event":
                    found.append(json.loads(line))
        return found

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        """Return the reports once there are so many."""
        end = time.monotonic() + PATIENCE
        while len(self.events) < count:
            assert time.monotonic() < end, f"{len(self.events)} reports came: {self.events}"
            time.sleep(0.05)
        return self.events


@contextmanager
def running_sentry() -> Iterator[Sentry]:
    sentry, is_over = Sentry(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            unpack = UNPACK[self.headers.get("Content-Encoding", "identity")]
            sentry.bodies.append(unpack(body))
            if sentry.hangs.is_set():
                is_over.wait(PATIENCE)
                return
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *arguments: Any) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    sentry.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield sentry
    finally:
        is_over.set()
        server.shutdown()
        server.server_close()
