"""The server: a listener, the workers that share it, and the parent that looks after them."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from django.conf import settings
from django.db import connections

from folio import reports
from folio.allocator import give_back_memory
from folio.api.middleware import THREADS_VARIABLE

from . import signals
from .cleaning import clean_up
from .listening import METRICS_PORT, bound, listen
from .processes import load_program, raise_file_limit, share_memory
from .supervising import STOP_SECONDS, Counts, NoCounts, Parent, Plan
from .unix_socket import SETTLING, UnixSocket
from .working import BACKLOG, Work

METRICS_BACKLOG = 16  # of those who ask about the server


def run(host: str, port: int, workers: int, threads: int, unix_socket: UnixSocket | None = None) -> None:
    """Serve with so many workers, and threads of each, until a signal ends it; exit with 1 where workers die too fast.

    It listens at the host and port, or at a unix socket where one is given.
    """
    connections.close_all()
    reports.end()  # a thread that sends could not be forked
    give_back_memory()
    load_program()
    share_memory()
    raise_file_limit()
    os.environ[THREADS_VARIABLE] = str(threads)
    with listen(host, port, unix_socket, BACKLOG) as listener, counted(workers) as counts:
        plan = Plan(
            work=Work(listener, threads),
            clean_up=clean_up,
            workers=workers,
            drain_seconds=settings.DRAIN_SECONDS if unix_socket is None else max(SETTLING, settings.DRAIN_SECONDS),
            stop_seconds=STOP_SECONDS,
            memory=settings.WORKER_MEMORY,
            when_ready=unix_socket.show if unix_socket else do_nothing,
            when_told=unix_socket.withdraw if unix_socket else do_nothing,
            counts=counts,
        )
        parent = Parent(plan)
        parent.take_signals()
        signals.take_over()
        status = parent.run()
    if status:
        sys.exit(status)


@contextmanager
def counted(workers: int) -> Iterator[Counts]:
    """Have so many workers count what they do, and listen at the port for that; nothing where nobody may ask."""
    if not settings.METRICS:
        yield NoCounts()
        return
    from . import metrics

    with ExitStack() as stack:
        if settings.METRICS_PORT:
            metrics.port = stack.enter_context(bound(settings.METRICS_HOST, settings.METRICS_PORT, METRICS_PORT))
            metrics.port.listen(METRICS_BACKLOG)
        yield metrics.lanes.of(workers)


def do_nothing() -> None:
    """Have nothing to do when the server is ready, or about to stop: a port is there as long as the listener."""
