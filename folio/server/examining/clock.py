"""The system's clock against those of others: what is published at a moment, and signatures, go by it."""

import time
from contextlib import closing
from email.utils import parsedate_to_datetime
from typing import Any

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

from folio.postgresql.apart import connect_apart
from folio.server.health import LIVES

from .findings import Finding, Findings, fault, note, ok, warning
from .reached import NotReached, Reached

WARN, FAULT = 5, 300  # seconds of difference; S3 refuses what was signed 15 minutes ago
MEND = "Have the machines keep their clocks by NTP: timedatectl set-ntp true."


def look(reached: Reached) -> Findings:
    found = [*database(), *date_of("the server", reached)]
    if settings.MEDIA_BUCKET is not None and settings.MEDIA_BUCKET.endpoint:
        found += date_of("the bucket", Reached(settings.MEDIA_BUCKET.endpoint.rstrip("/"), is_public=True), path="/")
    yield from found
    if not found:
        yield note("There is no other clock to compare this machine's with.")


def database() -> Findings:
    database: Any = connections[DEFAULT_DB_ALIAS]
    if database.vendor != "postgresql":
        return
    try:
        with closing(connect_apart(database, "doctor", autocommit=True)) as connection:
            before = time.time()
            [there] = connection.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()
            yield compared("the database", float(there), before, time.time())
    except psycopg.Error:  # of which the database's group tells
        return


def date_of(what: str, reached: Reached, path: str = LIVES) -> Findings:
    """Compare with the moment of an answer, which is told in whole seconds."""
    before = time.time()
    try:
        text = reached.ask(path).headers.get("date", "")
        there = parsedate_to_datetime(text).timestamp()
    except (NotReached, ValueError):
        return
    yield compared(what, there, before - 1, time.time())


def compared(what: str, there: float, earliest: float, latest: float) -> Finding:
    """Compare a moment with those between which it was told."""
    difference = max(earliest - there, there - latest, 0.0)
    if difference <= WARN:
        return ok(f"The clock agrees with that of {what}.")
    word = "behind" if there > latest else "ahead of"
    text = f"This machine's clock is {difference:,.0f} seconds {word} that of {what}."
    return fault(text, MEND) if difference >= FAULT else warning(text, MEND)
