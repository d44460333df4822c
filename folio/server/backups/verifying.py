"""Whether a backup can be restored: all its files are what they were, its database can be read, and is not too new."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db.migrations.loader import MigrationLoader

from folio import __version__
from folio.server.refusing import Refused

from .databases import facts, program, tables_of_sqlite
from .manifest import Manifest
from .sources import Source
from .stores import told


def verify(source: Source, folder: Path, bar: Any = None) -> Path:
    """Check a backup as a whole, and return its database, unpacked in a folder; raise Refused for what is not right."""
    refuse_newer(source)
    source.check(bar)
    path = folder / "restored"
    with told(source.address):
        source.unpack_database(path)
    if source.manifest.database.kind == "sqlite":
        check_sqlite(source, path)
    else:
        check_dump(source, path)
    return path


def refuse_newer(source: Source) -> None:
    """Raise Refused where the backup's database has migrations that this program does not know."""
    manifest = source.manifest
    known = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    names = {*known, *(name for each in known.values() for name in each.replaces)}
    apps = {app for app, _ in names}
    unknown = sorted(item for item in manifest.database.migrations.items() if item[0] in apps and item not in names)
    if unknown:
        app, name = unknown[0]
        raise Refused(
            f"{source.address} was made by Folio {manifest.folio}, whose database is newer than Folio {__version__}: "
            f"it has {app}.{name}, which this version does not know. Restore it with Folio {manifest.folio} or a newer "
            "one. Nothing was changed."
        )


def check_sqlite(source: Source, path: Path) -> None:
    """Raise Refused where SQLite finds a fault in the file, or it does not hold what the manifest says."""
    try:
        uri = f"file:{quote(str(path))}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as database:
            database.execute("PRAGMA trusted_schema=OFF")
            faults = [text for (text,) in database.execute("PRAGMA integrity_check(3)")]
            if faults != ["ok"]:
                raise source.damaged(f"its database has faults, by SQLite's own check: {'; '.join(faults)[:300]}")
            found = facts(database.cursor(), tables_of_sqlite(database))
    except sqlite3.Error as error:
        raise source.damaged(f"its database can't be read: {error}") from None
    if problem := difference(source.manifest, found):
        raise source.damaged(problem)


def difference(manifest: Manifest, found: dict[str, Any]) -> str:
    """Return what a database has otherwise than its manifest says, "" where nothing is."""
    if found["migrations"] != manifest.database.migrations:
        return "its database has other migrations than its manifest says"
    for table, rows in manifest.database.rows.items():
        if found["rows"].get(table) != rows:
            return f"its database has {found['rows'].get(table, 'no')} rows in {table}, and its manifest says {rows}"
    there = {*(file.name for file in manifest.media), *(fault.name for fault in manifest.faults)}
    missing = next((wanted.name for wanted in found["files"] if wanted.name not in there), None)
    return f"its database names {missing}, and its manifest does not" if missing else ""


def check_dump(source: Source, path: Path) -> list[str]:
    """Return the contents of a dump as pg_restore lists them; raise Refused where it can't be read."""
    done = subprocess.run(  # noqa: S603
        [program("pg_restore"), "--list", str(path)], capture_output=True, text=True, errors="replace"
    )
    if done.returncode:
        raise source.damaged(f"pg_restore can't read its database: {' '.join(done.stderr.split())[:300]}")
    return done.stdout.splitlines()
