"""Whether the database answers, and has the tables that this version of Folio was made for."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections

from folio.postgresql.servers import ask

from .scheduled.standing import POSTGRESQL, SQLITE, word_of

APPLIED = "SELECT app, name FROM django_migrations"
SECONDS = 1  # for which the database is waited for, after another one or two for a connection
PARTS = ("database", "migrations", "backup")
Migration = tuple[str, str]  # of an app, by its label, and the migration's name
TABLES: Migration = ("server", "0001_backups")  # which makes those of backups


def state_of_database() -> dict[str, str]:
    """Return a word for whether the database answers, one for its migrations, and one for backups; none tells why not.

    `newer` is a database that has migrations that we don't know: while a new version replaces this one, server by
    server, it has migrated already, by steps that the old version can live with. Were that a reason to send no more
    requests, all old servers would go at once. Whether an old version may *begin* on a newer database, its start
    decides.
    """
    try:
        applied, backup = read()
    except Exception:  # whatever the driver raises
        return dict.fromkeys(PARTS, "no answer")
    return {"database": "ok", "migrations": word_of_migrations(applied), "backup": backup}


def word_of_migrations(applied: set[Migration]) -> str:
    if needed() - applied:
        return "missing"
    labels = {app for app, _ in needed()}
    return "newer" if any(app in labels for app, _ in applied - needed()) else "ok"


def read() -> tuple[set[Migration], str]:
    """Return the migrations that the database has, and how it stands with backups.

    They are read on a connection of its own that commits nothing.

    Those of requests may all be at work, which is no reason to send requests elsewhere; and a commit would empty every
    worker's memory.
    """
    database: Any = connections[DEFAULT_DB_ALIAS]  # this thread's, of which only the settings are used
    if database.vendor == "sqlite":
        name = str(database.settings_dict["NAME"])
        path = name if name.startswith("file:") else f"file:{quote(name)}?mode=rw"
        with closing(sqlite3.connect(path, uri=True, timeout=SECONDS, isolation_level=None)) as connection:
            connection.execute("PRAGMA query_only = ON").close()
            applied = set(connection.execute(APPLIED).fetchall())
            return applied, told(applied, lambda: connection.execute(SQLITE).fetchone())
    # psycopg's own connection: ours wait among all those that ask the database, and are refused in an outage.
    parameters = {**database.get_connection_params(), "connect_timeout": SECONDS, "autocommit": True}
    with closing(psycopg.connect(**parameters)) as asked:

        def rows(query: str) -> list[tuple[Any, ...]]:
            result = ask(asked, query.encode(), SECONDS)
            return [
                tuple(value and value.decode() for value in map(partial(result.get_value, row), range(result.nfields)))
                for row in range(result.ntuples)
            ]

        found = {(app, name) for app, name in rows(APPLIED)}
        return found, told(found, lambda: next(iter(rows(POSTGRESQL)), None))


def told(applied: set[Migration], row: Callable[[], Any]) -> str:
    """Return how it stands with backups, of which a database of before there were any knows nothing."""
    return word_of(row(), time.time()) if TABLES in applied else "none"


@cache
def needed() -> set[Migration]:
    """Return the migrations that come with this version, by their files' names: to load them takes megabytes."""
    found: set[Migration] = set()
    for app in apps.get_app_configs():
        spec = find_spec(f"{app.name}.migrations") if app.module and hasattr(app.module, "__path__") else None
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            names = (path.stem for path in Path(folder).glob("*.py") if path.stem[0] not in "_~")
            found.update((app.label, name) for name in names)
    return found
