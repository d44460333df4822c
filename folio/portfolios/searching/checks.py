"""What `folio check` says of the search."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError

from .due import due_now, is_made, is_outdated
from .stores import store

MANY = 1_000  # portfolios that are due


def search_is_ready(app_configs: Any, databases: Any = None, **options: Any) -> list[CheckMessage]:
    """Name what makes searches slow, or wrong."""
    if not databases:
        return []
    try:
        return list(problems()) if is_made() else []
    except DatabaseError:  # `folio.W002` tells of it
        return []


def problems() -> Iterator[CheckMessage]:
    if is_outdated():
        yield Warning(
            "What is written past Folio may not be found: the search's triggers are missing, or of another version.",
            hint="Run `folio reindex`.",
            id="folio.W004",
        )
    count = len(due_now().ids)
    if count >= MANY:
        yield Warning(
            f"{count} portfolios were changed and not folded for the search yet. Until they are, searches read them, "
            "and take their time.",
            hint="A running server folds them within minutes; so does `folio runtasks`.",
            id="folio.W005",
        )
    if lacks := store().lacks():
        yield Warning(
            lacks,
            hint="Have an administrator of the database run `CREATE EXTENSION pg_trgm`, then run `folio reindex`.",
            id="folio.W006",
        )


def register_checks() -> None:
    register(search_is_ready, Tags.database)
