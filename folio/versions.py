"""Which versions run here: what a report of an error has to tell, and what can be told though all else is wrong."""

import platform
import sqlite3
from importlib import metadata

import django
from django.core.exceptions import ImproperlyConfigured

from . import __version__
from .places import database


def versions() -> str:
    """Return a line with the versions of Folio, Python, Django and what speaks with the database; nothing is asked."""
    return f"Folio {__version__} (Python {platform.python_version()}, Django {django.get_version()}, {of_database()})"


def of_database() -> str:
    """Return the kind of database that the environment names, and the version of the library that speaks with it."""
    try:
        engine = database("sqlite:///folio.sqlite3")["ENGINE"]
    except ImproperlyConfigured:
        return "DATABASE_URL names no database"
    if engine == "folio.postgresql":
        return f"PostgreSQL by psycopg {metadata.version('psycopg')}"
    return f"SQLite {sqlite3.sqlite_version}"
