"""What `folio check` says of the way to PostgreSQL."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.db import DatabaseError, connections


def pooler_is_known(app_configs: Any, databases: Any = None, **options: Any) -> list[CheckMessage]:
    """Tell where a pooler such as pgbouncer stands before a database, of which no setting tells."""
    if settings.PGBOUNCER or not any(is_pooled(connections[alias]) for alias in databases or ()):
        return []
    return [
        Warning(
            "DATABASE_URL leads to a pooler, such as pgbouncer, and not to PostgreSQL itself. A pooler may refuse the "
            "time-outs that Folio sends, and gives what is set for a session to others.",
            hint="Set FOLIO_PGBOUNCER=on, and see docs/guides/running.md, or have DATABASE_URL lead to the server.",
            id="folio.W010",
        )
    ]


def is_pooled(database: Any) -> bool:
    """Tell whether somebody stands between us and the server, who is told apart by the number of its process.

    A server tells it to whoever connects, so that they can cancel a statement. A pooler has no such process, and tells
    a number that it has made up.
    """
    if database.vendor != "postgresql":
        return False
    try:
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            [own] = cursor.fetchone()
    except DatabaseError:  # `folio.W002` tells of it
        return False
    return bool(database.connection.info.backend_pid != own)
