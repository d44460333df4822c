"""A worker: a process that answers requests until its parent tells it to stop, or is there no more."""

import ctypes
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from granian._futures import _new_cbscheduler
from granian._granian import SocketHolder, WorkerSignal, WSGIWorker
from granian._internal import load_target
from granian._loops import loops
from granian.constants import HTTPModes, Loops, RuntimeModes, SSLProtocols
from granian.log import LogLevels, configure_logging
from granian.server.common import WORKERS_METHODS
from granian.wsgi import ResponseIterWrap

from folio import reports
from folio.logs import SERVER

from .connections import are_silent, end_silent, end_stalled, open_descriptors, port_of, take_no_more
from .line import CLOSE, HURRY, LEAVE, STOP, Line
from .receiving import are_all_receiving, is_one_at_work

logger = logging.getLogger(__name__)

APPLICATION = "folio.wsgi:application"
BACKLOG = 1024  # connections that wait to be taken by a worker
BACKPRESSURE = 1024  # connections that a worker holds, also those on which nothing is asked
IDLE_SECONDS = 30  # after which a thread without work ends
CROWDED = BACKPRESSURE // 2  # connections, from which on those take places that say nothing
SILENT_SECONDS = 1  # for which those who have never said anything are waited for then, or when it stops
STALLED_SECONDS = 2  # without a byte, after which a body is not waited for when the server stops
TIDY_SECONDS = 1  # for requests whose clients were cut off to remove what had come
LOOKS, BETWEEN_LOOKS = 5, 0.02  # that find nobody at work, one after another, and the seconds between two
TOLD_ONCE_IN = 60  # seconds
RUNTIME_THREADS, RUNTIME_BLOCKING_THREADS = 1, 512  # of the HTTP server itself, as it has them by default
NO_TLS: tuple[Any, ...] = (False, None, None, None, str(SSLProtocols.tls13), None, [], False)
# What WSGI asks for beside what the HTTP server tells of a request.
SERVER_SIDE: dict[str, Any] = {
    "GATEWAY_INTERFACE": "CGI/1.1",
    "SCRIPT_NAME": "",
    "SERVER_SOFTWARE": "Granian",
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": False,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.version": (1, 0),
}
PR_SET_PDEATHSIG = 1  # Linux's number for it


@dataclass
class Work:
    """What a worker does, with the listener that it shares with the others, and so many threads for requests."""

    listener: socket.socket
    threads: int

    def __call__(self, number: int, parent: int, line: Line) -> None:
        """Serve until the parent, which has this process id, says so; in a process that was made for it.

        What is done with the HTTP server's parts is what its own `_spawn_wsgi_worker` does.
        """
        die_with(parent)
        obedience = Obedience(line, self.listener)
        port = port_of(self.listener)
        obedience.start()
        # The lines of the HTTP server, of which `folio.logs` shows what went wrong.
        configure_logging(LogLevels.info, {"loggers": {SERVER: {"propagate": True}}})
        loop = loops.get(Loops.auto)
        respond = obedience.responding(load_target(APPLICATION))
        hold: Any = SocketHolder  # the stubs of both are of another version
        holder = hold(self.listener.fileno(), self.listener.family == socket.AF_UNIX, BACKLOG)
        make: Any = WSGIWorker
        worker = make(
            number,
            (None, holder),
            None,
            RUNTIME_THREADS,
            RUNTIME_BLOCKING_THREADS,
            self.threads,
            IDLE_SECONDS,
            BACKPRESSURE,
            HTTPModes.auto,
            None,
            None,
            None,
            *NO_TLS,
            (None, None),
        )
        serve = getattr(worker, WORKERS_METHODS[RuntimeModes.mt][holder.is_uds()])
        is_over = threading.Event()
        obedience.signal.add_cb(is_over.set)
        serve(_new_cbscheduler(loop, respond, impl_asyncio=True), loop, obedience.signal)
        obedience.serves()
        if port is not None:
            threading.Thread(target=keep_places_free, args=(port,), name="places", daemon=True).start()
        obedience.is_stopping.wait()
        if finish(is_over, obedience, port):
            tidy_up()
        reports.end()


class Response:
    """How an application begins its answer, as the HTTP server's own class keeps it."""

    status = 200
    headers: Sequence[tuple[str, str]] = ()

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        self.status = int(status[:3])
        self.headers = headers


class Obedience:
    """Does what the parent says, in a thread of the worker; without a parent the worker ends at once."""

    def __init__(self, line: Line, listener: socket.socket) -> None:
        self.line = line
        self.listener = listener
        self.signal = WorkerSignal()
        self.lock = threading.Lock()
        self.is_serving = self.is_closing = self.is_hurried = False
        self.is_stopping = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self.obey, name="orders", daemon=True).start()

    def serves(self) -> None:
        with self.lock:
            self.is_serving = True
        self.line.say_ready()

    def obey(self) -> None:
        while order := self.line.next_order():
            if order in {CLOSE, LEAVE}:
                self.is_closing = True
            if order == HURRY:
                self.is_hurried = True
            if order == LEAVE:
                take_no_more(self.listener)
            if order == STOP:
                with self.lock:
                    if not self.is_serving:  # nobody was answered yet; what it is loading may take a while
                        os._exit(0)
                self.signal.set()
                self.is_stopping.set()
        os.kill(os.getpid(), signal.SIGKILL)

    def responding(self, application: Callable[..., Any]) -> Callable[[Any, dict[str, Any]], int]:
        """Return what the HTTP server calls for a request, which answers as its own `_callback_wrapper` does.

        But a request's environment has nothing of the process's, of which nothing here makes use: to copy it took a
        twentieth of the time of an answer from memory. And once that was ordered, an answer says that its connection is
        closed: one that is closed without a word may just have been sent the next request.
        """

        server_side = {**SERVER_SIDE, "wsgi.errors": sys.stderr}

        def respond(protocol: Any, environ: dict[str, Any]) -> int:
            environ.update(server_side)
            response = Response()
            body = application(environ, response)
            if self.is_closing:
                response.headers = [*response.headers, ("Connection", "close")]
            if isinstance(body, list):
                protocol.response_bytes(response.status, response.headers, b"".join(body))
            else:
                protocol.response_iter(response.status, response.headers, ResponseIterWrap(body))
            return response.status

        return respond


def finish(is_over: threading.Event, obedience: Obedience, port: int | None) -> bool:
    """Return when the HTTP server has ended, or is kept from it by silence alone; tell whether anybody was cut off.

    A body may come in pieces; so its connection is ended where nothing came for a while, and nothing else is at work on
    any: of what is computed, no connection tells. That must have been so before too, as an answer that is ready goes to
    the system in a moment.
    """
    was_receiving, cut_off = False, 0
    while not is_over.wait(SILENT_SECONDS):
        if are_silent(port):
            break
        is_receiving = obedience.is_hurried and are_all_receiving()
        if is_receiving and was_receiving:
            cut_off += end_stalled(port, STALLED_SECONDS)
        was_receiving = is_receiving
    return cut_off > 0


def tidy_up() -> None:
    """Wait for requests that have lost their clients, and remove what they received: the HTTP server waits for none.

    Between two parts of its work on a request, a thread of it runs nothing that could be seen.
    """
    end, looks = time.monotonic() + TIDY_SECONDS, 0
    while looks < LOOKS and time.monotonic() < end:
        time.sleep(BETWEEN_LOOKS)
        looks = 0 if is_one_at_work() else looks + 1


def keep_places_free(port: int) -> None:
    """For as long as the process lives, end connections on which nothing is said where there are many.

    The HTTP server waits for their first bytes without an end, and takes only so many at a time.
    """
    told_at = -float(TOLD_ONCE_IN)
    while True:
        time.sleep(SILENT_SECONDS)
        has_ended = open_descriptors() > CROWDED and end_silent(port, SILENT_SECONDS) > 0
        if has_ended and time.monotonic() - told_at >= TOLD_ONCE_IN:
            told_at = time.monotonic()
            logger.warning("Connections on which nothing is said take the places of others, and are closed.")


def die_with(parent: int) -> None:
    """Have the system kill this process when its parent dies, where it can; the line's end tells it elsewhere."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before
        os.kill(os.getpid(), signal.SIGKILL)
