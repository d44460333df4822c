"""Requests: many at once by wrk, one after another by a client that costs little itself."""

import json
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from .machine import cores, pinned

SCRIPT = Path(__file__).with_name("load.lua")
CONNECTIONS = 16


@dataclass
class Load:
    """What wrk found: requests a second, and times in milliseconds."""

    rate: float
    p50: float
    p99: float


def wrk(
    url: str,
    key: str,
    seconds: float,
    kind: str = "same",
    *arguments: object,
    connections: int = CONNECTIONS,
    headers: dict[str, str] | None = None,
) -> Load:
    """Load a server for so many seconds, without a key where it is empty; raise SystemExit where any request fails."""
    named = {**({"Authorization": f"Token {key}"} if key else {}), **(headers or {})}
    path = url[url.index("/", 8) :]
    command = [
        "wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{max(1, round(seconds))}s",
        "--timeout", "10s", "--script", str(SCRIPT), *(f"--header={name}: {value}" for name, value in named.items()),
        url, "--", kind, path, *map(str, arguments),
    ]  # fmt: skip
    done = subprocess.run(pinned(cores()[1], *command), check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.rpartition("RESULT ")[2])
    if found["failed"] or not found["requests"]:
        raise SystemExit(f"{found['failed']} of {found['requests']} requests failed: {kind} {url}\n{done.stdout}")
    return Load(found["requests"] / found["seconds"], found["p50"], found["p99"])


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """A connection that is kept; reading an answer costs it about as little as it can in Python."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.headers = {"Host": f"127.0.0.1:{port}", **headers}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.socket.close()

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        return self.send("GET", path, b"", headers or {})

    def patch(self, path: str, data: Any) -> Answer:
        return self.send("PATCH", path, json.dumps(data).encode(), {"Content-Type": "application/json"})

    def time(self, path: str) -> float:
        """Return the milliseconds that a read takes; raise SystemExit where it fails."""
        request = self.request("GET", path, b"", {})
        started = time.perf_counter()
        head, _ = self.exchange(request)
        taken = (time.perf_counter() - started) * 1000
        if b" 200 " not in head[:20]:
            raise SystemExit(f"{path} was answered with {head[:60]!r}")
        return taken

    def send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        head, content = self.exchange(self.request(method, path, body, headers))
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(": ") for line in lines)
        return Answer(int(first.split()[1]), {name.lower(): value for name, _, value in pairs}, content)

    def request(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> bytes:
        lines = [f"{method} {path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in (self.headers | headers).items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode() + body

    def exchange(self, request: bytes) -> tuple[bytes, bytes]:
        """Send a request; return the answer's head and body."""
        self.socket.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.receive()
        head, _, body = data.partition(b"\r\n\r\n")
        start = head.lower().find(b"content-length:")
        length = int(head[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
        pieces = [body]
        missing = length - len(body)
        while missing > 0:
            pieces.append(self.receive())
            missing -= len(pieces[-1])
        return head, b"".join(pieces)

    def receive(self) -> bytes:
        data = self.socket.recv(256 * 1024)
        if not data:
            raise ConnectionError("The server closed the connection.")
        return data
