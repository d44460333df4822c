"""Whether the database answers: found out by one thread, known to all, and told once.

Where it doesn't, each request would wait its own time-out and log its own line. So whoever finds that it fails begins
an outage: for a second nobody tries, and whoever asks for the database is refused at once; then one look tries again.
The log tells when it began and why, and when it ended. It says nothing of the requests between.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Semaphore
from typing import Any

from django.db import DEFAULT_DB_ALIAS, InterfaceError, InternalError, OperationalError

logger = logging.getLogger(__name__)

AWAY = (OperationalError, InterfaceError)  # a database that is locked, not there, or gone in the middle
READ_ONLY = "25006"  # what PostgreSQL says to a write where it is a standby, or was told to take none
PAUSE = 1.0  # seconds after a failure, in which nobody tries
UNLOOKED = 30.0  # seconds without a look, after which others may try
ONCE_IN = 60.0  # seconds in which one line is told of failures of one kind
THREADS_VARIABLE = "FOLIO_WORKER_THREADS"  # set by `folio serve` for its workers
THREADS = 64  # of a worker that was told nothing
IMPATIENCE = 1.0  # seconds that a thread waits for a place among those that wait


class OutcomeUnknown(OperationalError):
    """The connection was lost while a transaction was committed: it may have been, or not."""


class StorageAway(Exception):
    """Where the files lie does not answer, or refuses: it may be otherwise at the next attempt. It says why in a line.

    `kind` is what such failures have in common that have one cause.
    """

    def __init__(self, reason: str, kind: str = "") -> None:
        super().__init__(reason)
        self.kind = kind


def is_away(error: BaseException | None) -> bool:
    """Tell whether an error says that the database doesn't answer, or takes no writes: it may at the next attempt."""
    return isinstance(error, AWAY) or is_read_only(error)


def is_read_only(error: BaseException | None) -> bool:
    return isinstance(error, InternalError) and getattr(error.__cause__, "sqlstate", None) == READ_ONLY


class Outage:
    """Whether a database answers, as far as this process knows."""

    begins = "The database does not answer; what needs it gets a 503 until it does. %s"
    ends = "The database answers again, after %.1f seconds. It had not: %s"

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.lock = Lock()
        self.since: float | None = None
        self.until = 0.0  # that nobody tries
        self.reason = ""
        self.first_steps: list[Callable[[], object]] = []  # what is done when it begins

    @property
    def is_known(self) -> bool:
        """Whether the database failed just now, so that nobody need try."""
        return self.since is not None and self.clock() < self.until

    @property
    def is_on(self) -> bool:
        """Whether the database failed at the last look, so that looks alone may try, one at a time."""
        return self.since is not None and self.clock() < self.until + UNLOOKED

    def failed(self, reason: str) -> None:
        """Note that the database did not answer; the first time, say so."""
        with self.lock:
            now = self.clock()
            self.until = now + PAUSE
            is_first = self.since is None
            if is_first:
                self.since, self.reason = now, " ".join(reason.split()) or "it says nothing."
        if is_first:
            logger.error(self.begins, self.reason)
            for step in self.first_steps:
                step()

    def answered(self) -> None:
        """Note that the database answered, and say so where it had not."""
        if self.since is None:
            return
        with self.lock:
            if self.since is None:
                return
            seconds, self.since = self.clock() - self.since, None
        logger.warning(self.ends, seconds, self.reason)

    def refuse(self) -> None:
        """Raise OperationalError to whoever asks for the database without having looked."""
        if self.is_on:
            raise OperationalError(f"The database does not answer: {self.reason}")


outage = Outage()  # of this process's default database


class RefusingWrapper:
    """A part of Django's backends: while the database is known not to answer, nobody waits to find out."""

    alias: str
    connection: Any

    def ensure_connection(self) -> None:
        # One that is there may be looked at: Django does so before and after each request, where nothing may fail.
        if self.connection is None:
            self.refuse()
        super().ensure_connection()  # type: ignore[misc]

    def _cursor(self, name: Any = None) -> Any:
        self.refuse()
        return super()._cursor(name)  # type: ignore[misc]

    def refuse(self) -> None:
        if self.alias == DEFAULT_DB_ALIAS:
            outage.refuse()


def threads() -> int:
    """Return how many threads this process answers with, as far as it was told."""
    return int(os.environ.get(THREADS_VARIABLE) or THREADS)


class Crowd:
    """A bound for the threads that wait for one thing, so that others are left for what need not wait for it."""

    def __init__(self) -> None:
        self.places: Semaphore | None = None  # all, in a process that doesn't serve

    def bound(self, most: int) -> None:
        self.places = Semaphore(max(1, most))

    @contextmanager
    def place(self, error: type[Exception] = OperationalError) -> Iterator[None]:
        """Wait among the others; raise an error where too many do for as long as that."""
        places = self.places
        if places is None:
            yield
            return
        if not places.acquire(timeout=IMPATIENCE):
            raise error("Too many requests wait for the database.")
        try:
            yield
        finally:
            places.release()


crowd = Crowd()  # of those that wait for an answer of the default database, or for a turn to write


class Incidents(logging.Filter):
    """Shows one line a minute of failures of one kind, of the database or the files' storage.

    Of the database's it shows none that an outage has told of already.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, outage: Outage = outage) -> None:
        super().__init__()
        self.clock = clock
        self.outage = outage
        self.lock = Lock()
        self.told: dict[tuple[Any, ...], tuple[float, int]] = {}  # by kind: when it was told, how many were not since

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not (is_away(error) or isinstance(error, StorageAway)):
            return True
        if self.outage.since is not None and is_away(error):
            return False
        kind, now = (record.name, *kind_of(error)), self.clock()
        with self.lock:
            at, left_out = self.told.get(kind, (now - ONCE_IN, 0))
            is_shown = now - at >= ONCE_IN
            self.told[kind] = (now, 0) if is_shown else (at, left_out + 1)
        if is_shown and left_out:
            record.left_out = left_out
        return is_shown


def kind_of(error: BaseException | None) -> tuple[Any, ...]:
    """Return what failures have in common that are of one kind."""
    if isinstance(error, StorageAway):
        return type(error), error.kind
    cause = getattr(error, "__cause__", None)
    return type(error), getattr(cause, "sqlstate", None), getattr(cause, "sqlite_errorname", None)
