"""Reads go on beside clients that send slowly or never ask again."""

import json
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPResponse
from io import BytesIO
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from folio.api import middleware
from folio.api.middleware import Body, EdgeMiddleware
from tests.live import Server, running_server

PROMPT = 10  # seconds, much more than a read takes and less than a client that never ends
THREADS = 64  # that a server has
LARGE, SMALL = THREADS // 2, THREADS // 4  # of which may receive such bodies
LARGE_SHARE, SMALL_SHARE = LARGE // 2, SMALL // 2  # of one address
ELSEWHERE = "127.0.0.2"  # another address that clients of this machine may come from


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("slow")) as server:
        yield server


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    return server.key


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[Server]:
    """A server whose places are all free: no client of an earlier test, gone unnoticed, still holds one."""
    with running_server(tmp_path) as server:
        yield server


def connect(server: Server, lines: list[str], more: bytes = b"", source: str = "127.0.0.1") -> socket.socket:
    address = urlsplit(server.url).hostname, urlsplit(server.url).port
    connection = socket.create_connection(address, timeout=PROMPT, source_address=(source, 0))
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + more)
    return connection


def slow_upload(server: Server, key: str, length: int = 99_999, *lines: str) -> socket.socket:
    head = ["POST /api/media/ HTTP/1.1", "Host: localhost", f"Authorization: Token {key}"]
    head += ["Content-Type: multipart/form-data; boundary=b", f"Content-Length: {length}", *lines]
    return connect(server, head, b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n')


def slow_small_upload(server: Server, key: str) -> socket.socket:
    return slow_upload(server, key, 60_000)


def slow_stranger(server: Server, key: str) -> socket.socket:
    return slow_upload(server, "unknown", 99_999_999)


def slow_form(server: Server, key: str) -> socket.socket:
    lines = ["POST /admin/login/ HTTP/1.1", "Host: localhost", f"Cookie: csrftoken={'c' * 32}"]
    lines += ["Content-Type: application/x-www-form-urlencoded", "Content-Length: 99999"]
    return connect(server, lines, b"username=ada")


def idle_connection(server: Server, key: str) -> socket.socket:
    connection = connect(server, ["GET /api/auth/me/ HTTP/1.1", "Host: localhost", f"Authorization: Token {key}"])
    assert connection.recv(12) == b"HTTP/1.1 200"
    return connection


def answer_on(connection: socket.socket) -> HTTPResponse:
    response = HTTPResponse(connection)
    response.begin()
    return response


def answered(connections: list[socket.socket], count: int) -> list[HTTPResponse]:
    """Wait until so many connections were answered, and return all answers that came by then."""
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ)
        end = time.monotonic() + PROMPT
        ready: set[socket.socket] = set()
        while len(ready) < count and time.monotonic() < end:
            for found, _ in selector.select(end - time.monotonic()):
                assert isinstance(found.fileobj, socket.socket)
                ready.add(found.fileobj)
                selector.unregister(found.fileobj)
    return [answer_on(connection) for connection in ready]


@pytest.mark.parametrize(
    ("start", "count"),
    [
        (slow_upload, 80),
        (slow_small_upload, 80),
        (slow_stranger, 120),
        (slow_form, 80),
        (idle_connection, 300),
    ],
)
def test_reads_go_on_beside(
    server: Server, key: str, start: Callable[[Server, str], socket.socket], count: int
) -> None:
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(start(server, key))
        session = stack.enter_context(server.session(key))

        answers = [session.get("/api/portfolios/", timeout=PROMPT).status_code for _ in range(5)]

    assert answers == [200] * 5


@pytest.mark.parametrize(("start", "places"), [(slow_upload, LARGE_SHARE), (slow_small_upload, SMALL_SHARE)])
def test_more_uploads_than_places_are_sent_away_at_once(
    fresh_server: Server, start: Callable[[Server, str], socket.socket], places: int
) -> None:
    with ExitStack() as stack:
        connections = [stack.enter_context(start(fresh_server, fresh_server.key)) for _ in range(80)]

        refused = answered(connections, 80 - places)

        assert len(refused) == 80 - places
        for response in refused:
            assert response.status == 503
            assert response.headers["Retry-After"] == "5"
            assert response.headers["Content-Type"] == "application/json"
            assert "send it again in 5 seconds" in json.loads(response.read())["detail"]


def test_one_address_stops_nobody_elses_sign_in_write_or_upload(fresh_server: Server) -> None:
    head = ["POST /api/auth/token/ HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    undeclared = [*head, "Transfer-Encoding: chunked"]
    files = {"file": ("notes.txt", b"text " * 100_000)}
    with ExitStack() as stack:
        for _ in range(SMALL):
            stack.enter_context(connect(fresh_server, [*head, "Content-Length: 60"], b"{", ELSEWHERE))
            stack.enter_context(connect(fresh_server, undeclared, b"", ELSEWHERE))
        for _ in range(LARGE):
            stack.enter_context(connect(fresh_server, [*head, "Content-Length: 99999"], b"{", ELSEWHERE))
        session = stack.enter_context(fresh_server.session(fresh_server.key))

        wrong = session.post("/api/auth/token/", json={"username": "ada", "password": "wrong"}, timeout=PROMPT)
        answers = [session.post("/api/tags/", json={"name": f"beside {n}"}, timeout=PROMPT) for n in range(5)]
        stored = session.post("/api/media/", files=files, timeout=PROMPT)

    assert wrong.status_code in {400, 401}, "it was heard"
    assert [answer.status_code for answer in answers] == [201] * 5
    assert stored.status_code == 201


def test_a_whole_upload_that_is_sent_away_is_told_why_and_stored_later(fresh_server: Server) -> None:
    key = fresh_server.key
    files = {"file": ("large.txt", b"text " * 1_000_000)}
    with fresh_server.session(key) as session:
        with ExitStack() as stack:
            connections = [stack.enter_context(slow_upload(fresh_server, key)) for _ in range(LARGE_SHARE + 1)]
            assert len(answered(connections, 1)) == 1

            refused = session.post("/api/media/", files=files, timeout=PROMPT)
            small = session.post("/api/tags/", json={"name": "beside uploads"}, timeout=PROMPT)

        assert refused.status_code == 503
        assert refused.headers["Retry-After"] == "5"
        assert small.status_code == 201, "what is small has places of its own"
        end = time.monotonic() + PROMPT
        while (stored := session.post("/api/media/", files=files)).status_code == 503 and time.monotonic() < end:
            time.sleep(0.1)  # until the server has seen that the others went away
        assert stored.status_code == 201
        assert session.get("/api/media/", params={"search": "large"}).json()["count"] == 1


def test_strangers_take_no_places_and_need_not_send_what_is_refused(server: Server, key: str) -> None:
    with ExitStack() as stack:
        for _ in range(10):  # no more at once than wait for the database in turn; all stay connected
            strangers = [stack.enter_context(slow_stranger(server, key)) for _ in range(12)]
            assert [answer_on(connection).status for connection in strangers] == [401] * 12
        session = stack.enter_context(server.session(key))
        stored = session.post("/api/media/", files={"file": ("notes.txt", b"text " * 100_000)}, timeout=PROMPT)

    assert stored.status_code == 201


def test_a_client_that_asks_first_is_not_told_to_go_on_with_what_is_refused(server: Server, key: str) -> None:
    head = ["POST /api/media/ HTTP/1.1", "Host: localhost", "Content-Type: multipart/form-data; boundary=b"]
    head += ["Content-Length: 999999999", "Expect: 100-continue"]
    for authorization, status in ((f"Token {key}", 413), ("Token unknown", 401)):
        with connect(server, [*head, f"Authorization: {authorization}"]) as connection:
            received = b""
            while piece := connection.recv(65_536):  # to the end: the server closes it
                received += piece

        assert received.startswith(f"HTTP/1.1 {status} ".encode())
        assert received.count(b"HTTP/1.1") == 1


def test_the_places_follow_the_number_of_threads(tmp_path: Path) -> None:
    with running_server(tmp_path, "--threads", "4") as server, ExitStack() as stack:
        key = server.key
        connections = [stack.enter_context(slow_upload(server, key)) for _ in range(10)]

        assert [response.status for response in answered(connections, 9)] == [503] * 9
        assert server.session(key).get("/api/portfolios/", timeout=PROMPT).status_code == 200


def test_the_number_of_threads_may_be_chosen(tmp_path: Path) -> None:
    with running_server(tmp_path, "--threads", "1") as server:
        key = server.key
        with server.session(key) as session, slow_upload(server, key):

            def read_on() -> None:
                while session.get("/api/portfolios/", timeout=2).ok:  # the first may come before the upload
                    pass

            with pytest.raises(OSError, match="timed out"):
                read_on()


# The middleware by itself


def post(size: int) -> HttpRequest:
    return RequestFactory().post("/api/tags/", b"x" * size, content_type="application/json")


def edge(monkeypatch: pytest.MonkeyPatch, get_response: Callable[[HttpRequest], HttpResponse]) -> EdgeMiddleware:
    monkeypatch.setenv(middleware.THREADS_VARIABLE, "2")  # one place for each size
    return EdgeMiddleware(get_response)


@pytest.mark.parametrize("how", ["body", "read", "readline", "lines"])
def test_a_place_is_free_again_once_the_body_was_read(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    statuses: list[int] = []
    reads: dict[str, Callable[[HttpRequest], object]] = {
        "body": lambda request: request.body,
        "read": lambda request: [request.read(40_000), request.read(40_000), request.read(40_000)],
        "readline": lambda request: request.readline(),
        "lines": list,
    }

    def view(request: HttpRequest) -> HttpResponse:
        if len(statuses) < 2:
            statuses.append(0)
            statuses.append(answer(post(100_000)).status_code)
            reads[how](request)
            statuses.append(answer(post(100_000)).status_code)
        return HttpResponse()

    answer = edge(monkeypatch, view)

    assert answer(post(100_000)).status_code == 200
    assert statuses == [0, 503, 200]


def test_a_small_body_needs_no_place_while_it_is_worked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    bodies: list[bytes] = []

    def view(request: HttpRequest) -> HttpResponse:
        if len(bodies) < 3:
            bodies.append(request.body)
            return answer(post(middleware.SMALL_BODY))
        return HttpResponse(status=201)

    answer = edge(monkeypatch, view)

    assert answer(post(5)).status_code == 201
    assert [len(body) for body in bodies] == [5, middleware.SMALL_BODY, middleware.SMALL_BODY]


def test_one_client_has_half_of_the_places_and_all_may_have_them_all(settings: Any) -> None:
    settings.TRUSTED_PROXIES, settings.TRUST_UNIX = [ip_network("10.0.0.0/8")], True
    places = middleware.Places(4)

    def take(forwarded: str | None = "198.51.100.1", remote: str = "10.0.0.7") -> Body | None:
        headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
        request = RequestFactory(REMOTE_ADDR=remote).post("/", b"x", content_type="text/plain", headers=headers)
        body = middleware.body_of(request)
        assert body is not None
        return body if body.take(places) else None

    first, second = take(), take(remote="")
    assert first is not None
    assert second is not None
    assert take() is None, "half of them are another client's"
    assert take("2001:db8::1") is not None
    assert take("2001:db8::2") is not None
    assert take("203.0.113.5") is None, "there are four"
    first.free()
    assert take("2001:db8::3") is None, "one customer's network is one client"
    assert take("203.0.113.5") is not None


def test_clients_whose_addresses_nobody_tells_have_all_places(settings: Any) -> None:
    places = middleware.Places(4)

    assert [places.take("") for _ in range(5)] == [True, True, True, True, False]
    for _ in range(4):
        places.free("")
    assert places.taken == {}


def test_a_place_is_free_again_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        raise RuntimeError("inside")

    answer = edge(monkeypatch, view)

    for _ in range(3):
        with pytest.raises(RuntimeError, match="inside"):
            answer(post(100_000))


@pytest.mark.django_db  # the end of a request looks after its connection to the database
def test_what_was_left_of_a_body_is_read_for_half_a_minute_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    class Trickle(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            nonlocal now
            now += 1
            return super().read(size)

    monkeypatch.setattr("folio.api.middleware.time.monotonic", lambda: now)
    answer = edge(monkeypatch, lambda request: HttpResponse(status=401))
    for pieces, left in ((20, 0), (40, 10)):
        content = Trickle(b"x" * pieces * middleware.PIECE)
        request = post(pieces * middleware.PIECE)
        request._stream = content

        response = answer(request)
        assert response.status_code == 401
        assert content.tell() == 0, "the answer comes first"
        response.close()
        assert len(content.getvalue()) - content.tell() == left * middleware.PIECE


@pytest.mark.django_db  # the end of a request looks after its connection to the database
def test_a_left_body_is_read_to_twice_the_size_of_an_upload(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.MAX_UPLOAD_SIZE = 50_000
    request = post(1_000_000)
    content = request._stream = BytesIO(b"x" * 1_000_000)

    edge(monkeypatch, lambda request: HttpResponse(status=413))(request).close()

    assert 100_000 <= content.tell() < 100_000 + middleware.PIECE
