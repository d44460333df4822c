"""One POST, to a real server."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from folio.delivery.webhooks import connections
from folio.delivery.webhooks.connections import Answer, Unanswered, post

from .endpoints import Endpoint
from .endpoints import endpoint as running_endpoint

SHORT = 0.5  # seconds, in the place of ten


def test_sends_a_body_and_returns_the_answer(endpoint: Endpoint) -> None:
    endpoint.body = "Schön".encode()
    endpoint.answer = 202

    assert post(f"{endpoint.url}/é?a=1#top", {"X-Own": "1"}, '{"é": 1}') == Answer(202, "Schön")

    [received] = endpoint.received
    assert (received.method, received.path) == ("POST", "/hook/secret-part/%C3%A9?a=1")
    assert received.body == '{"é": 1}'.encode()
    assert received.headers["host"] == f"127.0.0.1:{endpoint.port}"
    assert received.headers["x-own"] == "1"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_an_answer_like_others(endpoint: Endpoint, status: int) -> None:
    endpoint.answer = status

    assert not post(endpoint.url, {}, "{}").is_good
    assert len(endpoint.received) == 1


@pytest.mark.parametrize(("status", "is_good"), [(200, True), (204, True), (299, True), (304, False), (500, False)])
def test_only_2xx_is_good(endpoint: Endpoint, status: int, is_good: bool) -> None:
    endpoint.answer = status

    assert post(endpoint.url, {}, "{}").is_good is is_good


def test_reads_no_more_of_an_answer_than_is_kept(endpoint: Endpoint) -> None:
    endpoint.answer = 500
    endpoint.body = b"\0\x1b[31m" + b"x" * 1_000_000

    answer = post(endpoint.url, {}, "{}")

    assert answer.text == "[31m" + "x" * (2048 - 6)


def test_takes_no_proxy_of_the_environment(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_endpoint() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", "")

        assert post(endpoint.url, {}, "{}").status == 204

        assert len(endpoint.received) == 1
        assert not proxy.received


def test_connects_to_what_was_checked(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads elsewhere the second time that it is asked for is not asked for a second time."""
    answers = iter(["127.0.0.1", "169.254.169.254"])
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, port, *args, **options: real(next(answers), port, *args, **options)
    )

    assert post(f"http://build.example:{endpoint.port}/", {}, "{}").status == 204

    assert endpoint.received[0].headers["host"] == f"build.example:{endpoint.port}"


def test_checks_where_a_name_leads_at_each_sending(endpoint: Endpoint, settings: Any) -> None:
    settings.WEBHOOK_PRIVATE = []

    with pytest.raises(Unanswered, match="private network"):
        post(endpoint.url, {}, "{}")
    assert not endpoint.received


def test_tries_each_address_of_a_name(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(host: str, port: int, **options: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("127.0.0.2", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", answer)

    assert post(f"http://build.example:{endpoint.port}/", {}, "{}").status == 204


@contextmanager
def raw(answer: Callable[[socket.socket], object]) -> Iterator[str]:
    """Serve one connection by a function, and yield the URL."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with closing(connection):
                try:
                    answer(connection)
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        thread.join(30)


def be_silent(connection: socket.socket) -> None:
    time.sleep(3 * SHORT)


def drip(text: bytes) -> Callable[[socket.socket], object]:
    def answer(connection: socket.socket) -> None:
        for byte in text * 1000:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    return answer


@pytest.mark.usefixtures("private")
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(be_silent, id="silence"),
        pytest.param(drip(b"H"), id="status"),
        pytest.param(
            lambda connection: (connection.sendall(b"HTTP/1.1 200 OK\r\n"), drip(b"A: b\r\n")(connection)), id="headers"
        ),
        pytest.param(
            lambda connection: (
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n"),
                drip(b"x")(connection),
            ),
            id="body",
        ),
    ],
)
def test_waits_so_long_for_all_of_it_and_no_longer(answer: Callable[[socket.socket], object]) -> None:
    with raw(answer) as url:
        start = time.monotonic()
        with pytest.raises(Unanswered, match=r"no complete answer within 0\.5 seconds"):
            post(url, {}, "{}", SHORT)

        assert time.monotonic() - start < 10 * SHORT


@pytest.mark.usefixtures("private")
def test_a_body_that_nobody_takes_ends_in_time_too() -> None:
    with raw(be_silent) as url, pytest.raises(Unanswered, match="no complete answer"):
        post(url, {}, "x" * 20_000_000, SHORT)


@pytest.mark.usefixtures("private")
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "closed without an answer"),
        (b"hello\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "does not speak HTTP"),
    ],
)
def test_says_why_there_was_no_answer(answer: bytes, reason: str) -> None:
    def say(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer)

    with raw(say) as url, pytest.raises(Unanswered, match=reason):
        post(url, {}, "")


@pytest.mark.usefixtures("private")
def test_says_that_nobody_listens() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]

    with pytest.raises(Unanswered, match="No connection could be made: Connection refused"):
        post(f"http://127.0.0.1:{port}/secret-part", {}, "{}")


# Certificates


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the certificate of an authority of the tests' own, and one that it gave to build.example."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("There is no openssl to make certificates with.")
    folder = tmp_path_factory.mktemp("authority")
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30")

    def run(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], cwd=folder, check=True, capture_output=True)

    may_sign = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")  # without which Python 3.13 trusts none
    run("req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Tests", *may_sign)
    run("req", *new_key[:-2], "-keyout", "host.key", "-out", "host.csr", "-subj", "/CN=build.example")
    (folder / "extensions").write_text("subjectAltName=DNS:build.example\n")
    files = ("-in", "host.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "extensions")
    run("x509", "-req", *files, "-days", "30", "-out", "host.pem")
    return folder


@pytest.fixture
def secure(authority: Path, private: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """An endpoint with a certificate; whatever name is asked for leads to it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "host.pem", authority / "host.key")
    names: list[str | None] = []
    context.sni_callback = lambda sock, name, context: names.append(name)
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, port, *args, **options: real("127.0.0.1", port, *args, **options)
    )
    connections.trusted.cache_clear()
    with running_endpoint(context) as found:
        found.names = names  # type: ignore[attr-defined]
        yield found
    connections.trusted.cache_clear()


def test_a_certificate_is_asked_for_by_name(secure: Endpoint, authority: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "ca.pem"))

    assert post(f"https://build.example:{secure.port}/x", {}, "{}").status == 204

    assert secure.received[0].headers["host"] == f"build.example:{secure.port}"
    assert secure.names == ["build.example"]  # type: ignore[attr-defined]


def test_a_certificate_of_another_name_is_none(
    secure: Endpoint, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "ca.pem"))

    with pytest.raises(Unanswered, match="certificate is not valid for this address"):
        post(f"https://other.example:{secure.port}/x", {}, "{}")
    assert not secure.received


def test_a_certificate_that_no_one_vouches_for_is_none(secure: Endpoint) -> None:
    with pytest.raises(Unanswered, match="certificate is not valid"):
        post(f"https://build.example:{secure.port}/x", {}, "{}")
    assert not secure.received


def test_a_server_that_speaks_no_tls_is_told_so(endpoint: Endpoint) -> None:
    with pytest.raises(Unanswered, match="No secure connection could be made"):
        post(f"https://127.0.0.1:{endpoint.port}/", {}, "{}")


def test_a_handshake_takes_no_longer_than_the_rest(private: None) -> None:
    with raw(be_silent) as url, pytest.raises(Unanswered, match="no complete answer"):
        post(url.replace("http:", "https:"), {}, "{}", SHORT)
