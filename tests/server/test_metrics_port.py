"""The port for metrics answers one client after another, so none may take long."""

import socket
from contextlib import suppress
from threading import Event, Thread
from typing import Any

import pytest

from folio.server.metrics.answering import Answering, cut_off_after

pytestmark = pytest.mark.any_database
MOST = 2_000  # pieces, of which each is sent a moment after the last: a minute at least


class Told:
    def answer(self, method: str, authorization: str, encodings: str) -> tuple[int, list[tuple[str, str]], bytes]:
        return 200, [("Content-Length", "2")], b"ok"


def answer(ours: socket.socket, seconds: float) -> None:
    metrics: Any = Told()
    with ours, cut_off_after(seconds, ours), suppress(OSError):  # as the port does
        Answering(ours, ("127.0.0.1", 1), metrics)


def test_a_client_that_sends_byte_by_byte_is_cut_off() -> None:
    ours, theirs = socket.socketpair()
    is_cut_off, pause = Event(), Event()

    def drip() -> None:
        with theirs, suppress(OSError):
            for _ in range(MOST):
                theirs.sendall(b"a")
                pause.wait(0.03)
            return
        is_cut_off.set()

    sender = Thread(target=drip)
    sender.start()
    answer(ours, 0.2)
    sender.join()

    assert is_cut_off.is_set()


def test_a_client_that_is_done_in_time_is_answered() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        answer(ours, 60)
        came = theirs.recv(65_536)

    assert came.startswith(b"HTTP/1.0 200")
    assert came.endswith(b"ok")
