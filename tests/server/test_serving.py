"""A worker that dies, a parent that dies, workers that are renewed under load, and stops, on a real server."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
import requests

from folio.server.memory import resident_memory
from folio.server.processes import raise_file_limit
from folio.server.supervising import MEMORY_SECONDS_VARIABLE, STOP_SECONDS
from folio.server.working import BACKPRESSURE
from tests.environment import ROOT, ended_after, environment
from tests.factories import draw
from tests.live import Server, postgresql_url, running_server, workers_of
from tests.postgresql import free_port

PATIENCE = 60  # seconds for what takes moments, on a machine that does much else
SPARE = 10  # seconds that a stop may take beside its bound
CLIENTS = 6
LEFT = "2020/01/01/left.bin"


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, int]]:
    """A server that nobody else is using, and the bytes that its worker begins with."""
    with running_server(tmp_path_factory.mktemp("workers")) as server:
        [worker] = workers_of(server)
        yield server, resident_memory(worker)


@pytest.fixture
def own(begun: tuple[Server, int]) -> Server:
    return begun[0]


def wait_until(is_so: Callable[[], bool], server: Server) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, server.log.read_text()
        time.sleep(0.1)


def is_answering(server: Server) -> bool:
    try:
        return server.session(server.key).get("/api/auth/me/", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def is_gone(pid: int) -> bool:
    """Tell whether all threads of a process have ended: until then it has open what it had."""
    try:
        stats = [(thread / "stat").read_text() for thread in Path(f"/proc/{pid}/task").iterdir()]
    except (FileNotFoundError, ProcessLookupError):
        return not Path(f"/proc/{pid}").exists()
    return all(stat.rpartition(")")[2].split()[0] == "Z" for stat in stats)


def port_of(server: Server) -> int:
    return int(server.url.rpartition(":")[2])


@contextmanager
def client_of(server: Server, method: str, path: str, *headers: str, body: bytes = b"") -> Iterator[socket.socket]:
    """Yield a connection on which a request was sent, perhaps not to its end."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Token {server.key}", *headers]
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=PATIENCE) as client:
        client.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        yield client


FORM = "multipart/form-data; boundary=edge"
HALF = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n' + b"words " * 30_000


def half_an_upload(server: Server) -> AbstractContextManager[socket.socket]:
    return client_of(server, "POST", "/api/media/", f"Content-Type: {FORM}", "Content-Length: 1000000", body=HALF)


def what_a_dead_process_left(server: Server) -> list[Path]:
    """Lay a file that no row refers to, and the journal's entry that says so, which nobody holds."""
    file, entry = server.folder / "media" / LEFT, server.folder / "journal" / "left.entry"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"left")
    entry.write_text(f"{json.dumps(LEFT)}\n")
    return [file, entry]


def received(server: Server) -> list[Path]:
    return list((server.folder / "uploads").iterdir())


def test_a_killed_worker_is_replaced_and_what_it_left_is_cleaned_up_without_a_start(own: Server) -> None:
    assert is_answering(own)
    [worker] = workers_of(own)
    with half_an_upload(own):
        wait_until(lambda: received(own) != [], own)
        left = what_a_dead_process_left(own)

        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: is_answering(own) and worker not in workers_of(own), own)
        wait_until(lambda: received(own) == [] and not any(path.exists() for path in left), own)

    assert own.process.poll() is None
    wait_until(lambda: "Cleaned up after" in own.log.read_text(), own)
    log = own.log.read_text()
    deaths = [line for line in log.splitlines() if "ERROR" in line]
    assert len(deaths) == 1
    assert re.search(
        rf"^\d{{4}}-.* ERROR folio\.server\.\w+: worker-1 \(process {worker}\) was ended by SIGKILL; process \d+ takes "
        "its place.$",
        deaths[0],
    )
    assert "Cleaned up after 2 interrupted uploads, changes and deletions of files." in log
    assert "Traceback" not in log
    assert "WARNING" not in log


@pytest.mark.skipif(bool(postgresql_url()), reason="There, it is a server that goes away.")
def test_a_database_that_is_moved_away_is_not_made_anew(own: Server) -> None:
    database, elsewhere = own.folder / "folio.sqlite3", own.folder / "elsewhere.sqlite3"
    database.rename(elsewhere)
    try:
        answers = [own.session(own.key).get(path, timeout=60) for path in ("/api/tags/", "/admin/login/") * 3]
        page = own.session().get("/admin/", headers={"Cookie": f"sessionid={'a' * 32}"})
    finally:
        assert not database.exists()
        elsewhere.rename(database)

    assert {answer.status_code for answer in answers} <= {200, 503}  # what was read before may be answered still
    assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
    wait_until(lambda: is_answering(own), own)  # for a second nobody tries
    told = [line for line in own.log.read_text().splitlines() if "The database" in line or "503" in line]
    assert len(told) == 2, "when it was away, and when it was back"


class Load:
    """Clients that ask without a pause, each on one connection until it is told that it is closed, or on new ones."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.is_over = threading.Event()
        self.counts = [0] * CLIENTS
        self.problems: list[str] = []
        self.threads = [threading.Thread(target=self.run, args=(place,)) for place in range(CLIENTS)]

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.is_over.set()
        for thread in self.threads:
            thread.join()

    def run(self, place: int) -> None:
        headers = {"Authorization": f"Token {self.server.key}", "Content-Type": "application/json"}
        connection = HTTPConnection("127.0.0.1", port_of(self.server), timeout=PATIENCE)
        while not self.is_over.is_set():
            try:
                if place == 0:  # a write now and then, and a connection of its own for each
                    connection.close()
                    body = json.dumps({"name": f"tag {self.counts[0]} {id(self)}"})
                    connection.request("POST", "/api/tags/", body, headers)
                else:
                    if place % 2:
                        connection.close()
                    connection.request("GET", f"/api/tags/?limit={place}", headers=headers)
                answer = connection.getresponse()
                answer.read()
                if answer.status not in {200, 201}:
                    self.problems.append(f"{place}: status {answer.status}")
            except OSError as error:
                self.problems.append(f"{place}: {error!r} after {self.counts[place]}")
                connection.close()
            self.counts[place] += 1
        connection.close()


def test_renewing_workers_under_load_refuses_and_cuts_no_request(own: Server) -> None:
    """A connection on which nothing was ever said, such as browsers open in advance, does not hold the old worker."""
    with Load(own) as load, socket.create_connection(("127.0.0.1", port_of(own))):
        for _ in range(2):
            [old] = workers_of(own)
            before = sum(load.counts)
            own.process.send_signal(signal.SIGHUP)
            wait_until(lambda old=old: old not in workers_of(own) and len(workers_of(own)) == 1, own)  # type: ignore[misc]
            assert sum(load.counts) > before
    assert load.problems == []
    assert all(load.counts)
    assert "did not end in time" not in own.log.read_text()


def test_a_parent_that_is_killed_takes_its_workers_along_and_frees_the_port(own: Server) -> None:
    assert is_answering(own)
    image = {"file": ("photo.png", draw((300, 200)))}
    assert own.session(own.key).post("/api/media/", files=image).status_code == 201
    family = [*workers_of(own)]
    family += [pid for worker in family for pid in children(worker)]
    assert len(family) > 1  # a decoder waits for another image
    for pid in family:  # what a manager sends to all processes is the parent's to heed
        assert {signal.SIGTERM, signal.SIGINT, signal.SIGHUP} <= ignored(pid)

    own.process.kill()
    own.process.wait(PATIENCE)
    wait_until(lambda: all(map(is_gone, family)), own)

    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port_of(own)))


def ignored(pid: int) -> set[int]:
    """Return the signals that a process ignores."""
    [mask] = re.findall(r"^SigIgn:\s+([0-9a-f]+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return {number for number in range(1, 65) if int(mask, 16) >> (number - 1) & 1}


def children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found


def test_a_worker_that_outgrew_its_memory_is_renewed_and_a_drained_server_ends_in_time(
    begun: tuple[Server, int], tmp_path: Path
) -> None:
    """Half a body, a slow reader, and those who say nothing hold the stop no longer than its bound."""
    bound = begun[1] + 8 * 1024 * 1024
    variables = {"FOLIO_WORKER_MEMORY": str(bound), MEMORY_SECONDS_VARIABLE: "0.2", "FOLIO_DRAIN_SECONDS": "120"}
    with running_server(tmp_path, **variables) as server, ExitStack() as clients:
        [worker] = workers_of(server)
        large = {"file": ("notes.txt", b"some words\n" * 3_000_000)}
        with Load(server) as load:
            assert server.session(server.key).post("/api/media/", files=large).status_code == 201
            file = server.session(server.key).get("/api/media/?limit=1").json()["results"][0]["f"]
            text = json.dumps({"title": "a", "body": "x" * 2_000_000})
            while worker in workers_of(server):
                server.session(server.key).post(
                    "/api/portfolios/", data=text, headers={"Content-Type": "application/json"}
                )
                assert load.threads[0].is_alive()
        assert load.problems == []
        assert re.search(
            rf"INFO folio.*: worker-1 \(process {worker}\) has grown to [\d,]+ MB, and is renewed\.",
            server.log.read_text(),
        )

        clients.enter_context(half_an_upload(server))
        clients.enter_context(client_of(server, "GET", file.partition(str(port_of(server)))[2]))  # reads nothing
        clients.enter_context(socket.create_connection(("127.0.0.1", port_of(server))))
        kept = HTTPConnection("127.0.0.1", port_of(server), timeout=PATIENCE)
        kept.request("GET", "/api/tags/", headers={"Authorization": f"Token {server.key}"})
        kept.getresponse().read()
        time.sleep(0.5)  # until the upload is being worked at

        server.process.terminate()
        wait_until(lambda: "Told to stop: answering for 120 more seconds." in server.log.read_text(), server)
        kept.request("GET", "/api/tags/", headers={"Authorization": f"Token {server.key}"})
        answer = kept.getresponse()
        assert (answer.status, answer.getheader("Connection")) == (200, "close")
        began = time.monotonic()
        server.process.terminate()
        server.process.wait(STOP_SECONDS + SPARE)

    assert time.monotonic() - began < STOP_SECONDS + SPARE
    assert server.process.returncode == 0
    assert workers_of(server) == []


def test_a_stop_waits_for_a_body_that_comes_and_for_none_that_has_stalled(tmp_path: Path) -> None:
    """Nor for half of a head; and what had come of a body is removed."""
    body = HALF + b"\r\n--edge--\r\n"
    size = f"Content-Length: {len(body)}"
    with running_server(tmp_path) as server, ExitStack() as clients:
        stalled = clients.enter_context(half_an_upload(server))
        head = clients.enter_context(socket.create_connection(("127.0.0.1", port_of(server)), timeout=PATIENCE))
        head.sendall(b"GET /api/tags/ HTTP/1.1\r\nHos")
        coming = clients.enter_context(client_of(server, "POST", "/api/media/", f"Content-Type: {FORM}", size))
        wait_until(lambda: received(server) != [], server)

        server.process.terminate()
        for start in range(0, len(body), 4000):  # for longer than the others are waited for
            coming.sendall(body[start : start + 4000])
            time.sleep(0.1)
        answer = HTTPResponse(coming)
        answer.begin()
        told = answer.read()
        assert answer.status == 201, told
        assert server.process.wait(PATIENCE) == 0

        assert stalled.recv(1) == b""
        assert head.recv(1) == b""
        assert received(server) == []
        assert "did not end in time" not in server.log.read_text()


def test_connections_on_which_nothing_is_said_do_not_take_the_places_of_others(tmp_path: Path) -> None:
    """Nor those that begin as HTTP/2 does, and say no more."""
    raise_file_limit()
    with running_server(tmp_path) as server, ExitStack() as clients:
        for number in range(BACKPRESSURE + 100):
            client = clients.enter_context(socket.create_connection(("127.0.0.1", port_of(server)), timeout=PATIENCE))
            if number % 2:
                client.sendall(b"PRI * HTTP/2.0\r\n")

        with server.session(server.key) as session:
            assert session.post("/api/tags/", json={"name": "beside the silent"}).status_code == 201
        wait_until(
            lambda: "WARNING folio.server.working: Connections on which nothing" in server.log.read_text(), server
        )


@pytest.mark.any_database
def test_ctrl_c_during_the_start_ends_it_at_once_without_a_word(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", "folio", "serve", "--port", str(free_port())],
            cwd=ROOT,
            env=environment(tmp_path / "data"),
            stdout=output,
            stderr=output,
            start_new_session=True,
        ) as process,
        ended_after(PATIENCE, process),
    ):
        while "Migrating" not in log.read_text():
            time.sleep(0.02)
            assert process.poll() is None
        began = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(PATIENCE) == -signal.SIGINT

    assert time.monotonic() - began < SPARE
    assert log.read_text() == "Migrating the database ...\n"
