"""What a migration may do beside servers that still run the version before: docs/decisions/0058."""

from collections.abc import Iterator
from math import inf
from typing import Any

from django.db import connection, models
from django.db.migrations import operations
from django.db.models.fields import NOT_PROVIDED

from folio.postgresql.operations import AddCheckBesideUse, AddIndexBesideUse, RemoveIndexBesideUse

BESIDE_USE = (AddIndexBesideUse, RemoveIndexBesideUse, AddCheckBesideUse)
HARMLESS = (
    operations.CreateModel,
    operations.RemoveConstraint,
    operations.AlterModelOptions,
    operations.AlterModelManagers,
    operations.AlterModelTableComment,
    operations.RenameIndex,
    operations.RunPython,
)
# Whoever runs the version before goes on asking for it by its name.
RENAMED = (operations.RenameField, operations.RenameModel, operations.AlterModelTable)
REMOVED = (operations.RemoveField, operations.DeleteModel)
TEXTS = {"CharField", "TextField"}
IN_USE = "the version before reads and writes it: stop using it first, and remove it in the release after"


def faults(migration: Any, state: Any) -> Iterator[str]:
    """Yield what a migration does that the version before could not go on with, or wait for, each in words.

    `state` is what was before it, and is moved on. What a migration removes it may remove where its attribute
    `contracts` names the release that does not use it any more.
    """
    made: set[str] = set()
    contracts = getattr(migration, "contracts", None) is not None
    for operation in migration.operations:
        for part in parts(operation):
            if isinstance(part, operations.CreateModel):
                made.add(part.name_lower)
            if getattr(part, "model_name_lower", None) in made:  # nobody uses a table that is just being made
                continue
            fault = fault_of(part, state, migration.app_label, contracts)
            if fault:
                yield f"{part.describe()}: {fault}"
        operation.state_forwards(migration.app_label, state)


def parts(operation: Any) -> Iterator[Any]:
    """Yield what an operation does to the database."""
    if isinstance(operation, operations.SeparateDatabaseAndState):
        for each in operation.database_operations:
            yield from parts(each)
    else:
        yield operation


def fault_of(operation: Any, state: Any, app: str, contracts: bool) -> str | None:
    if isinstance(operation, RENAMED):
        return "the version before knows the old name: add the new one beside it, and copy"
    if isinstance(operation, REMOVED):
        return None if contracts else IN_USE
    if isinstance(operation, BESIDE_USE + HARMLESS):
        return None
    match operation:
        case operations.AddField():
            return fault_of_new(operation.field)
        case operations.AlterField():
            model = state.models[app, operation.model_name_lower]
            return fault_of_change(model.fields[operation.name], operation.field, contracts)
        case operations.AddIndex() | operations.RemoveIndex():
            return "it keeps writers waiting: use folio.postgresql.operations"
        case operations.AddConstraint():
            if isinstance(operation.constraint, models.CheckConstraint):
                return "it reads the table while nobody can write: use folio.postgresql.operations"
            return None if contracts else "the version before may write what it forbids"
        case operations.RunSQL():
            return None if "expands" in operation.hints else "say in hints={'expands': …} why nobody is disturbed"
    return f"{type(operation).__name__} is not known to this test"


def is_filled(field: Any) -> bool:
    """Tell whether a column gets a value from whoever does not know it."""
    return field.null or field.many_to_many or field.db_default is not NOT_PROVIDED or field.generated


def fault_of_new(field: Any) -> str | None:
    if not is_filled(field):
        return "the version before gives it no value: let it be null, or give it a db_default"
    if field.unique or (field.db_index and not field.remote_field):
        return "its index keeps writers waiting: make it by folio.postgresql.operations"
    return None


def fault_of_change(old: Any, new: Any, contracts: bool) -> str | None:
    if old.null and not new.null and not contracts:
        return "the version before may write null: fill it, and forbid it in the release after"
    if (new.unique and not old.unique) or (new.db_index and not old.db_index):
        return "its index keeps writers waiting: make it by folio.postgresql.operations"
    if old.db_default is not NOT_PROVIDED and new.db_default is NOT_PROVIDED and not new.null and not contracts:
        return "the version before leaves its value to the database"
    if {old.get_internal_type(), new.get_internal_type()} <= TEXTS:
        is_shorter = (new.max_length or inf) < (old.max_length or inf)
        return "the version before may write longer texts" if is_shorter and not contracts else None
    if old.db_type(connection) == new.db_type(connection):
        return None
    return "another type has the whole table written anew: add a column beside it, and copy"
