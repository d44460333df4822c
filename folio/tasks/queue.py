"""What is to be done later is written down, in the transaction of its cause: either both are there or neither."""

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from .models import State, Task
from .registry import Payload, kinds
from .runner import runner


def enqueue(name: str, payload: Payload | None = None, *, due: datetime | None = None, key: str | None = None) -> None:
    """Have the function of that name called with the payload, once the transaction is committed and `due` is past.

    Of tasks of one key, which belongs to all names alike, one waits: a second one changes nothing, or brings the first
    one forward where it is due earlier. A task that is running does not count: what was enqueued meanwhile is called
    again. So the payload must follow from the key. `payload` is small and can be written as JSON.
    """
    if name not in kinds:
        raise ValueError(f"There is no function for tasks {name!r}.")
    due = due or timezone.now()
    with transaction.atomic(savepoint=False):
        if key is None or not is_waiting(key, due):
            insert(name, payload or {}, due, key)
        transaction.on_commit(runner.wake_up, robust=True)


def is_waiting(key: str, due: datetime) -> bool:
    """Tell whether a task of that key waits that is due by then, and keep it waiting until the transaction ends.

    Its worker has to wait for that, and so sees what the task is to be about. Others who enqueue it need not: the lock
    is shared. On SQLite nobody else writes meanwhile.
    """
    waiting = Task.objects.filter(key=key, state=State.WAITING, due_at__lte=due)
    if connection.vendor != "postgresql":
        return waiting.exists()
    query, values = waiting.values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"{query} FOR SHARE", values)
        return cursor.fetchone() is not None


def insert(name: str, payload: Payload, due: datetime, key: str | None) -> None:
    """Write a task down; bring the one of that key forward that waits."""
    row = Task(name=name, key=key, payload=payload, due_at=due, created_at=timezone.now())
    fields = [field for field in Task._meta.concrete_fields if not field.primary_key]
    values: list[Any] = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    quote = connection.ops.quote_name
    table, columns = quote(Task._meta.db_table), ", ".join(quote(str(field.column)) for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({columns}) VALUES ({', '.join(['%s'] * len(fields))}) "  # noqa: S608 names of ours
            f"ON CONFLICT (key) WHERE state = 'waiting' DO UPDATE SET due_at = excluded.due_at "
            f"WHERE {table}.due_at > excluded.due_at",
            values,
        )
