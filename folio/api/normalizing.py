"""Texts that were stored before they had to be in normal form: brought into it, and those found that can't be."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db import connections, models

from .texts import normal

BATCH = 1000  # rows that are looked at together


def is_normal(text: Any) -> bool:
    return not isinstance(text, str) or unicodedata.is_normalized("NFC", text)


def normalize(
    model: type[models.Model], alias: str, columns: Iterable[str], unique: Mapping[str, Iterable[str]]
) -> None:
    """Bring these columns of all rows into normal form, for a migration; `unique` are those that are, beside what.

    A row whose normal form is another row's already, or is too long, keeps its own.
    """
    rows: Any = model._default_manager.using(alias)
    columns = list(columns)
    for batch in batches(rows.only("pk", *columns, *(other for others in unique.values() for other in others))):
        changed = {row.pk: row for row in batch if not all(is_normal(getattr(row, name)) for name in columns)}
        for name in columns:
            wanted = [row for row in changed.values() if not is_normal(getattr(row, name))]
            longest = model._meta.get_field(name).max_length  # type: ignore[union-attr]
            wanted = [row for row in wanted if longest is None or len(normal(getattr(row, name))) <= longest]
            if name in unique:
                wanted = free_ones(rows, wanted, name, list(unique[name]))
            for row in wanted:
                setattr(row, name, normal(getattr(row, name)))
        if changed:
            save(changed.values(), columns, alias)


def save(changed: Iterable[models.Model], names: list[str], alias: str) -> None:
    """Save columns of many rows, a tenth as long as Django's `bulk_update()` takes it, whose SQL grows by each row."""
    rows = list(changed)
    connection = connections[alias]
    quoted = connection.ops.quote_name
    table: Any = rows[0]._meta
    columns = ", ".join(f"{quoted(table.get_field(name).column)} = %s" for name in names)
    sql = f"UPDATE {quoted(table.db_table)} SET {columns} WHERE {quoted('id')} = %s"  # noqa: S608 - our names
    with connection.cursor() as cursor:
        cursor.executemany(sql, [(*(getattr(row, name) for name in names), row.pk) for row in rows])


def batches(rows: Any) -> Iterator[list[Any]]:
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:BATCH]):
        yield batch
        last = batch[-1].pk


def free_ones(rows: Any, wanted: list[Any], name: str, beside: list[str]) -> list[Any]:
    """Return those of the rows whose normal form no other row has, and of several that share one the first."""
    attributes = [rows.model._meta.get_field(field).attname for field in beside]
    taken = set(
        rows.filter(**{f"{name}__in": {normal(getattr(row, name)) for row in wanted}}).values_list(name, *beside)
    )
    free = []
    for row in wanted:
        key = (normal(getattr(row, name)), *(getattr(row, attribute) for attribute in attributes))
        if key not in taken:
            taken.add(key)
            free.append(row)
    return free
