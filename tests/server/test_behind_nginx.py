"""Behind nginx, with the file that Folio comes with, clients that are slow or silent take nothing from anybody else."""

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPResponse

import pytest

from folio.server.processes import raise_file_limit
from tests.environment import run_folio
from tests.live import photograph
from tests.nginx import FILE, OWN_LINES, Front, behind_nginx

ELSEWHERE = "127.0.0.2"  # where the attackers are: who shares their address shares their limit of connections
PROMPT = 10  # seconds, more than anything takes on a busy machine, and less than what nginx waits for
PASSWORD = "a-password-of-the-tests"
LARGE = b"a line of a large file\n" * 180_000  # 4 MB, more than fits on the way to who does not read


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    """A server, and the empty place of another one: whatever is asked, nginx may have tried that first."""
    raise_file_limit()
    public = {"FOLIO_PUBLIC_READ": "on", "FOLIO_PUBLIC_RATE": "5/hour"}
    with behind_nginx(servers=1, from_disk=True, tls=False, **public) as front:
        made = run_folio(
            *("createsuperuser", "--noinput", "--username", "bea", "--email", "bea@example.com"),
            folder=front.data,
            variables={**front.variables, "DJANGO_SUPERUSER_PASSWORD": PASSWORD},
        )
        assert made.returncode == 0, made.stderr
        yield front


@pytest.fixture(scope="module")
def large(front: Front) -> str:
    """The path of a file that Folio serves."""
    with front.session(front.key) as session:
        stored = session.post("/api/media/", files={"file": ("large.txt", LARGE)})
    assert stored.status_code == 201, stored.text
    return "/media/" + stored.json()["f"].partition("/media/")[2]


def connect(front: Front, data: bytes = b"", receive_buffer: int = 0, source: str = ELSEWHERE) -> socket.socket:
    connection = socket.socket()
    connection.bind((source, 0))
    connection.settimeout(PROMPT)
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.connect(("127.0.0.1", front.port))
    connection.sendall(data)
    return connection


def silent(front: Front, path: str) -> socket.socket:
    return connect(front)


def slow_head(front: Front, path: str) -> socket.socket:
    return connect(front, b"POST /api/auth/token/ HTTP/1.1\r\nHost: localhost\r\nX-Slo")


def slow_body(front: Front, path: str) -> socket.socket:
    head = b"POST /api/auth/token/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return connect(front, head + b"Content-Length: 60\r\n\r\n{")


def slow_upload(front: Front, path: str) -> socket.socket:
    head = f"POST /api/media/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Token {front.key}\r\n".encode()
    return connect(front, head + b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 9999999\r\n\r\n--b")


def slow_reader(front: Front, path: str) -> socket.socket:
    return connect(front, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(), receive_buffer=4096)


@pytest.mark.parametrize(
    ("attack", "count"), [(silent, 1100), (slow_head, 1100), (slow_body, 120), (slow_upload, 120), (slow_reader, 70)]
)
def test_an_attack_stops_no_sign_in_and_no_write(
    front: Front, large: str, attack: Callable[[Front, str], socket.socket], count: int
) -> None:
    with ExitStack() as stack:
        connections = [stack.enter_context(attack(front, large)) for _ in range(count)]
        if attack is slow_reader:
            assert all(connection.recv(9) == b"HTTP/1.1 " for connection in connections), "each is being answered"
        session = stack.enter_context(front.session(front.key))
        start = time.monotonic()

        signed_in = session.post("/api/auth/token/", json={"username": "bea", "password": PASSWORD}, timeout=PROMPT)
        written = session.post("/api/tags/", json={"name": f"beside {attack.__name__}"}, timeout=PROMPT)
        read = session.get("/api/tags/", timeout=PROMPT)
        stored = session.post("/api/media/", files={"file": ("beside.txt", b"text " * 50_000)}, timeout=PROMPT)

        assert [a.status_code for a in (signed_in, written, read, stored)] == [201, 201, 200, 201], signed_in.text
        assert time.monotonic() - start < PROMPT


def test_what_nginx_refuses_in_the_api_is_told_in_json(front: Front, large: str) -> None:
    too_large = (
        b"POST /api/media/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 200000000\r\n\r\n"
    )
    assert refusal(front, too_large, "127.0.0.3") == (413, "application/json", ["detail"])

    end = time.monotonic() + PROMPT
    with ExitStack() as stack:
        for _ in range(256):
            stack.enter_context(slow_body(front, large))
        one_more = b"GET /api/tags/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
        # nginx counts a connection once it has read its head: that of the last may still be on the way. On a busy
        # machine the first ones may have been let go as too slow by now, so others take their places.
        while (refused := refusal(front, one_more, ELSEWHERE))[0] == 401 and time.monotonic() < end:
            stack.enter_context(slow_body(front, large))
            time.sleep(0.1)
        assert refused == (429, "application/json", ["detail"])


def refusal(front: Front, request: bytes, source: str) -> tuple[int, str, list[str]]:
    """The status, the type and the names in the JSON of what is answered to `request`."""
    with connect(front, request, source=source) as connection, HTTPResponse(connection) as response:
        response.begin()
        return response.status, response.headers["Content-Type"], list(json.loads(response.read()))


def answer(front: Front, path: str, source: str, **headers: str) -> HTTPResponse:
    connection = HTTPConnection("127.0.0.1", front.port, timeout=PROMPT, source_address=(source, 0))
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response


def test_clients_are_counted_by_their_own_addresses_whatever_they_say_of_themselves(front: Front) -> None:
    path = "/api/public/portfolios/?offset="

    statuses = [answer(front, f"{path}{n}", "127.0.0.3", **{"X-Forwarded-For": f"8.8.8.{n}"}).status for n in range(7)]

    assert statuses == [200] * 5 + [429] * 2
    assert answer(front, f"{path}8", "127.0.0.4").status == 200
    assert "X-Forwarded-For, which is not read" not in front.backends[0].log.read_text()


def test_pictures_are_read_from_the_disk_as_folio_would_give_them(front: Front) -> None:
    with front.session(front.key) as session:
        stored = session.post("/api/media/", files={"file": ("china.jpg", photograph("china.jpg"))})
        path = "/media/" + stored.json()["f"].partition("/media/")[2]
        by_nginx = session.get(path)
        missing = session.get("/media/2026/nothing.jpg")
    by_folio = direct(front, path)

    assert "nginx" in by_nginx.headers["Server"]
    assert by_nginx.headers["Last-Modified"] == by_folio.headers["Last-Modified"]
    assert by_nginx.headers["ETag"] != by_folio.headers["ETag"], "nginx gave it"
    for name in ("Content-Type", "Cache-Control", "X-Content-Type-Options", "Access-Control-Allow-Origin"):
        assert by_nginx.headers[name] == by_folio.headers[name]
    for name in ("Content-Length", "Accept-Ranges", "Cross-Origin-Resource-Policy", "Access-Control-Expose-Headers"):
        assert by_nginx.headers[name] == by_folio.headers[name]
    assert "sandbox" in by_nginx.headers["Content-Security-Policy"]
    assert missing.status_code == 404


def direct(front: Front, path: str) -> HTTPResponse:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PROMPT)
        connection.connect(str(front.backends[0].socket))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        response = HTTPResponse(connection)
        response.begin()
        response.read()
        return response


def test_nginx_speaks_tls_and_http_2_as_the_file_has_it_and_folio_knows_of_it() -> None:
    """Its own check of the file comes first: `nginx -t`, with a certificate."""
    variables = {"FOLIO_PUBLIC_URL": "https://api.example.com", "FOLIO_ALLOWED_HOSTS": "127.0.0.1"}
    with behind_nginx(servers=1, from_disk=False, tls=True, **variables) as front, front.session(front.key) as session:
        for name in ("one", "two"):
            assert session.post("/api/tags/", json={"name": name}).status_code == 201
        following = session.get("/api/tags/?limit=1").json()["next"]
        page = session.get("/admin/login/")
        redirect = session.get(f"http://127.0.0.1:{front.plain_port}/api/tags/?limit=1", allow_redirects=False)
        context = ssl.create_default_context(cafile=str(front.certificate))
        context.set_alpn_protocols(["h2", "http/1.1"])
        with (
            socket.create_connection(("127.0.0.1", front.port), timeout=PROMPT) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
        ):
            spoken = connection.selected_alpn_protocol()

    assert following.startswith("https://api.example.com/api/tags/?")
    assert page.status_code == 200
    assert all(cookie.secure for cookie in page.cookies), "Folio knows that its visitors speak TLS"
    assert len(page.cookies) == 1
    assert (redirect.status_code, redirect.headers["Location"]) == (301, "https://127.0.0.1/api/tags/?limit=1")
    assert spoken == "h2"


def test_the_file_says_what_nginx_itself_needs() -> None:
    text = FILE.read_text()

    for line in OWN_LINES:
        assert line in text
