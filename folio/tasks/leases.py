"""Leases: of all workers of all machines, one does a task, and where it dies, another may at once.

A lease is a lock that its holder's death frees; nothing is written for it. Beside SQLite, which has one machine, it is
a locked byte of a file. On PostgreSQL it is an advisory lock of a transaction, on a connection of its own on which
nothing else is done. Such a transaction takes no number, so nobody's snapshot ends; and a pooler that gives a
connection to the server for each transaction (pgbouncer's `transaction` mode) can't give that one to others.
"""

from typing import Any, Protocol

from django.db import connection, connections

from folio.claims import number_of, of_files
from folio.postgresql.apart import connect_apart, let_be
from folio.postgresql.pools import pools


class Leases(Protocol):
    """The leases of one thread, which holds one at a time."""

    def take(self, work: int | str) -> bool:
        """Try to get the lease of a task, or of a work that has a name; tell whether it was free."""

    def is_held(self) -> bool:
        """Tell whether the lease that was taken is still this thread's."""

    def free(self) -> None:
        """Give back what was taken."""

    def close(self) -> None:
        """Free the lease, and let go what the next one would need anew."""


class FileLeases:
    def __init__(self) -> None:
        self.number: int | None = None

    def take(self, work: int | str) -> bool:
        number = number_of(f"task:{work}")
        is_free = of_files().take(number)
        if is_free:
            self.number = number
        return is_free

    def is_held(self) -> bool:
        return self.number is not None

    def free(self) -> None:
        number, self.number = self.number, None
        if number is not None:
            of_files().free(number)

    def close(self) -> None:
        self.free()


class PostgreSQLLeases:
    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.connection: Any = None
        self.epoch = 0  # of the pools when it was made: whether it leads to what is the database now

    def take(self, work: int | str) -> bool:
        database: Any = connections[self.alias]
        with database.wrap_database_errors:
            if self.epoch != pools.epoch:
                self.close()
            if self.connection is None:
                self.epoch = pools.epoch
                self.connection = connect_apart(database, "lease")
            try:
                let_be(self.connection)
                [is_free] = self.connection.execute(
                    "SELECT pg_try_advisory_xact_lock(%s)", [number_of(f"task:{work}")]
                ).fetchone()
            except database.Database.Error:
                self.close()
                raise
        if not is_free:
            self.free()
        return bool(is_free)

    def is_held(self) -> bool:
        """The server frees the lock of a connection that broke."""
        database: Any = connections[self.alias]
        try:
            self.connection.execute("SELECT 1")
        except (AttributeError, database.Database.Error):
            return False
        return True

    def free(self) -> None:
        database: Any = connections[self.alias]
        try:
            if self.connection is not None:
                self.connection.rollback()
        except database.Database.Error:
            self.close()

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def leases() -> Leases:
    return PostgreSQLLeases(connection.alias) if connection.vendor == "postgresql" else FileLeases()
