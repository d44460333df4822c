"""The database's own version of its data: whether anything was committed since a moment ago.

What was computed after a look holds until a later look tells another snapshot: whoever wrote, through whatever path.
"""

import ctypes
import logging
import mmap
import os
import sqlite3
import sys
import threading
from contextlib import closing, suppress
from time import monotonic
from typing import Any, Protocol
from urllib.parse import quote

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import Error as PostgreSQLError
from psycopg import ProgrammingError

from folio.outages import ONCE_IN
from folio.postgresql.apart import connect_apart
from folio.postgresql.servers import IDENTITY, SERVER, NoAnswer, ask, ask_prepared

from .notes import ServerNote

logger = logging.getLogger(__name__)

Version = tuple[int, Any]  # the connection's generation, and what the database says on it
SECONDS_VARIABLE = "FOLIO_ADDRESS_SECONDS"  # for tests, which can't wait for long
HEADER = 48  # bytes, of which SQLite writes a copy first; so what is old here was read before a commit ended
LOG_VERSION = 3_007_000
# By device and file; what is mapped is never let go, so that no other file can have the same numbers.
shared_logs: dict[tuple[int, int], mmap.mmap] = {}
ADDRESS_SECONDS = float(os.environ.get(SECONDS_VARIABLE, 10))  # between two looks where PostgreSQL's address leads


class Watch(Protocol):
    """A connection of its own on which nothing but looks is run, one at a time and read to the end.

    A statement left open, or a second one between, would pin the version that it began with.
    """

    reason: str  # why it could not be told

    def look(self) -> Version | None:
        """Return the version of the committed data, or None where it can't be told."""


class SQLiteWatch:
    """`PRAGMA data_version` of a database file, which every commit of another connection changes.

    It counts from the same number on each connection, hence the generation: it changes with the connection, which is
    made anew when the path leads to another file. SQLite is not asked again while the header of its write-ahead log
    stays as it was before it was asked: SQLite itself goes by nothing else.
    """

    def __init__(self, path: str) -> None:
        self.path = os.fsencode(path)  # once
        self.connection: sqlite3.Connection | None = None
        self.cursor: sqlite3.Cursor | None = None
        self.file: tuple[int, int] | None = None
        self.generation = 0
        self.reason = ""
        self.log: mmap.mmap | None = None  # begins with the log's header
        self.header = b""  # as it was before SQLite was asked
        self.version: Version | None = None

    def look(self) -> Version | None:
        try:
            # Before the connection is made: were the file exchanged between the two, the next look would find out.
            status = os.stat(self.path)
            if self.cursor is None or self.file != (status.st_dev, status.st_ino):
                self.cursor = self.connect((status.st_dev, status.st_ino)).cursor()
            log = self.log
            if log is None:
                return self.ask(self.cursor)
            header = log[:HEADER]
            if header != self.header:
                self.ask(self.cursor)
                self.header = header
        except (OSError, sqlite3.Error) as error:
            self.reason = str(error)
            self.close()
            return None
        return self.version

    def ask(self, cursor: sqlite3.Cursor) -> Version:
        [(version,)] = cursor.execute("PRAGMA data_version")
        self.version = self.generation, version
        return self.version

    def connect(self, file: tuple[int, int]) -> sqlite3.Connection:
        self.close()
        self.generation += 1
        # A URI, for it alone can say that a file that is missing must not be made.
        self.connection = sqlite3.connect(
            f"file:{quote(self.path)}?mode=rw",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=1,  # second
        )
        self.connection.execute("PRAGMA query_only = ON").close()
        self.connection.execute("PRAGMA data_version").fetchall()  # from here on the log is shared with us, if any is
        [(mode,)] = self.connection.execute("PRAGMA journal_mode")
        # Nobody can leave that one while a connection is open; beside other modes such a file is left from before.
        self.log, self.header = shared_log(self.path) if mode == "wal" else None, b""
        self.file = file
        return self.connection

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = self.cursor = self.log = None


def mapped_for_good(name: bytes) -> mmap.mmap:
    """Map the beginning of a file, and never close it: a process that closes a file loses all its locks of it.

    These are SQLite's, of the same file. So not even the end of Python does, while threads may still be at a commit.
    """
    log = mmap.mmap(os.open(name, os.O_RDONLY | os.O_CLOEXEC), HEADER, prot=mmap.PROT_READ)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(log))
    return log


def shared_log(path: bytes) -> mmap.mmap | None:
    """Return the memory in which processes share where a database's write-ahead log ends, None where there is no such.

    A connection of this process has to be open that has read by the log: until it is closed, the file stays. Its form
    is told in SQLite's "WAL-mode File Format".
    """
    name = os.path.realpath(path) + b"-shm"
    with suppress(OSError, ValueError):
        status = os.stat(name)
        file = status.st_dev, status.st_ino
        if file not in shared_logs:
            shared_logs[file] = mapped_for_good(name)
        log = shared_logs[file]
        version, is_begun = int.from_bytes(log[:4], sys.byteorder), log[12]
        if version == LOG_VERSION and is_begun:
            return log
    return None


class PostgreSQLWatch:
    """`pg_current_snapshot()`, which every commit on the server changes; on a standby, the position of its replay.

    It means something on one server only, hence the generation: it changes with the connection, which is made anew
    where the address leads to another server. That is looked for from time to time, told by a thread whose new
    connection has found one, and by the note of whoever else has.
    """

    QUERY = (
        f"SELECT {SERVER}, CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()::text "
        "ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) || ' ' || pg_current_snapshot()::text END"  # the timeline
    ).encode()
    NAME = b"folio_look"

    def __init__(self, alias: str, note: ServerNote | None = None) -> None:
        self.alias = alias
        self.note = note
        self.connection: Any = None
        self.generation = 0
        self.server = ""  # that the connection leads to
        self.reason = ""
        self.may_prepare = not settings.PGBOUNCER
        self.is_prepared = self.is_doubted = False
        self.tell_at = 0.0
        self.check_at = 0.0
        self.checking: threading.Thread | None = None

    def look(self) -> Version | None:
        now = monotonic()
        try:
            if self.note is not None and self.note.has_changed() and self.note.server != self.server:
                self.is_doubted = True
            if self.connection is None or self.is_doubted:
                self.connect()
            elif now >= self.check_at:
                self.check(now)
            version = self.ask_again_if_broken()
        except (PostgreSQLError, OSError) as error:
            self.reason = str(error)
            self.close()
            return None
        return self.generation, version

    def ask_again_if_broken(self) -> bytes:
        """Return the version; where the connection was ended since the last look, by a new one.

        A server that was restarted has ended it long ago, and answers. What gave no answer in time is not asked twice.
        """
        try:
            return self.ask()
        except NoAnswer:
            raise
        except PostgreSQLError:
            if not self.server:  # it is a new one
                raise
            self.connect()
            return self.ask()

    def ask(self) -> bytes:
        result = self.looked()
        server = result.get_value(0, 0).decode()
        if server != self.server:  # a new connection's, or one that a pooler has given us instead
            if self.server:
                self.generation += 1
            self.tell(server)
        version: bytes = result.get_value(0, 1)
        return version

    def looked(self) -> Any:
        """Return what the query finds, prepared where the connection leads to one server for as long as it lasts.

        To read and plan it takes the server longer than to answer it.
        """
        try:
            if self.is_prepared:
                return ask_prepared(self.connection, self.NAME, settings.LOOK_SECONDS)
        except ProgrammingError:  # a pooler of which nobody told us gives one of several
            self.may_prepare = self.is_prepared = False
        return ask(self.connection, self.QUERY, settings.LOOK_SECONDS)

    def tell(self, server: str) -> None:
        """Note which server it is, before anything is read there or written, so that whoever is elsewhere looks."""
        self.server = server
        if self.note is not None and self.note.server != server:
            if self.note.server and monotonic() >= self.tell_at:  # two that see different ones would tell each time
                logger.warning("The database's address leads to another server than before, or to one started anew.")
                self.tell_at = monotonic() + ONCE_IN
            self.note.write(server)

    def connect(self) -> None:
        self.close()
        self.is_doubted = False  # from here on it may be doubted again
        self.generation += 1
        self.connection = new_connection(connections[self.alias])
        self.prepare()
        self.server = ""
        self.check_at = monotonic() + ADDRESS_SECONDS

    def prepare(self) -> None:
        self.is_prepared = False
        if self.may_prepare:
            with suppress(ProgrammingError):
                ask(self.connection, b"PREPARE %s AS %s" % (self.NAME, self.QUERY), settings.LOOK_SECONDS)
                self.is_prepared = True

    def doubt(self) -> None:
        """Have the next look connect anew: the address may lead to another server."""
        self.is_doubted = True

    def check(self, now: float) -> None:
        """Find out, beside the looks, where the address leads now."""
        self.check_at = now + ADDRESS_SECONDS
        if self.checking is None or not self.checking.is_alive():
            self.checking = threading.Thread(target=self.compare, args=(self.server,), name="address", daemon=True)
            self.checking.start()

    def compare(self, server: str) -> None:
        database: Any = connections[self.alias]
        # One that refuses while it answers is no other: the looks find out what becomes of it.
        with suppress(database.Database.Error, OSError), closing(new_connection(database)) as connection:
            if ask(connection, IDENTITY, settings.LOOK_SECONDS).get_value(0, 0).decode() != server:
                self.doubt()

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def new_connection(database: Any) -> Any:
    """Return a connection of its own, by no pool, on which statements are committed each."""
    return connect_apart(database, "look", connect_timeout=settings.LOOK_SECONDS, autocommit=True)


def watch_of(alias: str = DEFAULT_DB_ALIAS) -> Watch | None:
    """Return the watch for a database; a private one in memory has none."""
    database: Any = connections[alias]
    if database.vendor == "postgresql":
        return PostgreSQLWatch(alias, ServerNote(settings.SERVER_NOTE))
    name = str(database.settings_dict["NAME"])
    return None if database.is_in_memory_db() else SQLiteWatch(name)
