"""The database's own version of its data: whether anything was committed since a moment ago.

What was computed after a look holds until a later look tells another snapshot: whoever wrote, through whatever path.
"""

import os
import sqlite3
from typing import Any, Protocol
from urllib.parse import quote

from django.db import DEFAULT_DB_ALIAS, connections

Version = tuple[int, Any]  # the connection's generation, and what the database says on it


class Watch(Protocol):
    """A connection of its own on which nothing but looks is run, one at a time and read to the end.

    A statement left open, or a second one between, would pin the version that it began with.
    """

    def look(self) -> Version | None:
        """Return the version of the committed data, or None where it can't be told."""


class SQLiteWatch:
    """`PRAGMA data_version` of a database file, which every commit of another connection changes.

    It counts from the same number on each connection, hence the generation: it changes with the connection, which is
    made anew when the path leads to another file.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.connection: sqlite3.Connection | None = None
        self.file: tuple[int, int] | None = None
        self.generation = 0

    def look(self) -> Version | None:
        try:
            # Before the connection is made: were the file exchanged between the two, the next look would find out.
            status = os.stat(self.path)
            if self.connection is None or self.file != (status.st_dev, status.st_ino):
                self.connect((status.st_dev, status.st_ino))
            assert self.connection is not None
            [(version,)] = self.connection.execute("PRAGMA data_version").fetchall()
        except (OSError, sqlite3.Error):
            self.close()
            return None
        return self.generation, version

    def connect(self, file: tuple[int, int]) -> None:
        self.close()
        self.generation += 1
        # A URI, for it alone can say that a file that is missing must not be made.
        self.connection = sqlite3.connect(
            f"file:{quote(os.fsencode(self.path))}?mode=rw",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=1,  # second
        )
        self.connection.execute("PRAGMA query_only = ON").close()
        self.file = file

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class PostgreSQLWatch:
    """`pg_current_snapshot()`, which every commit on the server changes; on a standby, the position of its replay."""

    QUERY = (
        b"SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()::text ELSE pg_current_snapshot()::text END"
    )

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.connection: Any = None
        self.generation = 0

    def look(self) -> Version | None:
        database: Any = connections[self.alias]
        try:
            if self.connection is None:
                self.generation += 1
                self.connection = database.get_new_connection(database.get_connection_params())
                self.connection.autocommit = True
            # libpq's own call: a cursor would take longer than the server.
            result = self.connection.pgconn.exec_(self.QUERY)
            if result.status != database.Database.pq.ExecStatus.TUPLES_OK:
                raise database.Database.OperationalError(result.get_error_message())
            version = result.get_value(0, 0)
        except database.Database.Error:
            self.close()
            return None
        return self.generation, version

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def watch_of(alias: str = DEFAULT_DB_ALIAS) -> Watch | None:
    """Return the watch for a database; a private one in memory has none."""
    database: Any = connections[alias]
    if database.vendor == "postgresql":
        return PostgreSQLWatch(alias)
    name = str(database.settings_dict["NAME"])
    return None if database.is_in_memory_db() else SQLiteWatch(name)
