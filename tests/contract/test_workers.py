"""A worker that dies is replaced, and a server that is told to stop does, whatever its clients are about to send."""

import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from folio.management.commands.serve import STOP_SECONDS
from tests.live import Server, postgresql_url, running_server, workers_of

ANSWERED = 60  # seconds within which there are answers again, on a machine that does much else
SPARE = 10  # seconds that a stop may take beside its bound


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that nobody else is using."""
    with running_server(tmp_path_factory.mktemp("workers")) as server:
        yield server


def is_answering(server: Server) -> bool:
    try:
        return server.session(server.key).get("/api/auth/me/", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def test_a_worker_that_is_killed_is_replaced(own: Server) -> None:
    assert is_answering(own)
    [worker] = workers_of(own)

    os.kill(worker, signal.SIGKILL)
    deadline = time.monotonic() + ANSWERED
    while not (is_answering(own) and worker not in workers_of(own)):
        assert time.monotonic() < deadline, own.log.read_text()
        time.sleep(0.2)

    assert own.process.poll() is None
    log = own.log.read_text()
    assert len(re.findall(r"^\d{4}-.* ERROR _granian: Unexpected exit from worker-1$", log, re.MULTILINE)) == 1
    assert len(re.findall(r"^\d{4}-.* INFO _granian: Respawning worker-1$", log, re.MULTILINE)) == 1
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
    assert is_answering(own)


def test_a_stop_has_a_bound_though_a_body_is_half_sent(own: Server) -> None:
    port = int(own.url.rpartition(":")[2])
    head = f"POST /api/tags/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Token {own.key}\r\n"
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{{".encode())
        time.sleep(1)  # until it is being worked at
        began = time.monotonic()
        own.process.terminate()
        own.process.wait(STOP_SECONDS + SPARE)

    assert time.monotonic() - began < STOP_SECONDS + SPARE
    assert workers_of(own) == []
    assert not Path(f"/proc/{own.process.pid}").exists()
