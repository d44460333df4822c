"""What any worker finds out when it is asked: the state of the parts, disks, the journal, what waits in the database.

As for `/readyz`, it is found out by threads that may hang, and whoever asks waits for a bounded time: what has no
answer then is left out. Nothing here counts the rows of a large table.
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

from folio.media.journal import RESERVE, entry_files
from folio.postgresql.servers import ask

from ..health import Looking, there

SECONDS = 1  # for which the database is waited for, after another one or two for a connection
FRESH = 5.0  # seconds for which what was found there is told
MOST = 10_000  # rows that are looked at
NEWEST = 1_000  # messages to webhooks that are looked through for failed ones
# By the index `task_due`; what failed is in it too, with the moment at which it was due.
TASKS = f"""
    SELECT COALESCE(SUM(CASE WHEN state = 'waiting' THEN 1 ELSE 0 END), 0),
        COALESCE(SUM(CASE WHEN state = 'running' THEN 1 ELSE 0 END), 0),
        COALESCE(SUM(CASE WHEN state = 'failed' THEN 1 ELSE 0 END), 0),
        COALESCE(MAX(CASE WHEN state = 'failed' THEN 0 ELSE {{age}} END), 0)
    FROM (SELECT state, due_at FROM tasks_task WHERE due_at <= {{now}} ORDER BY due_at, id LIMIT {MOST}) AS due
"""  # noqa: S608 numbers of ours
# By the index of those that wait, of which a webhook has one; and by the primary key.
WEBHOOKS = f"""
    SELECT (SELECT COUNT(*) FROM delivery_webhookdelivery WHERE state = 'waiting'),
        (SELECT COUNT(*) FROM delivery_webhookdelivery WHERE state = 'waiting' AND attempts > 0),
        (SELECT COUNT(*) FROM (SELECT state FROM delivery_webhookdelivery ORDER BY id DESC LIMIT {NEWEST}) AS newest
            WHERE state = 'failed')
"""  # noqa: S608 numbers of ours
# Of the few attempts at backups that are kept; -1 where there is none.
BACKUPS = """
    SELECT COALESCE((SELECT {seconds} + seconds FROM server_backup WHERE error = '' ORDER BY id DESC LIMIT 1), -1),
        COALESCE((SELECT {every} FROM server_backupschedule LIMIT 1), -1),
        COALESCE((SELECT failures FROM server_backupschedule LIMIT 1), -1)
"""
PENDING = f"SELECT COUNT(*) FROM (SELECT 1 FROM media_pendingfile LIMIT {MOST}) AS pending"  # noqa: S608 numbers of ours
NOW = {"sqlite": "STRFTIME('%Y-%m-%d %H:%M:%f', 'now')", "postgresql": "NOW()"}
AGE = {
    "sqlite": "(JULIANDAY('now') - JULIANDAY(due_at)) * 86400",
    "postgresql": "EXTRACT(EPOCH FROM NOW() - due_at)",
}
SINCE = {"sqlite": "(JULIANDAY(begun_at) - 2440587.5) * 86400", "postgresql": "EXTRACT(EPOCH FROM begun_at)"}
EVERY = {"sqlite": "every / 1000000.0", "postgresql": "EXTRACT(EPOCH FROM every)"}
NAMES = ("due", "running", "failed", "oldest", "messages waiting", "messages retried", "messages failed")
NAMES_OF_BACKUPS = ("backup", "backup every", "backup failures")
Numbers = dict[str, float]


def state_of_work() -> Numbers:
    """Return what waits in the database, read on a connection of its own that commits nothing."""
    database: Any = connections[DEFAULT_DB_ALIAS]  # this thread's, of which only the settings are used
    vendor = str(database.vendor)
    backups = BACKUPS.format(seconds=SINCE[vendor], every=EVERY[vendor])
    queries = [TASKS.format(age=AGE[vendor], now=NOW[vendor]), WEBHOOKS, backups]
    if settings.MEDIA_BUCKET is not None:
        queries.append(PENDING)
    names = [*NAMES, *NAMES_OF_BACKUPS, "journal"]
    values = [value for row in rows_of(database, queries) for value in row]
    return dict(zip(names, map(float, values), strict=False))


def rows_of(database: Any, queries: list[str]) -> list[tuple[Any, ...]]:
    """Return the one row that each query finds, by a connection of its own and within a bounded time."""
    if database.vendor == "sqlite":
        name = str(database.settings_dict["NAME"])
        path = name if name.startswith("file:") else f"{Path(name).absolute().as_uri()}?mode=rw"
        with closing(sqlite3.connect(path, uri=True, timeout=SECONDS, isolation_level=None)) as connection:
            connection.execute("PRAGMA query_only = ON").close()
            return [connection.execute(query).fetchone() for query in queries]
    parameters = {**database.get_connection_params(), "connect_timeout": SECONDS, "autocommit": True}
    with closing(psycopg.connect(**parameters)) as connection:
        found = []
        for query in queries:
            result = ask(connection, query.encode(), SECONDS)
            found.append(tuple(float(result.get_value(0, column)) for column in range(result.nfields)))
        return found


def state_of_disks() -> Numbers:
    """Return the bytes that are free where files lie and come in, and how many files' fate is undecided."""
    folders = {"data": settings.DATA_DIR, "uploads": settings.FILE_UPLOAD_TEMP_DIR}
    if settings.MEDIA_BUCKET is None:
        folders["media"] = settings.MEDIA_ROOT
    found: Numbers = {"reserve": float(RESERVE)}
    for name, folder in folders.items():
        disk = os.statvfs(there(Path(folder)))
        found[f"free {name}"] = float(disk.f_bavail * disk.f_frsize)
        found[f"size {name}"] = float(disk.f_blocks * disk.f_frsize)
    if settings.MEDIA_BUCKET is None:
        journal = Path(settings.JOURNAL_ROOT)
        found["journal"] = float(len(entry_files(journal))) if journal.is_dir() else 0.0
    return found


def looking() -> tuple[Callable[[], Numbers], ...]:
    """Return functions that tell what was found; where a look takes too long, they tell nothing."""
    return Looking(state_of_work, (), fresh=FRESH).parts, Looking(state_of_disks, ()).parts
