"""What is asked of PostgreSQL, on a connection of its own that commits nothing."""

from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg
from django.conf import settings

from folio.postgresql.apart import connect_apart

from .findings import Finding, Findings, fault, note, ok, size, warning

DriverError = psycopg.Error
OLDEST = 15  # release that Folio is tested with
APART = 4  # connections that a worker may have beside its pool
GUIDE = "docs/guides/running.md#connections-to-postgresql-and-pgbouncer"
FACTS = """
    SELECT current_setting('server_version'), current_setting('server_version_num')::int / 10000,
        current_setting('server_encoding'), d.datcollate, d.datcollversion,
        pg_database_collation_actual_version(d.oid), pg_is_in_recovery(),
        current_setting('default_transaction_read_only'), pg_database_size(d.oid)
    FROM pg_database d WHERE datname = current_database()
"""
SETTINGS = ("fsync", "full_page_writes", "synchronous_commit")
BOUNDS = {"statement_timeout": "STATEMENT_SECONDS", "lock_timeout": "LOCK_SECONDS"}


def look(database: Any, answers: Callable[[str, Callable[[], object]], Finding]) -> Findings:
    with closing(connect_apart(database, "doctor", autocommit=True)) as connection:
        [row] = connection.execute(FACTS).fetchall()
        version, release, encoding, collation, collated, actual, is_standby, read_only, count = row
        yield answers(f"PostgreSQL {version}", lambda: connection.execute("SELECT 1").fetchone())
        if release < OLDEST:
            yield warning(f"Folio is not tested with PostgreSQL {release}.", f"Move to PostgreSQL {OLDEST} or newer.")
        if encoding == "UTF8":
            yield ok(f"Its texts are UTF8, sorted by {collation}; it takes {size(count)}.")
        else:
            yield fault(
                f"Its texts are {encoding}: many can't be stored.",
                "Make a database by CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and `folio move` into it.",
            )
        if collated != actual:
            yield warning(
                f"Its indexes were sorted by version {collated} of the system's collation, which is {actual} now: "
                "rows may not be found.",
                "Run REINDEX DATABASE and ALTER DATABASE … REFRESH COLLATION VERSION.",
            )
        if is_standby or read_only == "on":
            what = "is a standby" if is_standby else "has default_transaction_read_only on"
            yield fault(f"It {what}, and takes no writes.", "Have DATABASE_URL lead to the primary.")
        else:
            yield ok("It takes writes.")
        yield from safe(connection)
        yield from bounded(connection)
        yield room(connection, database)


def safe(connection: Any) -> Findings:
    """Tell what may lose a write that was answered."""
    off = [name for name in SETTINGS if connection.execute(f"SHOW {name}").fetchone() == ("off",)]
    for name in off:
        yield warning(
            f"{name} is off: where the machine loses its power, answered writes are lost"
            + (", or the whole database." if name != "synchronous_commit" else "."),
            f"ALTER SYSTEM SET {name} = on, and reload it.",
        )
    if not off:
        yield ok("What is committed is on its disk: fsync, full_page_writes and synchronous_commit are on.")


def bounded(connection: Any) -> Findings:
    if not settings.PGBOUNCER:
        yield ok(
            f"A statement may take {settings.STATEMENT_SECONDS} s, a lock be waited for {settings.LOCK_SECONDS} s: "
            "each worker says so."
        )
        return
    for name, setting in BOUNDS.items():
        if connection.execute(f"SHOW {name}").fetchone() == ("0",):
            yield warning(
                f"{name} is not set for the role, and through pgbouncer no worker sets it: what hangs waits without "
                "an end.",
                f"ALTER ROLE {connection.info.user} SET {name} = '{getattr(settings, setting)}s'.",
            )
        else:
            yield ok(f"The role has a {name}.")


def room(connection: Any, database: Any) -> Finding:
    """Return whether the workers that run, or one where none does, can have the connections that they may need."""
    if settings.PGBOUNCER:
        return note(f"FOLIO_PGBOUNCER is on, so connections are pgbouncer's to give; see {GUIDE}.")
    name = f"{database.get_connection_params().get('application_name', 'folio')} look"
    [most, kept, workers, others] = connection.execute(
        """
        SELECT current_setting('max_connections')::int, current_setting('superuser_reserved_connections')::int,
            count(*) FILTER (WHERE application_name = %s AND datname = current_database()),
            count(*) FILTER (WHERE datname IS DISTINCT FROM current_database())
        FROM pg_stat_activity WHERE backend_type = 'client backend'
        """,
        [name],
    ).fetchone()
    each = settings.DATABASE_CONNECTIONS + APART
    needed = max(1, workers) * each + 2  # what tells of servers that differ, and a command
    told = f"{workers} workers are" if workers > 1 else "1 worker is" if workers else "No worker is"
    told += f" connected; {max(1, workers)} may need {needed} connections"
    if needed + others > most - kept:
        return warning(
            f"{told}, and PostgreSQL has {most - kept}, of which other databases have {others}.",
            f"Raise max_connections, lower FOLIO_DATABASE_CONNECTIONS, or use pgbouncer: {GUIDE}.",
        )
    return ok(f"{told}, and PostgreSQL has {most - kept}.")
