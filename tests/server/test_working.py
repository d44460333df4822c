"""What is relied on of the HTTP server, which promises none of it: a release that changes it is seen here."""

import hashlib
import inspect
import os
import re
import socket
from typing import Any

import pytest
from granian import wsgi
from granian._granian import SocketHolder, WSGIWorker
from granian.server.mp import MPServer, WorkerProcess

from folio.server.line import Line
from folio.server.working import Obedience

pytestmark = pytest.mark.any_database

# The parts that `folio.server.working` does by itself, as they were when it was written. Where one has changed, read
# what has, do likewise there, and write the new digest here.
READ = {
    MPServer._spawn_wsgi_worker: "cec99fbc728fc891d67bfc6a6bdbe4d0dd3b5b4dd56c3b69996b9aa2f9075156",
    WorkerProcess.wrap_target: "590801916a38ee28426464ded0ebf126849da673b70a1afa1561c8b7b48a3c52",
    MPServer._spawn_worker: "87b0a0e68f390bca49fbbe104201f235bf607e2529ac9f6860a2df62b5803640",
    wsgi._callback_wrapper: "c4d74e8bccc243bfef3f3bf20a27554f9fe124ed32a87f021c1f9d62c8c82d1d",
    wsgi.Response: "a96593b6ddef00e47a13d5addab54fafe1e02878ccc4a5eb99cd6f78ac80acfe",
}


@pytest.mark.parametrize("part", READ, ids=lambda part: part.__name__)
def test_the_http_server_starts_its_workers_as_it_did(part: Any) -> None:
    source = inspect.getsource(getattr(part, "__wrapped__", part))

    assert hashlib.sha256(source.encode()).hexdigest() == READ[part], source


def test_the_http_server_s_worker_takes_what_it_did() -> None:
    names = re.findall(r"(\w+)(?:=[^,]*)?", WSGIWorker.__text_signature__ or "")

    assert names[:15] == [
        *("worker_id", "sock", "ipc", "threads", "blocking_threads", "py_threads", "py_threads_idle_timeout"),
        *(
            "backpressure",
            "http_mode",
            "http1_opts",
            "http2_opts",
            "static_files",
            "ssl_enabled",
            "ssl_cert",
            "ssl_key",
        ),
    ]
    assert (SocketHolder.__text_signature__ or SocketHolder.__doc__) == "(fd, uds, backlog)"


def test_an_answer_says_that_its_connection_is_closed_once_that_was_ordered() -> None:
    obedience = Obedience(Line.make(), socket.socket())
    kept = [("Content-Type", "text/plain")]

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", kept)
        return [b""]

    class Protocol:
        def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            answers.append((status, headers, body))

    answers: list[tuple[int, list[tuple[str, str]], bytes]] = []

    def headers() -> list[tuple[str, str]]:
        assert obedience.responding(application)(Protocol(), {}) == 200
        return answers[-1][1]

    assert headers() == kept
    obedience.is_closing = True
    assert headers() == [*kept, ("Connection", "close")]
    assert kept == [("Content-Type", "text/plain")]  # it may be in a cache
    obedience.listener.close()
    for descriptor in (*obedience.line.orders, *obedience.line.answers):
        os.close(descriptor)
