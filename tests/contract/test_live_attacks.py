"""What a server makes of requests that no client of good will sends, byte by byte on a connection of their own."""

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.live import Server, running_server

SECONDS = 60
HOST = b"Host: 127.0.0.1\r\n"
JSON = b"Content-Type: application/json\r\n"
NEXT = b"GET /api/public/tags/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"  # hidden within another one
POST = b"POST /api/auth/token/ HTTP/1.1\r\n" + HOST + JSON
# Requests of which a proxy and a server might see different ends.
SMUGGLED = {
    "a length beside chunks": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + NEXT,
    "chunks beside a length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + NEXT,
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 60\r\n\r\n{}" + NEXT,
    "a length with a sign": POST + b"Content-Length: +2\r\n\r\n{}" + NEXT,
    "an unknown coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n{}" + NEXT,
    "a space before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + NEXT,
    "a line that is folded": b"GET / HTTP/1.1\r\n" + HOST + b"X-A: b\r\n Content-Length: 60\r\n\r\n" + NEXT,
    "a chunk of a wrong size": POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n" + NEXT,
}
OUT = [
    "/media/../secret_key",
    "/media/%2e%2e/secret_key",
    "/media/..%2fsecret_key",
    "/media/%2e%2e%2f%2e%2e%2fetc/passwd",
    "/media/..%5csecret_key",
    "/media//etc/passwd",
    "/media/%2fetc%2fpasswd",
    "/media/core_media/%00/../../secret_key",
    "/static/../secret_key",
    "/static/%2e%2e/%2e%2e/secret_key",
    "/static/..%2f..%2fsecret_key",
    "/static//etc/passwd",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("attacks"), FOLIO_PUBLIC_READ="on") as server:
        yield server


def answered(server: Server, request: bytes) -> bytes:
    """Return all that is answered on a connection until the server ends it, as it is asked to by the last request."""
    parts = urlsplit(server.url)
    came = b""
    with socket.create_connection((str(parts.hostname), parts.port or 80), timeout=SECONDS) as connection:
        connection.sendall(request)
        while piece := connection.recv(65_536):
            came += piece
    return came


@pytest.mark.parametrize("request_", SMUGGLED.values(), ids=SMUGGLED)
def test_a_request_whose_end_can_be_seen_in_two_ways_hides_no_other(server: Server, request_: bytes) -> None:
    came = answered(server, request_)

    assert came.count(b"HTTP/1.1 ") <= 1
    assert came.startswith(b"HTTP/1.1 4") or not came
    assert b'"results"' not in came


def test_two_good_requests_on_a_connection_have_two_answers(server: Server) -> None:
    """Else the test above could not fail."""
    came = answered(server, POST + b"Content-Length: 2\r\n\r\n{}" + NEXT)

    assert came.count(b"HTTP/1.1 ") == 2
    assert b'"results"' in came


@pytest.mark.parametrize("path", OUT)
def test_no_path_leads_out_of_the_folder_of_files(server: Server, path: str) -> None:
    secret = Path(server.folder, "secret_key").read_bytes()

    came = answered(server, f"GET {path} HTTP/1.1\r\n".encode() + HOST + b"Connection: close\r\n\r\n")

    assert came.startswith(b"HTTP/1.1 4")
    assert secret not in came
    assert b"root:" not in came


@pytest.mark.parametrize(
    "header",
    [
        b"X-HTTP-Method-Override: DELETE",
        b"X-HTTP-Method: DELETE",
        b"X-Original-URL: /api/tags/",
        b"X-Rewrite-URL: /api/tags/",
        b"X-Forwarded-Prefix: /elsewhere",
        b"X-Forwarded-Host: elsewhere.example",
        b"Script-Name: /elsewhere",
        b"Script_Name: /elsewhere",
        b"Forwarded: host=elsewhere.example",
    ],
)
def test_no_header_makes_another_request_of_one(server: Server, header: bytes) -> None:
    plain = answered(server, NEXT)

    came = answered(server, NEXT[:-2] + header + b"\r\n\r\n")

    assert b'"results"' in plain
    assert came.partition(b"\r\n\r\n")[2] == plain.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("host", [b"elsewhere.example", b"127.0.0.1@elsewhere.example", b"127.0.0.1, x", b""])
def test_a_host_of_somebody_else_is_told_nothing(server: Server, host: bytes) -> None:
    came = answered(server, NEXT.replace(b"127.0.0.1", host))

    assert came.startswith(b"HTTP/1.1 400")
    assert b'"results"' not in came
