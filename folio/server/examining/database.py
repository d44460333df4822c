"""The database: whether it answers, how fast, and whether it is set up as Folio needs it."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from time import monotonic, perf_counter
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections

from folio.checks import database_is_not_newer
from folio.installation import database_path, shown_url, why_not
from folio.server.applied import needed, read

from . import postgresql
from .configuration import checked, of_database
from .findings import Finding, Findings, fault, ms, note, ok, size, warning

CONNECT_SECONDS = 5
LOOK_THROUGH_SECONDS = 20.0  # that SQLite may look through its file
SLOW = 0.02  # seconds of an answer; a page takes several
ASKED = 5  # times
STEPS = 10_000  # of SQLite's between two looks at the clock


def read_only() -> None:
    """Have this process's connections change nothing, and wait for none of them without an end."""
    options = settings.DATABASES[DEFAULT_DB_ALIAS].setdefault("OPTIONS", {})
    if connections[DEFAULT_DB_ALIAS].vendor == "sqlite":
        options["init_command"] = f"PRAGMA busy_timeout={CONNECT_SECONDS * 1000}; PRAGMA query_only=ON"
    else:
        options.setdefault("connect_timeout", CONNECT_SECONDS)


def look() -> Findings:
    database: Any = connections[DEFAULT_DB_ALIAS]
    try:
        yield from sqlite() if database.vendor == "sqlite" else postgresql.look(database, answers)
        yield from migrations()
    except (Error, sqlite3.Error, postgresql.DriverError) as error:
        yield fault(*away(error))
        return
    yield from checked(of_database, "the database")


def away(error: Exception) -> tuple[str, str]:
    if "django_migrations" in str(error):
        return "The database has no tables yet.", "Run `folio migrate`, or start `folio serve`."
    if isinstance(error, Error):
        return why_not(error), "Mend what it says, or name the right one in DATABASE_URL or FOLIO_DATA_DIR."
    place = database_path() or shown_url()
    return (
        f"The database {place} does not answer: {error}",
        "Start it, and see that DATABASE_URL names it. Until then servers answer what needs it with a 503.",
    )


def answers(what: str, ask: Callable[[], object]) -> Finding:
    """Return how long a question takes that asks for nothing.

    The quickest of several tells of the way, and not of what the machine did meanwhile. It is a note all the same: what
    comes and goes with the load must not change the exit status.
    """
    times = []
    for _ in range(ASKED):
        started = perf_counter()
        ask()
        times.append(perf_counter() - started)
    took = min(times)
    if took > SLOW:
        return note(
            f"{what} answers in {ms(took)}, and each read that is computed waits for it several times: have it nearer "
            "to Folio, or see what keeps it busy."
        )
    return ok(f"{what} answers in {ms(took)}.")


def migrations() -> Findings:
    applied, _ = read()
    if missing := needed() - applied:
        count = "1 migration" if len(missing) == 1 else f"{len(missing)} migrations"
        yield fault(f"The database lacks {count} of this version.", "Run `folio migrate`, or start `folio serve`.")
        return
    try:
        database_is_not_newer()
    except Exception as error:
        yield fault(str(error), "Install that version.")
    else:
        yield ok(f"It has all {len(needed())} migrations of this version, and none of a newer one.")


def sqlite() -> Findings:
    path = database_path()
    if path is None:
        yield ok("The database is SQLite's, in memory.")
        return
    if not path.is_file():
        yield fault(
            f"There is no installation here: {path} does not exist.",
            "Name yours by FOLIO_DATA_DIR or DATABASE_URL, or begin one by `folio migrate` or `folio serve`.",
        )
        raise sqlite3.OperationalError("unable to open database file")
    with closing(
        sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=CONNECT_SECONDS, isolation_level=None)
    ) as connection:
        connection.execute("PRAGMA query_only = ON")
        yield answers(f"SQLite {sqlite3.sqlite_version}", lambda: connection.execute("SELECT 1").fetchone())
        [encoding], [mode] = (connection.execute(f"PRAGMA {name}").fetchone() for name in ("encoding", "journal_mode"))
        if encoding == "UTF-8":
            yield ok("Its texts are UTF-8.")
        else:
            yield fault(f"Its texts are {encoding}.", "Make a new database by `folio move`; Folio's are UTF-8.")
        if mode == "wal":
            yield ok("Its journal is WAL: who reads and who writes don't wait for each other.")
        else:
            yield warning(
                f"Its journal is {mode}, not WAL: readers and writers wait for each other.",
                "Start `folio serve`, which sets it. Where that does not last, the disk is one of a network: "
                "put the data folder on a local one.",
            )
        yield whole(connection, path.stat().st_size)


def whole(connection: sqlite3.Connection, count: int) -> Finding:
    """Return whether SQLite finds its file whole, as far as it comes within the time."""
    end = monotonic() + LOOK_THROUGH_SECONDS
    connection.set_progress_handler(lambda: monotonic() > end, STEPS)
    try:
        faults = [row[0] for row in connection.execute("PRAGMA quick_check(3)")]
    except sqlite3.OperationalError as error:
        if "interrupted" not in str(error):
            raise
        return ok(f"No fault was found in {LOOK_THROUGH_SECONDS:g} seconds; its file of {size(count)} takes longer.")
    finally:
        connection.set_progress_handler(None, 0)
    if faults == ["ok"]:
        return ok(f"Its file of {size(count)} is whole, as quick_check says.")
    return fault(
        f"Its file is damaged: {'; '.join(faults)}",
        "Stop the server, keep a copy of the file, and restore a backup, or see what `sqlite3 FILE .recover` saves.",
    )
