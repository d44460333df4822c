"""How long who serves requests waits for PostgreSQL; commands and migrations may take as long as they need.

A server that is slow ends a statement by itself. One that hangs, or a network that swallows what is sent, doesn't: so
whoever waits has an end of their own, after which the connection is given up.
"""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from time import monotonic
from types import ModuleType
from typing import Any

import psycopg
from django.conf import settings

from folio.outages import crowd, outage, threads

SPARE = 2  # seconds after which an answer that the server itself should have given won't come any more
is_serving = False


def serve() -> None:
    """Have this process's waits be bound from now on: it serves requests."""
    global is_serving
    is_serving = True
    crowd.bound(threads() // 2)
    if give_up not in outage.first_steps:
        outage.first_steps.append(give_up)


def parameters() -> dict[str, Any]:
    """Return the parameters of a connection that bound its waits: none where no request waits."""
    if not is_serving:
        return {}
    given: dict[str, Any] = {
        "connect_timeout": settings.CONNECT_SECONDS,
        "keepalives": 1,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 1000 * (settings.STATEMENT_SECONDS + SPARE),
    }
    if not settings.PGBOUNCER:  # which refuses options: there they are the role's
        seconds = {"lock_timeout": settings.LOCK_SECONDS, "statement_timeout": settings.STATEMENT_SECONDS}
        bounds = [f"-c {name}={1000 * bound}" for name, bound in seconds.items()]
        # To compile a statement takes longer than it saves in any that a request waits for.
        given["options"] = " ".join([*bounds, "-c jit=off"])
    return given


def bounded(given: dict[str, Any]) -> dict[str, Any]:
    """Return a connection's parameters with those that bound its waits; where both name one, the given holds."""
    ours = parameters()
    both = {**ours, **given}
    if ours and given.get("options"):
        both["options"] = f"{ours['options']} {given['options']}"  # the latter of two is the server's
    return both


waiting: set["Connection"] = set()
lock = Lock()


class Connection(psycopg.Connection[Any]):
    """A connection on which nobody waits for ever, in a process that serves."""

    is_ending = False  # a transaction, which no crowd is in the way of

    def wait(self, gen: Any, *arguments: Any, **named: Any) -> Any:
        if not is_serving or named.get("timeout") is not None:
            return super().wait(gen, *arguments, **named)
        if self.is_ending:
            return self.wait_bounded(gen, *arguments, **named)
        with crowd.place(psycopg.OperationalError):
            return self.wait_bounded(gen, *arguments, **named)

    def wait_bounded(self, gen: Any, *arguments: Any, **named: Any) -> Any:
        seconds = settings.STATEMENT_SECONDS + SPARE
        end = monotonic() + seconds
        with lock:
            waiting.add(self)
        try:
            return super().wait(gen, *arguments, **{**named, "timeout": seconds})
        except psycopg.OperationalError:
            if monotonic() < end or self.closed:
                raise
        finally:
            with lock:
                waiting.discard(self)
        self.pgconn.finish()
        raise psycopg.OperationalError(f"There was no answer within {seconds} seconds; the connection was given up.")

    def commit(self) -> None:
        self.end(super().commit)

    def rollback(self) -> None:
        self.end(super().rollback)

    def set_autocommit(self, value: bool) -> None:
        self.end(lambda: super(Connection, self).set_autocommit(value))  # after a commit, and asks the server nothing

    def end(self, way: Callable[[], None]) -> None:
        self.is_ending = True
        try:
            way()
        finally:
            self.is_ending = False


def give_up() -> None:
    """End all waits for a server that was found not to answer: those who wait are told so now, not each in its time.

    Only the socket is shut, on which the thread that waits wakes up; what belongs to the connection is its own.
    """
    with lock:  # none of them stops waiting meanwhile, and closes what has a number that may be another's then
        for connection in waiting:
            with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.pgconn.socket)) as handle:
                handle.shutdown(socket.SHUT_RDWR)


driver: Any = ModuleType("folio.postgresql.driver")  # psycopg as Django takes it, but for the connections that it makes
driver.__dict__.update(vars(psycopg), connect=Connection.connect)
