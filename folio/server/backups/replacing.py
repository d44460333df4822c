"""The database replaced as a whole: SQLite's file by a rename, PostgreSQL's tables by one transaction."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any
from urllib.parse import quote

import psycopg
from django.apps import apps
from django.db import connection, transaction
from psycopg import sql

from folio.installation import database_path, make_file
from folio.portfolios.searching.postgresql import BY_PARTS
from folio.portfolios.searching.stores import store
from folio.server.moving.ends import MIGRATIONS, RUNNING, SEARCH
from folio.server.refusing import Refused

from .databases import connect_itself, is_counted, program
from .sources import Source
from .stores import sync_folder
from .verifying import check_dump

PATIENCE = 5  # seconds that whoever else has the database open, or holds a table, is waited for
STAGED = ".restoring"  # behind the name of SQLite's file: the new one, until it has the name
BESIDE = ("-wal", "-shm", "-journal")  # what SQLite puts beside its file
COPY = re.compile(rb"COPY .* FROM stdin;\n")
SETTING = re.compile(rb"SET (\w+) = ")
SERVED = (
    "{what}. Stop all servers first, and leave them stopped until the restore is done: what they write would be lost."
)


def run_folio(url: str, *arguments: str) -> None:
    """Run another command of Folio on a database, in a process of its own; raise Refused where it fails."""
    done = subprocess.run(  # noqa: S603 our own program
        [sys.executable, "-m", "folio", *arguments],
        env={**os.environ, **({"DATABASE_URL": url} if url else {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        raise Refused(f"`folio {arguments[0]}` failed on the restored database: {done.stderr.strip()}")


# SQLite


@contextmanager
def held_file() -> Iterator[sqlite3.Connection | None]:
    """Have SQLite's file for this process alone, where there is one; raise Refused where somebody has it open."""
    path = database_path()
    if path is None or not path.exists() or not path.stat().st_size:
        yield None
        return
    uri = f"file:{quote(os.fsencode(path))}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None)) as own:
        try:
            own.execute("PRAGMA locking_mode=EXCLUSIVE").fetchall()
            own.execute("PRAGMA journal_mode=WAL").fetchall()
            own.execute("BEGIN EXCLUSIVE")
            own.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
                what = f"Another program has the database {path} open, such as a running server"
                raise Refused(SERVED.format(what=what)) from error
            raise Refused(f"The database {path} can't be had: {error}.") from error
        except sqlite3.DatabaseError:  # it is none, or damaged: the more reason to restore
            yield None
            return
        yield own


def staged_path() -> Path:
    path = database_path()
    assert path is not None
    return path.with_name(path.name + STAGED)


def remove_staged() -> None:
    for ending in ("", *BESIDE):
        staged_path().with_name(staged_path().name + ending).unlink(missing_ok=True)


def stage(unpacked: Path) -> None:
    """Put the restored database beside the one that is there, and bring it up to this version."""
    path = staged_path()
    remove_staged()
    make_file(path)
    with unpacked.open("rb") as source, path.open("r+b") as target:
        while piece := source.read(1024 * 1024):
            target.write(piece)
    run_folio(f"sqlite:///{quote(str(path))}", "migrate", "--verbosity", "0")
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=DELETE").fetchall()  # so that it is one file
    with path.open("rb") as file:
        os.fsync(file.fileno())


def swap(own: sqlite3.Connection | None) -> None:
    """Give the staged database the name: from one moment to the next it is the new one.

    The log of the old one would be taken for the new one's, so it goes first.
    """
    path = database_path()
    assert path is not None
    if own is not None:
        own.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        own.execute("PRAGMA journal_mode=DELETE").fetchall()
    elif path.exists() and path.stat().st_size:
        with held_file() as late:
            if late is not None:
                raise Refused(f"The database {path} has come meanwhile. Stop what has made it, and begin again.")
    for ending in BESIDE:
        path.with_name(path.name + ending).unlink(missing_ok=True)
    staged_path().replace(path)
    sync_folder(path.parent)


# PostgreSQL


def refuse_served(own: psycopg.Connection[Any]) -> None:
    [count] = own.execute(RUNNING.replace("%%", "%").encode()).fetchone() or (0,)
    if count:
        where = connection.settings_dict["NAME"]
        raise Refused(SERVED.format(what=f"Folio is connected to the database {where}, {count} times"))


def refuse_running_on_postgresql() -> None:
    program("pg_restore")
    try:
        with closing(connect_itself()) as own:
            refuse_served(own)
    except psycopg.Error as error:
        raise Refused(f"The database could not be asked: {' '.join(str(error).split())}.") from error


def replace_tables(source: Source, path: Path) -> None:
    """Put the tables of a dump in the place of those that are there, in one transaction; raise Refused else."""
    entries = path.with_name("entries")
    entries.write_text("\n".join(filter(is_restored, check_dump(source, path))) + "\n")
    try:
        with closing(connect_itself()) as own, own.transaction():
            own.execute(f"SET LOCAL lock_timeout = '{PATIENCE}s'; SET LOCAL statement_timeout = 0")
            schema = have_alone(own)
            run_script(own, path, entries)
            own.execute(sql.SQL("SET LOCAL search_path = {}").format(sql.Identifier(schema)))
            for table, rows in source.manifest.database.rows.items():
                [count] = own.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone() or (
                    0,
                )
                if count != rows:
                    raise source.damaged(f"{count} rows came into {table}, and its manifest says {rows}")
    except psycopg.errors.LockNotAvailable:
        raise Refused(SERVED.format(what="Something uses the database's tables")) from None
    except psycopg.Error as error:
        raise Refused(f"The database was not changed, for it failed: {' '.join(str(error).split())}.") from error


def is_restored(entry: str) -> bool:
    """Tell whether an entry of a dump is restored: extensions are made by whoever may, and what needs them after."""
    return not any(part in entry for part in (" EXTENSION ", " SCHEMA - ", f" {BY_PARTS} "))


def have_alone(own: psycopg.Connection[Any]) -> str:
    """Remove the tables that are there, for nobody else to use until the transaction ends; return their schema."""
    [schema] = own.execute("SELECT current_schema()").fetchone() or (None,)
    if schema is None:
        raise Refused("The database has no schema for tables that its user may use. Make one, such as public.")
    names = [name for (name,) in own.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema])]
    if foreign := sorted(name for name in names if not is_ours(name)):
        raise Refused(
            f"The database has tables that are not Folio's, such as {foreign[0]}. Give Folio a database of its own, "
            "and restore into that. Nothing was changed."
        )
    for name in sorted(names):
        own.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(schema, name)))
    refuse_served(own)
    for name in names:
        own.execute(sql.SQL("DROP TABLE IF EXISTS {} CASCADE").format(sql.Identifier(schema, name)))
    functions = own.execute(
        "SELECT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE nspname = %s "
        "AND proname LIKE %s",
        [schema, f"{SEARCH}%"],
    )
    for (name,) in functions.fetchall():
        own.execute(sql.SQL("DROP FUNCTION IF EXISTS {}() CASCADE").format(sql.Identifier(schema, name)))
    return str(schema)


def is_ours(table: str) -> bool:
    """Tell whether Folio has made a table, in this version or another."""
    labels = tuple(f"{config.label}_" for config in apps.get_app_configs())
    return table == MIGRATIONS or not is_counted(table) or table.startswith((*labels, "django_"))


def run_script(own: psycopg.Connection[Any], path: Path, entries: Path) -> None:
    """Run what pg_restore makes of a dump, as statements and rows, within the connection's transaction."""
    command = [
        program("pg_restore"), "--file=-", f"--use-list={entries}", "--no-owner", "--no-privileges", "--no-comments",
        str(path),
    ]  # fmt: skip
    with (
        TemporaryFile() as said,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said) as process,  # noqa: S603
    ):
        try:
            assert process.stdout is not None
            run_lines(own, process.stdout)
        except BaseException:
            process.kill()
            raise
        if process.wait():
            said.seek(0)
            raise Refused(f"pg_restore failed: {' '.join(said.read().decode(errors='replace').split())}")


def run_lines(own: psycopg.Connection[Any], lines: Any) -> None:
    cursor = own.cursor()
    statements: list[bytes] = []

    def run() -> None:
        if any(line.strip() and not line.startswith(b"--") for line in statements):
            cursor.execute(b"".join(statements), prepare=False)
        statements.clear()

    for line in lines:
        setting = SETTING.match(line)
        if line.startswith((b"\\restrict", b"\\unrestrict")):  # psql's own
            continue
        if setting is not None and setting[1] in {
            b"transaction_timeout",
            b"default_table_access_method",
            b"lock_timeout",
        }:
            continue  # the first is unknown to older servers, the last is ours
        if not COPY.fullmatch(line):
            statements.append(line)
            continue
        run()
        with cursor.copy(line.rstrip(b";\n")) as copy:
            for row in iter(lines.readline, b"\\.\n"):
                if not row:
                    raise Refused("pg_restore broke off in the middle of a table.")
                copy.write(row)
    run()


def finish_postgresql() -> None:
    """Bring the restored database up to this version, and make what of the search's index needs an extension."""
    run_folio("", "migrate", "--verbosity", "0")
    with transaction.atomic():
        store().make()
        store().make_triggers()
