"""The database is what the models say, and each of its rules has a name that says it."""

import re
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, models
from django.db.migrations.loader import MigrationLoader

from folio.api.texts import CodePointCharField, CodePointTextField

LABELS = ["access", "media", "portfolios"]
MODELS = [model for label in LABELS for model in apps.get_app_config(label).get_models(include_auto_created=True)]


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    output = StringIO()

    call_command("makemigrations", "--check", "--dry-run", stdout=output)

    assert output.getvalue() == "No changes detected\n"


@pytest.mark.django_db
def test_every_migration_is_applied() -> None:
    output = StringIO()

    call_command("migrate", "--plan", stdout=output)

    assert "No planned migration operations." in output.getvalue()


def test_every_migration_is_named_for_its_deed() -> None:
    names = [name for label, name in MigrationLoader(None).disk_migrations if label in LABELS]

    assert names
    assert [name for name in names if re.search(r"_auto_|\d{8}", name)] == []


@pytest.mark.parametrize("model", MODELS)
def test_no_rule_of_a_model_is_without_a_name(model: type[models.Model]) -> None:
    unique = [
        field.name for field in model._meta.local_fields if field.unique and not field.primary_key and field.concrete
    ]

    assert unique == []
    assert not model._meta.unique_together
    assert all(constraint.name for constraint in model._meta.constraints)
    assert all(index.name for index in model._meta.indexes)
    assert not any(re.search(r"_[0-9a-f]{6,8}(_idx|_uniq)?$", index.name) for index in model._meta.indexes)


def test_every_name_is_used_once_and_is_short_enough() -> None:
    names = [part.name for model in MODELS for part in (*model._meta.constraints, *model._meta.indexes)]

    assert len(names) == len(set(names))
    assert [name for name in names if len(name) > 63] == []  # PostgreSQL would cut them


def rules_in_database(model: type[models.Model]) -> tuple[set[str], set[str]]:
    """Return the names of the table's constraints and indexes, and those of its unique constraints."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            found = connection.introspection.get_constraints(cursor, table)
            return set(found), {name for name, rule in found.items() if rule["unique"] and not rule["primary_key"]}
        # Django's introspection trips over the table with a generated column, so the table's own SQL is read.
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE tbl_name = %s", [table])
        sources = dict(cursor.fetchall())
    named = re.findall(r'CONSTRAINT "(\w+)" (\w+)', sources[table])
    unique = {name for name, kind in named if kind == "UNIQUE"}
    unnamed = [name for name in sources if name.startswith("sqlite_autoindex")][len(unique) :]
    return {name for name, _ in named} | set(sources), unique | set(unnamed)


@pytest.mark.django_db
@pytest.mark.parametrize("model", MODELS)
def test_the_database_has_the_rules_by_their_names(model: type[models.Model]) -> None:
    found, unique = rules_in_database(model)
    constraints = model._meta.constraints

    assert {part.name for part in (*constraints, *model._meta.indexes)} <= found
    assert unique == {constraint.name for constraint in constraints if isinstance(constraint, models.UniqueConstraint)}


@pytest.mark.django_db
@pytest.mark.parametrize("model", MODELS)
def test_texts_that_are_sorted_sort_by_code_point(model: type[models.Model]) -> None:
    """SQLite does so by itself; PostgreSQL is told, whatever locale its database was made with."""
    texts = {
        field.column for field in model._meta.local_fields if isinstance(field, CodePointCharField | CodePointTextField)
    }
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            columns = connection.introspection.get_table_description(cursor, model._meta.db_table)
            assert texts == {column.name for column in columns if column.collation == "C"}
        else:
            cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [model._meta.db_table])
            assert "COLLATE" not in cursor.fetchone()[0]
