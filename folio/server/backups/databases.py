"""A copy of the database as it is at one moment, beside those who write, and what it tells of its files."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple
from urllib.parse import quote

import psycopg
import zstandard
from django.conf import settings
from django.db import connection
from psycopg import conninfo, pq

from folio.installation import database_path, where
from folio.media.models import Media, Thumbnail
from folio.server.refusing import Refused

from .stores import BUFFER

LEVEL = 3  # of zstd: quick, and half of what there is
BUSY = 30.0  # seconds that SQLite's file may be held by others
MIGRATIONS = "django_migrations"
VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
PGBOUNCER = (
    "FOLIO_PGBOUNCER is on, and {program} can't work through pgbouncer: what it sets would stay with connections that "
    "servers get. Give this command a DATABASE_URL that leads to PostgreSQL itself, and FOLIO_PGBOUNCER=off."
)


class Wanted(NamedTuple):
    """A media file that rows name."""

    name: str
    sha256: str = ""  # as its row says, where it does


@dataclass
class Copied:
    """A copy of the database, compressed, and what stood in it."""

    kind: Literal["sqlite", "postgresql"]
    version: str
    path: Path
    size: int
    sha256: str
    content_size: int
    content_sha256: str
    migrations: dict[str, str]
    rows: dict[str, int]
    files: list[Wanted]


class Compressed(NamedTuple):
    """What compressing has made."""

    size: int
    sha256: str
    content_size: int
    content_sha256: str


def compress(source: IO[bytes], path: Path) -> Compressed:
    """Write all that can be read into a file, compressed."""
    compressor = zstandard.ZstdCompressor(level=LEVEL).compressobj()
    whole, packed, content_size, size = hashlib.sha256(), hashlib.sha256(), 0, 0
    with path.open("wb") as target:
        while piece := source.read(BUFFER):
            whole.update(piece)
            content_size += len(piece)
            out = compressor.compress(piece)
            packed.update(out)
            size += target.write(out)
        out = compressor.flush()
        packed.update(out)
        size += target.write(out)
    return Compressed(size, packed.hexdigest(), content_size, whole.hexdigest())


@contextmanager
def copied(folder: Path, *, hold: bool = False) -> Iterator[Copied]:
    """Yield a copy of the database, made in a folder; raise Refused where none can be made.

    With `hold`, nobody writes rows until the block ends, so that no file that the copy names can go.
    """
    with ExitStack() as stack:
        if connection.vendor == "sqlite":
            yield copy_of_sqlite(folder, stack, hold=hold)
        else:
            yield copy_of_postgresql(folder, stack, hold=hold)


def facts(cursor: Any, tables: list[str]) -> dict[str, Any]:
    """Return what a copy tells of its rows, by queries that all see the same; it may be of an older version."""
    quote_name = connection.ops.quote_name

    def select(query: str) -> list[Any]:
        cursor.execute(query)
        return list(cursor.fetchall())

    def of(model: Any, *fields: str) -> list[Any]:
        cursor.execute(f"SELECT * FROM {quote_name(model._meta.db_table)} LIMIT 0")  # noqa: S608 names alone
        there = {column[0] for column in cursor.description}
        names = ", ".join(quote_name(field) if field in there else "''" for field in fields)
        return select(f"SELECT {names} FROM {quote_name(model._meta.db_table)}")  # noqa: S608 names alone

    media, thumbnails = of(Media, "file", "sha256"), of(Thumbnail, "file")
    applied = select(f"SELECT app, name FROM {MIGRATIONS} ORDER BY app, name")  # noqa: S608
    return {
        "migrations": dict(applied),
        "rows": {name: select(f"SELECT count(*) FROM {quote_name(name)}")[0][0] for name in tables},  # noqa: S608
        "files": [Wanted(str(name), str(sha256)) for name, sha256 in media] + [Wanted(str(n)) for (n,) in thumbnails],
    }


# SQLite


def copy_of_sqlite(folder: Path, stack: ExitStack, *, hold: bool) -> Copied:
    """Copy SQLite's file page by page in one reading transaction: in WAL mode nobody who writes waits for that."""
    path = database_path()
    if path is None:
        raise Refused("The database is in memory, and there is nothing to back up.")
    if not path.exists():
        raise Refused(f"There is no installation here: {path} does not exist. {where()}.")
    uri = f"file:{quote(os.fsencode(path))}?mode=rw"
    if hold:
        holder = stack.enter_context(closing(sqlite3.connect(uri, uri=True, timeout=BUSY, isolation_level=None)))
        holder.execute("BEGIN IMMEDIATE")
    plain = folder / "database"
    plain.unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(uri, uri=True, timeout=BUSY)) as live,
        closing(sqlite3.connect(plain, isolation_level=None)) as copy,
    ):
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # so that it is one file
        found = facts(copy.cursor(), tables_of_sqlite(copy))
    packed = folder / "database.zst"
    with plain.open("rb") as source:
        compressed = compress(source, packed)
    plain.unlink()
    return Copied("sqlite", sqlite3.sqlite_version, packed, *compressed, **found)


def tables_of_sqlite(database: sqlite3.Connection) -> list[str]:
    """Return the tables that hold rows of ours; those of a search index are made anew from them."""
    found = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    return [name for (name,) in found if is_counted(name)]


def is_counted(name: str) -> bool:
    return not name.startswith(("sqlite_", "portfolios_search"))


# PostgreSQL


class Address(NamedTuple):
    """Where the database server is, as libpq's programs take it; the password is in the environment."""

    text: str
    environment: dict[str, str]


def address() -> Address:
    """Return the server's address, with what DATABASE_URL has as libpq's own options."""
    given: dict[str, Any] = {**connection.settings_dict.get("OPTIONS", {})}
    known = {each.keyword.decode() for each in pq.Conninfo.get_defaults()}
    options = {name: str(value) for name, value in given.items() if name in known}
    names = {"dbname": "NAME", "user": "USER", "host": "HOST", "port": "PORT"}
    options |= {name: str(value) for name, field in names.items() if (value := connection.settings_dict.get(field))}
    password = options.pop("password", None) or connection.settings_dict.get("PASSWORD")
    environment = {**os.environ, "PGAPPNAME": "folio backup"}
    if password:
        environment["PGPASSWORD"] = str(password)
    return Address(conninfo.make_conninfo("", **options), environment)


def connect_itself() -> psycopg.Connection[Any]:
    """Return a connection of its own, on which nothing waits for a bound: copies take as long as they take."""
    found = address()
    password = found.environment.get("PGPASSWORD")
    return psycopg.connect(found.text, application_name="folio backup", password=password)


def program(name: str, server_version: int | None = None) -> str:
    """Return the path of one of PostgreSQL's programs; raise Refused where it is missing, or older than the server."""
    if settings.PGBOUNCER:
        raise Refused(PGBOUNCER.format(program=name))
    path = shutil.which(name)
    major = f"-{server_version // 10000}" if server_version else ""
    if path is None:
        raise Refused(
            f"{name} is not installed, which copies of PostgreSQL need. On Debian: "
            f"apt-get install postgresql-client{major}"
        )
    if server_version is not None:
        told = subprocess.run([path, "--version"], capture_output=True, text=True).stdout  # noqa: S603
        match = VERSION.search(told)
        if match is not None and int(match[1]) < server_version // 10000:
            raise Refused(
                f"{path} is of PostgreSQL {match[1]}, the server of {server_version // 10000}: an older one can't copy "
                f"it. On Debian: apt-get install postgresql-client{major}"
            )
    return path


def copy_of_postgresql(folder: Path, stack: ExitStack, *, hold: bool) -> Copied:
    """Dump the database, and ask the very snapshot that is dumped for its files and rows."""
    try:
        own = stack.enter_context(closing(connect_itself()))
        own.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        own.execute("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
        if hold:
            tables = ", ".join(connection.ops.quote_name(model._meta.db_table) for model in (Media, Thumbnail))
            own.execute(f"LOCK TABLE {tables} IN SHARE MODE")  # before the first look: the snapshot is of after it
        [snapshot, version] = own.execute("SELECT pg_export_snapshot(), version()").fetchone() or ("", "")
        pg_dump = program("pg_dump", own.info.server_version)
        found = facts(own.cursor(), tables_of_postgresql(own))
        packed = folder / "database.zst"
        compressed = dump(pg_dump, snapshot, packed)
        if not hold:
            own.close()
    except psycopg.Error as error:
        raise Refused(f"The database could not be copied: {' '.join(str(error).split())}.") from error
    return Copied("postgresql", version.split(" on ")[0], packed, *compressed, **found)


def tables_of_postgresql(own: psycopg.Connection[Any]) -> list[str]:
    found = own.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1")
    return [name for (name,) in found.fetchall() if is_counted(name)]


def dump(pg_dump: str, snapshot: str, path: Path) -> Compressed:
    found = address()
    command = [
        pg_dump, "--format=custom", "--compress=0", "--no-owner", "--no-privileges", "--no-password",
        f"--snapshot={snapshot}", f"--dbname={found.text}",
    ]  # fmt: skip
    with subprocess.Popen(  # noqa: S603
        command, env=found.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            compressed = compress(process.stdout, path)
            said = process.stderr.read().decode(errors="replace")
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise Refused(f"pg_dump failed: {' '.join(said.split())}")
    return compressed
