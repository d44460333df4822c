"""Operations of migrations that a large table is served beside: on PostgreSQL they let others write meanwhile.

On SQLite, where one writes at a time anyway and nothing is made concurrently, they do what Django's own do. Each can be
done again where it was broken off, so that the migration can: it is `atomic = False`, for PostgreSQL makes an index
concurrently outside of any transaction alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import NotSupportedError, transaction
from django.db.migrations import operations


class Resumable:
    """What the operations share."""

    def model(self: Any, app_label: str, schema_editor: Any, state: Any) -> Any:
        """Return the model as it is then; None where this database has no table of it."""
        model = state.apps.get_model(app_label, self.model_name)
        return model if self.allow_migrate_model(schema_editor.connection.alias, model) else None

    @contextmanager
    def turn(self, schema_editor: Any) -> Iterator[dict[str, Any]]:
        """Yield the options of whoever makes or removes an index; on SQLite none, and in a transaction.

        Raise NotSupportedError within one on PostgreSQL, where it can't be done concurrently.
        """
        if schema_editor.connection.vendor != "postgresql":
            with transaction.atomic(schema_editor.connection.alias):
                yield {}
            return
        if schema_editor.connection.in_atomic_block:
            raise NotSupportedError(f"{type(self).__name__} needs a migration with atomic = False.")
        yield {"concurrently": True}


class AddIndexBesideUse(Resumable, operations.AddIndex):
    """Make an index while others write, and make one anew that was left unfinished."""

    atomic = False

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if (model := self.model(app_label, schema_editor, to_state)) is None:
            return
        with self.turn(schema_editor) as options:
            if is_there(schema_editor, model, self.index.name):
                if not options or is_valid(schema_editor, self.index.name):
                    return  # an earlier attempt at this migration has made it
                schema_editor.remove_index(model, self.index, **options)
            schema_editor.add_index(model, self.index, **options)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        remove_index(self, app_label, schema_editor, from_state, self.index)

    def describe(self) -> str:
        return f"{super().describe()}, while others write"


class RemoveIndexBesideUse(Resumable, operations.RemoveIndex):
    """Remove an index while others read and write."""

    atomic = False

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        index = from_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
        remove_index(self, app_label, schema_editor, from_state, index)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        index = to_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
        add = AddIndexBesideUse(self.model_name, index)
        add.database_forwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        return f"{super().describe()}, while others read and write"


class AddCheckBesideUse(Resumable, operations.AddConstraint):
    """Have a condition hold for what is written from now on, then look through what is there, while others write."""

    atomic = False

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if (model := self.model(app_label, schema_editor, to_state)) is None:
            return
        with self.turn(schema_editor) as options:
            is_there_already = is_there(schema_editor, model, self.constraint.name)
            if not options:
                if not is_there_already:
                    schema_editor.add_constraint(model, self.constraint)
                return
            if not is_there_already:
                schema_editor.execute(f"{self.constraint.create_sql(model, schema_editor)} NOT VALID", params=None)
            table, name = map(schema_editor.quote_name, (model._meta.db_table, self.constraint.name))
            schema_editor.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")

    def describe(self) -> str:
        return f"{super().describe()}, while others write"


def remove_index(operation: Any, app_label: str, schema_editor: Any, state: Any, index: Any) -> None:
    if (model := operation.model(app_label, schema_editor, state)) is None:
        return
    with operation.turn(schema_editor) as options:
        if is_there(schema_editor, model, index.name):
            schema_editor.remove_index(model, index, **options)


def is_there(schema_editor: Any, model: Any, name: str) -> bool:
    """Tell whether a table has an index or constraint of that name, finished or not."""
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        return name in connection.introspection.get_constraints(cursor, model._meta.db_table)


def is_valid(schema_editor: Any, name: str) -> bool:
    """Tell whether PostgreSQL uses an index; one whose making was broken off only slows those who write."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [f'"{name}"'])
        row = cursor.fetchone()
    return bool(row and row[0])
