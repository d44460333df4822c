from collections.abc import Callable, Collection
from itertools import chain, repeat
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import QuerySet

FIRST = -(2**63)  # of the numbers that stand for ids where these are not known yet; no id is so small


class Rows:
    """The rows of a queryset by the ids that one of their fields has, as dictionaries, in one query.

    The SQL is the one that Django writes, which takes it longer than carrying it out takes the database: it is written
    once for so many ids, and again for twice as many. `values` returns a new queryset of named values.
    """

    def __init__(self, values: Callable[[], QuerySet[Any, Any]], by: str) -> None:
        self.values = values
        self.by = by
        self.written: dict[int, Any] = {}  # by the number of ids that there is room for

    def read(self, ids: Collection[int]) -> list[dict[str, Any]]:
        if not ids:
            return []
        room = 1 << (len(ids) - 1).bit_length()
        query, columns, sql, places = self.written.get(room) or self.write(room)
        given = list(chain(ids, repeat(next(iter(ids)), room - len(ids))))
        with connection.cursor() as cursor:
            cursor.execute(sql, [given[place] if is_id else place for is_id, place in places])
            found = cursor.fetchall()
        compiler = query.get_compiler(DEFAULT_DB_ALIAS)  # a new one, for it holds the connection of its thread
        converted = compiler.apply_converters(found, compiler.get_converters(columns))
        return [dict(zip(query.selected, row, strict=True)) for row in converted]

    def write(self, room: int) -> Any:
        """Return the query, its columns, its SQL and its parameters; for each that is an id, its place among these."""
        stand_ins = range(FIRST, FIRST + room)
        query = self.values().filter(**{f"{self.by}__in": stand_ins}).query
        compiler = query.get_compiler(DEFAULT_DB_ALIAS)
        sql, parameters = compiler.as_sql()
        columns = [column for column, _, _ in compiler.select]
        places = [(True, value - FIRST) if value in stand_ins else (False, value) for value in parameters]
        self.written[room] = query, columns, sql, places
        return self.written[room]
