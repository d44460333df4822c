"""A content that is copied until it is large: `python -m benchmarks.copies PORTFOLIOS COPIES`.

To make a million portfolios one by one takes an hour. The database copies its own rows in minutes: each portfolio with
its tags, links, gallery and meta entries, under other titles and slugs. Copies are in no search's index; no search is
to be measured on them. It prints the key of an admin.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .data import execute, fill, gather_statistics, reset_sequences

ROOM = 512 * 1024  # KB of SQLite's own memory while indexes grow
PORTFOLIO = {"title": "title || ' ' || copy.number", "slug": "slug || '-' || copy.number"}


def multiply(copies: int) -> None:
    """Copy all portfolios so many times."""
    from django.db import transaction

    from folio.portfolios.models import Link, MetaEntry, Portfolio, PortfolioImage, PortfolioTag

    portfolios = Portfolio.objects.count()
    with unnoticed(), transaction.atomic():
        copy(Portfolio, portfolios, copies, {"id": shifted("id", portfolios), **PORTFOLIO})
        for model in (PortfolioTag, Link, PortfolioImage, MetaEntry):
            own = {"id": shifted("id", model._default_manager.count())}
            copy(model, portfolios, copies, {**own, "portfolio_id": shifted("portfolio_id", portfolios)})
        reset_sequences()


def shifted(column: str, count: int) -> str:
    return f"{column} + copy.number * {count}"


def copy(model: Any, portfolios: int, copies: int, changed: dict[str, str]) -> None:
    """Insert a table's rows again; what differs in each copy is an expression in which `copy.number` is its number."""
    columns = [field.column for field in model._meta.local_concrete_fields if not field.generated]
    names = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(changed.get(column, f'"{column}"') for column in columns)
    numbers = (
        f"WITH RECURSIVE copy (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM copy WHERE number < {copies})"
    )
    table = model._meta.db_table
    execute([f'INSERT INTO "{table}" ({names}) {numbers} SELECT {values} FROM copy CROSS JOIN "{table}"'])


@contextmanager
def unnoticed() -> Iterator[None]:
    """Keep the search from being told of the copies, and references from being looked up: both are those of before."""
    from django.db import connection, transaction

    from folio.portfolios.searching import sqlite
    from folio.portfolios.searching.stores import store

    if connection.vendor == "postgresql":
        execute(["SET session_replication_role = replica"])
        yield
        execute(["SET session_replication_role = origin"])
        return
    execute([f"PRAGMA cache_size = -{ROOM}", *(f"DROP TRIGGER {name}" for name in sqlite.triggers())])
    with connection.constraint_checks_disabled():
        yield
    with transaction.atomic():
        store().make_triggers()


def main() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    portfolios, copies = map(int, sys.argv[1:3])
    key = fill(portfolios)
    multiply(copies - 1)
    gather_statistics()
    print(key)


if __name__ == "__main__":
    main()
