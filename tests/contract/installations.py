"""New installations, which tell what they answered from their caches, and what is left open in them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

from folio.server.peers import SECONDS_VARIABLE as PEERS_VARIABLE
from folio.tasks.runner import SECONDS_VARIABLE
from tests.live import Server, running_server
from tests.postgresql import Server as PostgreSQL
from tests.writers import Database, Writers

numbers = count(1)


@contextmanager
def served(folder: Path, postgresql: PostgreSQL | None, *flags: str, **variables: str) -> Iterator[Server]:
    """Serve a new installation, which tells what it answered from its caches."""
    with running_server(folder, *flags, FOLIO_SERVER_TIMING="true", **variables) as server:
        yield server


@contextmanager
def at_rest(server: Server, is_written: bool = False) -> Iterator[None]:
    """Check that no connection is left within a transaction, and nothing was written unless that was the purpose."""
    database = Database(server)
    if database.url:
        state = "SELECT count(*) FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid()"
        version = "SELECT pg_current_snapshot()::text"
        with database.connection() as execute:
            before = execute(version)
            yield
            assert execute(version) == before or is_written
            assert execute(state) == [(0,)]
    else:
        with closing(sqlite3.connect(database.file, isolation_level=None)) as connection:
            before = connection.execute("PRAGMA data_version").fetchall()
            yield
            assert connection.execute("PRAGMA data_version").fetchall() == before or is_written
            # A reader that has not ended keeps the log from being begun anew.
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            assert busy == 0


@contextmanager
def writers_at_rest(folder: Path, postgresql: PostgreSQL | None) -> Iterator[Writers]:
    """Serve by two workers that do no tasks meanwhile: what they commit would end what lies in memory, too."""
    variables = {"FOLIO_PUBLIC_READ": "on", SECONDS_VARIABLE: "3600", PEERS_VARIABLE: "3600"}
    with served(folder, postgresql, "--workers", "2", **variables) as server, Writers.of(server) as writers:
        yield writers
