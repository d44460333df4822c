"""Claims on PostgreSQL: advisory locks of one connection of the process, which stay within one transaction.

Locks of a transaction would all be freed together; those of a session are freed one by one. While any is held, the
transaction is open: so a pooler that gives connections for a transaction each (pgbouncer) leaves this one to us, and
takes it down where we die. When the last one is freed the transaction ends, and with it what a lost answer left behind.
"""

from contextlib import suppress
from threading import Lock, get_ident
from typing import Any

from django.db import connections

from .apart import connect_apart, let_be
from .pools import pools


class PostgreSQLClaims:
    """Claims of all who use the database; each lasts as long as the process's connection at the most."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.turn = Lock()
        self.held: dict[int, int] = {}  # by which thread; the server would give a lock twice to one session
        self.connection: Any = None
        self.epoch = 0  # of the pools when it was made: whether it leads to what is the database now

    def take(self, number: int) -> bool:
        database: Any = connections[self.alias]
        with self.turn, database.wrap_database_errors:
            if number in self.held:
                return False
            try:
                is_free = self.try_to(number, database)
            except database.Database.Error:  # the connection broke, and all claims with it
                self.lose()
                is_free = self.try_to(number, database)
            if is_free:
                self.held[number] = get_ident()
            elif not self.held:
                self.end()
            return is_free

    def free(self, number: int) -> None:
        """Free a claim of this thread; one whose connection was lost is free already, and may be another's."""
        database: Any = connections[self.alias]
        with self.turn:
            if self.held.get(number) != get_ident():
                return
            del self.held[number]
            try:
                self.ask("SELECT pg_advisory_unlock(%s)", number)
                if not self.held:
                    self.end()
            except database.Database.Error:
                self.lose()

    def try_to(self, number: int, database: Any) -> bool:
        if not self.held:
            self.begin(database)
        return self.ask("SELECT pg_try_advisory_lock(%s)", number)

    def begin(self, database: Any) -> None:
        """Begin a transaction, on a new connection where the last one broke or may lead elsewhere."""
        if self.epoch != pools.epoch:
            self.lose()
        if self.connection is not None:
            try:
                let_be(self.connection)
            except database.Database.Error:
                self.lose()
        if self.connection is None:
            self.epoch = pools.epoch
            self.connection = connect_apart(database, "claims")
            let_be(self.connection)

    def end(self) -> None:
        """End the transaction; only a process that serves will soon need the connection again."""
        self.connection.rollback()
        if pools.most is None:
            self.lose()

    def ask(self, query: str, number: int) -> bool:
        [answer] = self.connection.execute(query, [number]).fetchone()
        return bool(answer)

    def lose(self) -> None:
        """Close the connection, and with it free all claims."""
        self.held.clear()
        connection, self.connection = self.connection, None
        if connection is not None:
            with suppress(Exception):
                connection.close()
