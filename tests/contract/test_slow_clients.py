"""Reads go on beside clients that send slowly or never ask again."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.live import Server, running_server

PROMPT = 10  # seconds, much more than a read takes and less than a client that never ends


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("slow")) as server:
        yield server


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    return server.folio("createtoken", "ada", "--admin").strip()


def connect(server: Server, lines: list[str], more: bytes = b"") -> socket.socket:
    connection = socket.create_connection((urlsplit(server.url).hostname, urlsplit(server.url).port), timeout=PROMPT)
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + more)
    return connection


def slow_upload(server: Server, key: str) -> socket.socket:
    lines = ["POST /api/media/ HTTP/1.1", "Host: localhost", f"Authorization: Token {key}"]
    lines += ["Content-Type: multipart/form-data; boundary=b", "Content-Length: 99999"]
    return connect(server, lines, b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n')


def idle_connection(server: Server, key: str) -> socket.socket:
    connection = connect(server, ["GET /api/auth/me/ HTTP/1.1", "Host: localhost", f"Authorization: Token {key}"])
    assert connection.recv(12) == b"HTTP/1.1 200"
    return connection


@pytest.mark.parametrize(("start", "count"), [(slow_upload, 40), (idle_connection, 300)])
def test_reads_go_on_beside(
    server: Server, key: str, start: Callable[[Server, str], socket.socket], count: int
) -> None:
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(start(server, key))
        session = stack.enter_context(server.session(key))

        answers = [session.get("/api/portfolios/", timeout=PROMPT).status_code for _ in range(5)]

    assert answers == [200] * 5


def test_the_number_of_threads_may_be_chosen(tmp_path: Path) -> None:
    with running_server(tmp_path, "--threads", "1") as server:
        key = server.folio("createtoken", "ada", "--admin").strip()
        with (
            server.session(key) as session,
            slow_upload(server, key),
            pytest.raises(OSError, match="timed out"),
        ):
            session.get("/api/portfolios/", timeout=2)
