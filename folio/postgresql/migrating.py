"""The lock under which one of all servers migrates: of a transaction, on a connection on which nothing else is done.

It is tried again and again instead of waited for: whoever waits for a lock has a snapshot meanwhile, and an index that
is made concurrently waits for all of those. The holder's own transaction has none. A lock of a session would stay with
a server connection of pgbouncer's, and with it whoever gets that one next.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import connections

from folio.turns import PATIENCE, wait_for_turn

from .apart import connect_apart, let_be

LOCK = 0x666F6C696F  # any number of ours
HOLDER = """
    SELECT a.xact_start, a.client_addr FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.classid = %s AND l.objid = %s
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@contextmanager
def alone(alias: str, say: Callable[[str], object], patience: float = PATIENCE) -> Iterator[None]:
    """Keep all others who do so from migrating meanwhile; raise CommandError where another one takes too long."""
    database: Any = connections[alias]
    with database.wrap_database_errors:
        connection = connect_apart(database, "migrate")
    try:
        with database.wrap_database_errors:
            wait_for_turn(lambda: attempt(connection), say, patience)
        yield
    finally:
        connection.close()  # its transaction, and the lock, end with it


def attempt(connection: Any) -> str | None:
    """Take the lock in a transaction that stays open, and return None; or return what can be told of who has it."""
    let_be(connection)
    [is_mine] = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK]).fetchone()
    if is_mine:
        return None
    who = holder(connection)
    connection.rollback()  # behind pgbouncer others need the server's connection meanwhile
    return who


def holder(connection: Any) -> str:
    """Return in words who has the lock and since when, as far as it can be told."""
    found = connection.execute(HOLDER, [LOCK >> 32, LOCK & 0xFFFFFFFF]).fetchone()
    if found is None:
        return ""
    since, address = found
    told = f" from {address}" if address else ""
    return f"{told} since {since:%Y-%m-%d %H:%M:%S %Z}" if isinstance(since, datetime) else told
