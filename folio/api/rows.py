from collections.abc import Callable, Collection, Sequence
from itertools import repeat
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model, QuerySet

FIRST = -(2**63)  # of the numbers that stand for values where these are not known yet; no id is so small


class Written(NamedTuple):
    """SQL with what has to be known to give it its values and to read its answer."""

    sql: str
    places: list[tuple[bool, Any]]  # for each parameter: whether it is one of the values, and its place or itself
    names: list[str]  # of the columns
    converted: list[tuple[int, Any]]  # the columns whose values the database's driver does not give as they should be


class Statement:
    """A queryset that depends on some values, and whose SQL Django writes once for each number of them.

    Writing it takes Django longer than carrying it out takes the database. `queryset` is given numbers, or texts, that
    stand for the values; so no value may decide what is written, and each must be what its column's driver takes.
    """

    def __init__(self, queryset: Callable[[Sequence[Any]], QuerySet[Any, Any]], kind: type = int) -> None:
        self.queryset = queryset
        self.kind = kind
        self.written: dict[int, Written] = {}  # by the number of values

    def rows(self, values: Sequence[Any]) -> tuple[list[str], list[Sequence[Any]]]:
        """Return the names of the columns and the rows."""
        sql, places, names, columns = self.written.get(len(values)) or self.write(len(values))
        with connection.cursor() as cursor:
            cursor.execute(sql, [values[place] if is_value else place for is_value, place in places])
            found = cursor.fetchall()
        if columns and found:
            found = converted(found, columns)
        return names, found

    def write(self, count: int) -> Written:
        stand_ins = [self.kind(FIRST + number) for number in range(count)]
        query = self.queryset(stand_ins).query
        compiler = query.get_compiler(DEFAULT_DB_ALIAS)
        sql, parameters = compiler.as_sql()
        columns = [column for column, _, _ in compiler.select]
        names = list(query.selected or ()) or [column.target.attname for column in columns]
        known = {value: place for place, value in enumerate(stand_ins)}
        places = [
            (True, known[value]) if isinstance(value, self.kind) and value in known else (False, value)
            for value in parameters
        ]
        need = [(place, column) for place, column in enumerate(columns) if converters_of(column)]
        self.written[count] = Written(sql, places, names, need)
        return self.written[count]


class Rows(Statement):
    """The rows of a queryset by the ids that one of their fields has, as dictionaries, in one query.

    The SQL is written once for so many ids, and again for twice as many. `values` returns a new queryset of named
    values.
    """

    def __init__(self, values: Callable[[], QuerySet[Any, Any]], by: str) -> None:
        super().__init__(lambda ids: values().filter(**{f"{by}__in": ids}))

    def read(self, ids: Collection[int]) -> list[dict[str, Any]]:
        if not ids:
            return []
        names, rows = self.rows(roomy(ids))
        return [dict(zip(names, row, strict=True)) for row in rows]


class Instances(Statement):
    """The rows of a queryset by their ids, as the model's instances, in one query."""

    def __init__(self, queryset: QuerySet[Any, Any]) -> None:
        super().__init__(lambda ids: queryset.order_by().filter(pk__in=ids))
        self.model: type[Model] = queryset.model

    def read(self, ids: Collection[int]) -> dict[int, Any]:
        if not ids:
            return {}
        names, rows = self.rows(roomy(ids))
        found = (self.model.from_db(DEFAULT_DB_ALIAS, names, row) for row in rows)
        return {row.pk: row for row in found}


def roomy(ids: Collection[int]) -> list[int]:
    """Return the ids, the first of them so often that their number is a power of two."""
    room: int = 1 << (len(ids) - 1).bit_length()
    return [*ids, *repeat(next(iter(ids)), room - len(ids))]


def converters_of(column: Any) -> list[Any]:
    """Return what makes of a column's values what Django would give, for this thread's connection."""
    return [*connection.ops.get_db_converters(column), *column.get_db_converters(connection)]


def converted(rows: list[Sequence[Any]], columns: list[tuple[int, Any]]) -> list[Sequence[Any]]:
    converters = [(place, column, converters_of(column)) for place, column in columns]
    changed: list[Any] = [list(row) for row in rows]
    for row in changed:
        for place, column, steps in converters:
            for step in steps:
                row[place] = step(row[place], column, connection)
    return changed
