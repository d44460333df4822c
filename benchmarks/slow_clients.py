"""How long a read takes beside clients that are slow, by the number of threads: `python -m benchmarks.slow_clients`.

An uploader sends a part of a file and stops; a reader asks for a hundred rows and does not take them; an idle one keeps
its connection after an answer, as browsers do.
"""

import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from . import machine
from .processes import LIST, Server, fill, folio

THREADS = (8, 16, 32, 64)
COUNTS = (7, 8, 15, 16, 31, 32, 60, 200, 1000)
READS = 20
PATIENCE = 3  # seconds, after which a read counts as blocked
SETTLED = 0.3  # seconds until the server has seen them all
Connect = Callable[[Server], socket.socket]


def main() -> int:
    missing = machine.missing_tools()
    if missing:
        print("\n".join(missing), file=sys.stderr)
        return 1
    print(machine.summary(machine.description()))
    os.sched_setaffinity(0, {machine.cores()[1]})
    kinds: dict[str, Connect] = {"slow uploads": upload, "slow readers": read_nothing, "idle connections": stay}
    with tempfile.TemporaryDirectory(prefix="folio-benchmarks-") as folder:
        installation = fill(Path(folder) / "installation", 200, {})
        print("\n| threads | clients | " + " | ".join(map(str, COUNTS)) + " |\n|---|---|" + "---:|" * len(COUNTS))
        for threads in THREADS:
            for name, connect in kinds.items():
                with folio(installation, "--threads", str(threads)) as server:
                    times = [read_beside(server, connect, count) for count in COUNTS]
                print(f"| {threads} | {name} | " + " | ".join(map(shown, times)) + " |", flush=True)
    return 0


def read_beside(server: Server, connect: Connect, count: int) -> float | None:
    """Return the milliseconds that a read takes beside so many such clients; None where it is not answered."""
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(connect(server))
        time.sleep(SETTLED)
        try:
            with server.client() as client:
                client.socket.settimeout(PATIENCE)
                return median(client.time(f"{LIST}?limit=10") for _ in range(READS))
        except TimeoutError:
            return None


def upload(server: Server) -> socket.socket:
    start = b'--b\r\nContent-Disposition: form-data; name="file"; filename="photograph.jpg"\r\n\r\n'
    head = request(
        server, "POST", "/api/media/", "Content-Type: multipart/form-data; boundary=b", "Content-Length: 99999"
    )
    return sent(server, head + start)


def read_nothing(server: Server) -> socket.socket:
    return sent(server, request(server, "GET", f"{LIST}?limit=100"), 4096)


def stay(server: Server) -> socket.socket:
    connection = sent(server, request(server, "GET", "/api/auth/me/"))
    connection.settimeout(PATIENCE)
    connection.recv(1)
    return connection


def request(server: Server, method: str, path: str, *lines: str) -> bytes:
    head = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Token {server.key}", *lines]
    return "\r\n".join([*head, "", ""]).encode()


def sent(server: Server, data: bytes, receive_buffer: int = 0) -> socket.socket:
    connection = socket.socket()
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.connect(("127.0.0.1", server.port))
    connection.sendall(data)
    return connection


def shown(milliseconds: float | None) -> str:
    return "blocked" if milliseconds is None else f"{milliseconds:.1f} ms"


if __name__ == "__main__":
    sys.exit(main())
