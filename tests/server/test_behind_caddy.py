"""Behind Caddy, with the file that Folio comes with: Debian's release, and the one that compose.yaml takes."""

import json
import re
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPResponse
from uuid import uuid4

import pytest

from tests.caddy import DEBIANS, FILE, LATEST, WORDS, behind_caddy, find_caddy
from tests.environment import ROOT
from tests.live import START, photograph
from tests.nginx import Front

PROMPT = 60  # seconds, more than anything takes on a busy machine, and less than what Caddy waits for
ELSEWHERE = "127.0.0.2"  # where the attackers are
PIECES = "a line of a text\n" * 30_000  # 510 KB, which Caddy holds


@pytest.fixture(scope="module", params=[DEBIANS, LATEST])
def which(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def front(which: str) -> Iterator[Front]:
    with behind_caddy(which, FOLIO_PUBLIC_READ="on", FOLIO_PUBLIC_RATE="5/hour") as front:
        yield front


def connect(front: Front, data: bytes, source: str = ELSEWHERE) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", front.port), timeout=PROMPT, source_address=(source, 0))
    context = ssl.create_default_context(cafile=str(front.certificate))
    connection = context.wrap_socket(plain, server_hostname="127.0.0.1")
    connection.sendall(data)
    return connection


def answered(connection: ssl.SSLSocket) -> tuple[HTTPResponse, bytes]:
    response = HTTPResponse(connection)
    response.begin()
    return response, response.read()


def slow_body(front: Front, path: str) -> ssl.SSLSocket:
    head = b"POST /api/auth/token/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return connect(front, head + b"Content-Length: 60\r\n\r\n{")


def slow_upload(front: Front, path: str) -> ssl.SSLSocket:
    head = f"POST /api/media/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Token {front.key}\r\n".encode()
    return connect(front, head + b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 900000\r\n\r\n--b")


def slow_reader(front: Front, path: str) -> ssl.SSLSocket:
    return connect(front, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())


@pytest.mark.parametrize(("attack", "count"), [(slow_body, 80), (slow_upload, 80), (slow_reader, 80)])
def test_slow_clients_take_nothing_from_others(
    front: Front, attack: Callable[[Front, str], ssl.SSLSocket], count: int
) -> None:
    """Folio by itself gives all of one address 8 small bodies and 16 uploads at the same time, and has 64 threads."""
    with ExitStack() as stack:
        session = stack.enter_context(front.session(front.key))
        stored = session.post("/api/media/", files={"file": ("large.txt", PIECES)}, timeout=PROMPT)
        path = "/media/" + stored.json()["f"].partition("/media/")[2]
        for _ in range(count):
            stack.enter_context(attack(front, path))

        written = session.post("/api/tags/", json={"name": f"beside {attack.__name__}"}, timeout=PROMPT)
        read = session.get("/api/tags/", timeout=PROMPT)
        uploaded = session.post("/api/media/", files={"file": ("beside.txt", b"text " * 50_000)}, timeout=PROMPT)

    assert [written.status_code, read.status_code, uploaded.status_code] == [201, 200, 201]


def test_a_body_that_is_too_large_is_refused_in_json_as_it_begins(front: Front) -> None:
    begun = b"x" * 300_000  # Caddy 2.11 takes in 256 KB before it lets an answer out
    head = "POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n"
    for length in (106_000_000, 110_000_000, 200_000_000, 1_000_000_000):
        with connect(front, head.format("/api/media/", length).encode() + begun) as connection:
            response, body = answered(connection)
        assert (response.status, response.headers["Content-Type"]) == (413, "application/json")
        assert json.loads(body) == {"detail": "The body is larger than this server accepts."}
    with connect(front, head.format("/admin/login/", 200_000_000).encode() + begun) as connection:
        assert answered(connection)[0].status == 413


def test_an_upload_as_large_as_folio_accepts_is_let_through(front: Front) -> None:
    """The pattern of lengths is right at its edges; the body itself need not be sent."""
    [pattern] = re.findall(r"header_regexp Content-Length (\S+)", FILE.read_text())

    assert not any(re.search(pattern, str(length)) for length in (0, 9, 104_857_600, 105_000_000, 105_999_999))
    assert all(re.search(pattern, str(10**power * 2)) for power in range(8, 20))
    assert all(re.search(pattern, str(length)) for length in (106_000_000, 109_999_999, 110_000_000, 10**9))


def test_a_body_of_undeclared_length_is_refused_by_folio(front: Front) -> None:
    head = f"POST /api/tags/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Token {front.key}\r\n"
    rest = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    with connect(front, (head + rest).encode()) as connection:
        assert answered(connection)[0].status == 411


def test_clients_are_counted_by_their_own_addresses_whatever_they_say_of_themselves(front: Front) -> None:
    def status(number: int, source: str) -> int:
        lines = [f"GET /api/public/portfolios/?offset={number} HTTP/1.1", "Host: 127.0.0.1"]
        names = ("X-Forwarded-For", "X_Forwarded_For", "x_forwarded-for", "Forwarded", "X-Real-IP", "Client-IP")
        lines += [f"{name}: {f'for=8.8.8.{number}' if name == 'Forwarded' else f'8.8.8.{number}'}" for name in names]
        with connect(front, "\r\n".join([*lines, "", ""]).encode(), source) as connection:
            return answered(connection)[0].status

    assert [status(number, "127.0.0.3") for number in range(7)] == [200] * 5 + [429] * 2
    assert status(8, "127.0.0.4") == 200
    assert "X-Forwarded-For, which is not read" not in front.backends[0].log.read_text()


def test_the_address_that_clients_are_shown_is_the_public_one_whatever_they_say(front: Front) -> None:
    with front.session(front.key) as session:
        for name in ("one", "two"):
            session.post("/api/tags/", json={"name": f"paged {name}"})
        lying = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher", "X-Forwarded-Port": "1"}
        following = session.get("/api/tags/?limit=1", headers=lying).json()["next"]

    assert "evil" not in following
    assert "gopher" not in following


def test_a_request_has_its_clients_id_or_a_new_one(front: Front) -> None:
    with front.session(front.key) as session:
        own = session.get("/api/tags/", headers={"X-Request-ID": "mine-1"}).headers["X-Request-ID"]
        new = {session.get("/api/tags/").headers["X-Request-ID"] for _ in range(2)}

    assert own == "mine-1"
    assert len(new) == 2
    assert all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", each) for each in new), "made by Caddy"


def test_pictures_are_read_from_the_disk_and_what_is_not_there_is_folios(front: Front) -> None:
    with front.session(front.key) as session:
        stored = session.post("/api/media/", files={"file": ("china.jpg", photograph("china.jpg"))}).json()
        text = session.post("/api/media/", files={"file": ("words.txt", b"words")}).json()
        path, text_path = ("/media/" + each["f"].partition("/media/")[2] for each in (stored, text))
        by_caddy = session.get(path)
        part = session.get(path, headers={"Range": "bytes=0-9"})
        kept = session.get(path, headers={"If-None-Match": by_caddy.headers["ETag"]})
        other = session.get(text_path)
        missing = session.get("/media/2026/nothing.jpg")
        secrets = [session.get(f"/media/{up}secret_key").status_code for up in ("../", "%2e%2e/", "..%2f", "..\\")]
        (front.data / path.removeprefix("/")).chmod(0)
        by_folio = session.get(path)

    assert "X-Request-ID" not in by_caddy.headers, "Folio was not asked"
    assert by_caddy.content == (front.data / path.removeprefix("/")).read_bytes()
    assert (part.status_code, part.headers["Content-Range"]) == (206, f"bytes 0-9/{len(by_caddy.content)}")
    assert kept.status_code == 304
    assert "X-Request-ID" in other.headers
    assert "X-Request-ID" in missing.headers
    assert missing.status_code == 404
    assert set(secrets) <= {400, 404}
    assert by_folio.status_code != 200 or "X-Request-ID" in by_folio.headers


def test_pictures_have_the_headers_that_folio_gives_them(front: Front) -> None:
    with front.session(front.key) as session:
        stored = session.post("/api/media/", files={"file": ("flower.jpg", photograph("flower.jpg"))}).json()
        path = "/media/" + stored["f"].partition("/media/")[2]
        by_caddy = session.get(path)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PROMPT)
        connection.connect(str(front.backends[0].socket))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        by_folio = HTTPResponse(connection)
        by_folio.begin()
        by_folio.read()

    names = ["Content-Type", "Cache-Control", "X-Content-Type-Options", "Access-Control-Allow-Origin", "Content-Length"]
    names += ["Accept-Ranges", "Cross-Origin-Resource-Policy", "Access-Control-Expose-Headers", "Last-Modified"]
    assert {name: by_caddy.headers[name] for name in names} == {name: by_folio.headers[name] for name in names}
    assert "sandbox" in by_caddy.headers["Content-Security-Policy"]


def test_nobody_notices_a_restart_of_the_one_server(front: Front, which: str) -> None:
    """But for those who write by Debian's Caddy: it sends no body a second time, and says that it could not."""
    statuses: list[int] = []
    writes: list[int] = []
    is_over = threading.Event()

    def write_on(name: str) -> None:
        with front.session(front.key) as session:
            while not is_over.is_set():
                made = session.post("/api/tags/", json={"name": f"{name} {uuid4()}"}, timeout=START)
                writes.append(made.status_code)
                statuses.append(session.get("/api/tags/?limit=1", timeout=START).status_code)

    threads = [threading.Thread(target=write_on, args=(name,), daemon=True) for name in ("left", "right")]
    for thread in threads:
        thread.start()
    try:
        front.backends[0].restart()
        before, end = len(statuses), time.monotonic() + START
        while len(statuses) < before + 4 and time.monotonic() < end:
            time.sleep(0.05)
    finally:
        is_over.set()
        for thread in threads:
            thread.join(START)

    assert not any(thread.is_alive() for thread in threads)
    assert len(statuses) >= before + 4, "they went on afterwards"
    assert set(statuses) == {200}
    assert writes[-1] == 201
    assert set(writes) <= ({201, 502} if which == DEBIANS else {201})


def test_plain_http_is_sent_to_https(front: Front) -> None:
    with front.session() as session:
        sent = session.get(f"http://127.0.0.1:{front.plain_port}/api/tags/?limit=1", allow_redirects=False)

    assert (sent.status_code, sent.headers["Location"]) == (308, "https://127.0.0.1/api/tags/?limit=1")


@pytest.mark.any_database
@pytest.mark.parametrize("which", [DEBIANS, LATEST])
def test_caddy_accepts_the_file_as_it_is_and_would_write_it_likewise(which: str) -> None:
    program = find_caddy(which)
    variables = {"WORDS": WORDS[which], "HOME": "/nonexistent", "PATH": "/usr/bin:/bin"}

    for command in (["validate", "--adapter", "caddyfile", "--config"], ["fmt", "--diff"]):
        done = subprocess.run([program, *command, str(FILE)], env=variables, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr + done.stdout


@pytest.mark.any_database
def test_the_image_in_compose_yaml_is_the_release_that_is_tested() -> None:
    told = subprocess.run(
        [find_caddy(LATEST), "version"], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    images = set(re.findall(r"image: caddy:(\S+)", "".join(path.read_text() for path in ROOT.glob("compose*.yaml"))))

    assert images == {f"{told.split()[0].removeprefix('v').rpartition('.')[0]}-alpine"}
