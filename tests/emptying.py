"""How the tables are emptied after a test that has committed: of those rows that there are, and of nothing else.

Django truncates every table, and makes the rows of content types and permissions anew by a signal: that takes several
times as long as most of the tests do, on PostgreSQL above all, where each truncated table gets new files.
"""

from functools import cache
from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, transaction
from django.test import TransactionTestCase

from folio.portfolios.searching.due import fold_all, follow_migrations, is_anything_due, is_made

KEPT = (ContentType, Permission)  # made by the migrations


@cache
def tables() -> list[str]:
    every = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return sorted(set(every) - {model._meta.db_table for model in KEPT})


def kept() -> list[list[Any]]:
    return [list(model._default_manager.order_by("pk").values_list()) for model in KEPT]


@cache
def made() -> list[list[Any]]:
    """Return the rows that are kept, as they were when the first test was over."""
    call_command("flush", verbosity=0, interactive=False, reset_sequences=False)
    return kept()


def empty() -> None:
    """Leave the database as `flush` would, which is called where a test has touched what the migrations made."""
    before = made()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {table})" for table in tables())
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {table}")
    if kept() != before:
        made.cache_clear()
        made()
    else:
        follow_migrations(verbosity=0)
        if is_made() and is_anything_due():
            fold_all()


def install() -> None:
    """Have pytest-django's tests with `transaction=True` end so."""
    usual = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def teardown(case: TransactionTestCase) -> None:
        if case.available_apps is None and not case.serialized_rollback and set(case.databases) == {"default"}:
            empty()
        else:
            usual(case)

    TransactionTestCase._fixture_teardown = teardown  # type: ignore[attr-defined]
