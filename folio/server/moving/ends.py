"""The two ends of a move: the database that is left, held so that nobody writes to it, and the one that is empty."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import DEFAULT_DB_ALIAS, Error, OperationalError, connections, transaction
from django.db.migrations.executor import MigrationExecutor

from folio.media.models import PendingFile
from folio.places import database_at, existing
from folio.transfer.telling import counted

from . import SOURCE, TARGET, Refused
from .tables import Model, tables

PATIENCE = 5  # seconds that whoever else has the database open, or holds a table, is waited for
MIGRATIONS = "django_migrations"
SEARCH = "portfolios_search_"  # what the tables of the index begin with; they are made anew
# What migrations fill: a new database has these already, with other ids.
MADE: tuple[Model, ...] = (ContentType, Permission, Group, Group.permissions.through)
ROLES = set(import_module("folio.portfolios.migrations.0004_ready_roles").ROLES)


def name_ends(url: str | None) -> None:
    """Have this process know both databases by their names; raise ImproperlyConfigured for a URL that is none."""
    configured = {SOURCE: {**connections.settings[DEFAULT_DB_ALIAS]}}
    source = configured[SOURCE]
    source["OPTIONS"] = {name: value for name, value in source["OPTIONS"].items() if name != "pool"}
    if url is not None:
        target = configured[TARGET] = database_at("--to", url)
        if {target["ENGINE"], source["ENGINE"]} == {"folio.sqlite"} and is_same_file(target["NAME"], source["NAME"]):
            raise Refused("--to names the database that is to be moved; name an empty one.")
        target.setdefault("OPTIONS", {})
        if target["ENGINE"] == "folio.sqlite":
            target["OPTIONS"] |= {**existing(target["NAME"]), "transaction_mode": "IMMEDIATE", "timeout": PATIENCE}
    for alias, given in connections.configure_settings({DEFAULT_DB_ALIAS: {}, **configured}).items():
        if alias != DEFAULT_DB_ALIAS:
            connections.settings[alias] = given


def is_same_file(name: Any, other: Any) -> bool:
    return Path(str(name)).resolve() == Path(str(other)).resolve()


def shown(alias: str) -> str:
    """Return which database that is, without its password."""
    found = connections[alias].settings_dict
    if connections[alias].vendor == "sqlite":
        return str(found["NAME"])
    return f"{found['NAME']} at {found['HOST'] or 'the local socket'}"


def why(error: Error, alias: str) -> str:
    return f"The database {shown(alias)} failed: {' '.join(str(error).split()).rstrip('.') or type(error).__name__}."


@contextmanager
def told(alias: str, after: str = "") -> Iterator[None]:
    """Raise Refused, in a sentence, for what goes wrong with a database; `after` says what is to be done then."""
    try:
        yield
    except Error as error:
        raise Refused(f"{why(error, alias)}{after and f' {after}'}") from error


# The database that is left


@contextmanager
def held() -> Iterator[None]:
    """Keep everyone from writing to the database that is left; raise Refused where a server runs."""
    connections[DEFAULT_DB_ALIAS].close()
    hold = held_file if connections[SOURCE].vendor == "sqlite" else held_tables
    with hold():
        refuse_unsettled()
        yield


@contextmanager
def held_file() -> Iterator[None]:
    """Have SQLite's file for this process alone.

    Whoever has it open holds a lock on it, be it a server that nobody asks anything; while we have it exclusively,
    nobody can open it, not even to read.
    """
    database: Any = connections[SOURCE]
    pragmas = "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA cache_size=-8192"
    database.settings_dict["OPTIONS"] |= {"init_command": pragmas, "timeout": PATIENCE}
    try:
        database.ensure_connection()
    except OperationalError as error:
        if not getattr(error.__cause__, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
            raise
        raise Refused(
            f"Another program has the database {shown(SOURCE)} open, such as a running server. Stop it first, and "
            "leave it stopped: what it writes from now on would not be moved. With --ahead, files can be copied "
            "while it runs."
        ) from error
    try:
        with transaction.atomic(using=SOURCE):
            yield
            transaction.set_rollback(True, using=SOURCE)  # nothing was written
    finally:
        database.close()


RUNNING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'folio%%'
"""


@contextmanager
def held_tables() -> Iterator[None]:
    """Read PostgreSQL's tables as they are at one moment, and let nobody write to them meanwhile."""
    database: Any = connections[SOURCE]
    with transaction.atomic(using=SOURCE), database.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        be_patient(cursor)
        lock(cursor, SOURCE, "SHARE", "Something writes to it. Stop all servers first, and leave them stopped.")
        cursor.execute(RUNNING)
        [(count,)] = cursor.fetchall()
        if count:
            raise Refused(
                f"Folio is connected to the database {shown(SOURCE)}, {count} times. Stop all servers first, and leave "
                "them stopped: what they write from now on would not be moved. With --ahead, files can be copied while "
                "they run."
            )
        yield
        transaction.set_rollback(True, using=SOURCE)


def refuse_unsettled() -> None:
    """Raise Refused where the database lacks migrations, or a file's fate is undecided."""
    executor = MigrationExecutor(connections[SOURCE])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise Refused(f"The database {shown(SOURCE)} lacks migrations of this version. Run `folio migrate` first.")
    if count := PendingFile.objects.using(SOURCE).count():
        raise Refused(
            f"{count} files are being written or removed by a process that lives. Stop all servers and commands first."
        )


# The database that is empty


def be_patient(cursor: Any) -> None:
    """Have PostgreSQL let the transaction take as long as it does, but wait for locks no longer than that."""
    names = ["statement_timeout", "idle_in_transaction_session_timeout"]
    if cursor.connection.info.server_version >= 17_00_00:
        names.append("transaction_timeout")
    cursor.execute("; ".join(f"SET LOCAL {name} = 0" for name in names))
    cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE}s'")


def lock(cursor: Any, alias: str, mode: str, otherwise: str) -> None:
    """Lock all tables of PostgreSQL until the transaction ends; raise Refused where someone else holds one."""
    quote = connections[alias].ops.quote_name
    names = ", ".join(quote(model._meta.db_table) for model in tables())
    try:
        cursor.execute(f"LOCK TABLE {names} IN {mode} MODE")
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != "55P03":
            raise
        raise Refused(f"The database {shown(alias)} can't be had alone. {otherwise}") from error


def counts_of_target() -> dict[Model, int]:
    """Return what rows lie in the target that a new database has not; raise Refused where tables are not ours.

    It may have none yet.
    """
    database: Any = connections[TARGET]
    path = Path(str(database.settings_dict["NAME"]))
    if database.vendor == "sqlite" and not path.exists():
        return {}
    there = set(database.introspection.table_names())
    known = {model._meta.db_table: model for model in tables()}
    foreign = sorted(name for name in there - set(known) if name != MIGRATIONS and not name.startswith(SEARCH))
    if foreign:
        raise Refused(
            f"The database {shown(TARGET)} is not empty: it has tables that are not Folio's, such as {foreign[0]}. "
            "Make a new database, and name that."
        )
    return contents(model for name, model in known.items() if name in there)


def contents(models: Iterable[Model], alias: str = TARGET) -> dict[Model, int]:
    """Return how many rows there are that no migration has made, where there are any."""
    found = {}
    for model in models:
        rows: Any = model._base_manager.using(alias)
        if model is Group:
            rows = rows.exclude(name__in=ROLES)
        elif model in MADE:
            continue
        if count := rows.count():
            found[model] = count
    return found


def not_empty(found: dict[Model, int], otherwise: str = "") -> Refused:
    names: dict[str, int] = {}
    for model, count in found.items():  # what is between others has the name of one of them, and comes later
        names.setdefault(str(model._meta.verbose_name_plural), count)
    return Refused(
        f"The database {shown(TARGET)} is not empty: it holds {counted(names)}. Nothing of it was changed. Make a new "
        f"database, and name that.{otherwise}"
    )


def run_there(url: str, *arguments: str) -> str:
    """Run another command of Folio on the target, as the new machine would, and return what it said to people."""
    done = subprocess.run(  # noqa: S603 our own program
        [sys.executable, "-m", "folio", *arguments],
        env={**os.environ, "DATABASE_URL": url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        raise Refused(f"`folio {arguments[0]}` failed on the database {shown(TARGET)}. {done.stderr.strip()}")
    return done.stderr.strip()
