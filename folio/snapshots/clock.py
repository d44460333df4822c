"""The moment at which a statement is carried out, by this process's clock.

Django writes some statements once and carries them out many times, so the moment can't be written into them; and the
database's own clock may be another machine's than the one by which answers that lie in memory end.
"""

import sqlite3
from datetime import UTC
from typing import Any

from django.conf import settings
from django.db.models import DateTimeField, Expression
from django.utils import timezone


class Clock:
    """Stands among a statement's parameters; the database's driver asks it when the statement is carried out."""

    def __conform__(self, protocol: Any) -> str | None:
        # As Django writes a datetime for SQLite.
        return str(timezone.now().astimezone(UTC).replace(tzinfo=None)) if protocol is sqlite3.PrepareProtocol else None


CLOCK = Clock()


class CurrentMoment(Expression):
    """The moment at which the statement is carried out."""

    output_field = DateTimeField()

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", (CLOCK,)


def teach_psycopg() -> None:
    """Have psycopg ask a clock, on all connections that Django makes from now on."""
    from psycopg import adapters
    from psycopg.adapt import Dumper

    class ClockDumper(Dumper):
        oid = adapters.types["timestamptz"].oid

        def dump(self, obj: Any) -> bytes:
            return str(timezone.now().astimezone(UTC)).encode()

    adapters.register_dumper(Clock, ClockDumper)


if "postgresql" in settings.DATABASES["default"]["ENGINE"]:
    teach_psycopg()
