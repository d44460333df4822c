"""Indexes and conditions that are added beside use, and the second attempt at a migration that was broken off."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, NotSupportedError, OperationalError, connection, migrations, models, transaction
from django.db.migrations.state import ProjectState

from folio.postgresql.operations import AddCheckBesideUse, AddIndexBesideUse, RemoveIndexBesideUse

pytestmark = pytest.mark.django_db(transaction=True)
is_postgresql = connection.vendor == "postgresql"
only_postgresql = pytest.mark.skipif(not is_postgresql, reason="SQLite makes nothing concurrently")
INDEX = models.Index(fields=["size"], name="server_note_size_idx")
CHECK = models.CheckConstraint(condition=models.Q(size__gte=0), name="server_note_size")


@pytest.fixture
def state() -> Iterator[ProjectState]:
    """A table of notes in the database, and its state."""
    state = ProjectState()
    fields: list[tuple[str, Any]] = [("id", models.BigAutoField(primary_key=True)), ("size", models.IntegerField())]
    create = migrations.CreateModel("Note", fields)
    create.state_forwards("server", state)
    with connection.schema_editor() as editor:
        create.database_forwards("server", editor, ProjectState(), state)
    yield state
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE server_note")


def apply(state: ProjectState, *operations: Any, atomic: bool = False) -> ProjectState:
    """Apply a migration of these operations, and return the state after it."""
    options = {"operations": list(operations), "atomic": atomic}
    migration = type("Migration", (migrations.Migration,), options)("0002_more", "server")
    state = state.clone()
    with connection.schema_editor(atomic=atomic) as editor:
        migration.apply(state, editor)
    return state


def there() -> dict[str, Any]:
    with connection.cursor() as cursor:
        return connection.introspection.get_constraints(cursor, "server_note")


def test_makes_an_index_and_removes_it(state: ProjectState) -> None:
    after = apply(state, AddIndexBesideUse("note", INDEX))
    assert there()["server_note_size_idx"]["index"]

    apply(after, RemoveIndexBesideUse("note", "server_note_size_idx"))
    assert "server_note_size_idx" not in there()


def test_goes_back_and_forth(state: ProjectState) -> None:
    add = AddIndexBesideUse("note", INDEX)
    after = apply(state, add)
    with connection.schema_editor(atomic=False) as editor:
        add.database_backwards("server", editor, after, state)
    assert "server_note_size_idx" not in there()

    with connection.schema_editor(atomic=False) as editor:
        RemoveIndexBesideUse("note", INDEX.name).database_backwards("server", editor, state, after)
    assert "server_note_size_idx" in there()


def test_a_migration_that_was_broken_off_after_an_index_is_done_again(state: ProjectState) -> None:
    def fail(apps: Any, editor: Any) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        apply(state, AddIndexBesideUse("note", INDEX), migrations.RunPython(fail, atomic=False))

    apply(state, AddIndexBesideUse("note", INDEX), AddCheckBesideUse("note", CHECK))

    assert {"server_note_size_idx", "server_note_size"} <= set(there())
    apply(state, AddIndexBesideUse("note", INDEX), AddCheckBesideUse("note", CHECK))


def test_a_condition_holds_for_what_is_there_and_what_comes(state: ProjectState) -> None:
    note = state.apps.get_model("server", "Note")
    note.objects.create(size=-1)

    with pytest.raises(IntegrityError):
        apply(state, AddCheckBesideUse("note", CHECK))
    note.objects.all().delete()
    apply(state, AddCheckBesideUse("note", CHECK))

    with pytest.raises(IntegrityError), transaction.atomic():
        note.objects.create(size=-1)


@only_postgresql
def test_makes_an_index_anew_whose_making_was_broken_off(state: ProjectState) -> None:
    with psycopg.connect(**params()) as other:
        other.execute("INSERT INTO server_note (size) VALUES (1)")  # for whose end the index has to wait
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 300")
        with pytest.raises(OperationalError):
            apply(state, AddIndexBesideUse("note", INDEX))
    with connection.cursor() as cursor:
        cursor.execute("RESET statement_timeout")
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'server_note_size_idx'::regclass")
        assert cursor.fetchall() == [(False,)]

        apply(state, AddIndexBesideUse("note", INDEX))

        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'server_note_size_idx'::regclass")
        assert cursor.fetchall() == [(True,)]


@only_postgresql
def test_says_what_a_migration_lacks_that_is_atomic(state: ProjectState) -> None:
    with pytest.raises(NotSupportedError, match="atomic = False"):
        apply(state, AddIndexBesideUse("note", INDEX), atomic=True)


def params() -> dict[str, Any]:
    found = connection.get_connection_params()
    return {name: found[name] for name in ("dbname", "user", "password", "host", "port") if found.get(name)}
