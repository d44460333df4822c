from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from django.db import connection
from django.http import HttpRequest

from .documents import URL, about
from .filters import DEFAULT_LIMIT, MAX_LIMIT

PAGING = ("limit", "offset")
Statement = tuple[str, tuple[Any, ...]]  # SQL and its parameters


def page_of(row: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """Return the shape of a page of such rows."""
    return msgspec.defstruct(
        f"{row.__name__}Page",
        [
            ("count", Annotated[int, about("How many rows match, on all pages together.")]),
            ("next", Annotated[URL | None, about("The next page; null on the last one.")]),
            ("previous", Annotated[URL | None, about("The page before; null on the first one.")]),
            ("results", Annotated[list[row], about("The rows of this page.")]),  # type: ignore[valid-type]
        ],
        namespace={"__doc__": "A page of a list."},
        module=row.__module__,
    )


class Window:
    """Which rows of a list a request asks for."""

    def __init__(
        self, parameters: dict[str, Any], default_limit: int = DEFAULT_LIMIT, max_limit: int = MAX_LIMIT
    ) -> None:
        self.limit = min(parameters.get("limit") or default_limit, max_limit)
        self.offset = parameters.get("offset") or 0

    def read(self, count: int, statement: Callable[[bool], Statement]) -> list[int]:
        """Return the window's part of `count` ids, read from the nearer end; an empty one without a query.

        `statement` returns the SELECT of all of them, in order or, with True, from the last to the first.
        """
        start, stop = self.offset, min(self.offset + self.limit, count)
        if start >= stop:
            return []
        is_reversed = start > count - stop
        sql, parameters = statement(is_reversed)
        with connection.cursor() as cursor:
            bounds = (stop - start, count - stop if is_reversed else start)
            cursor.execute(f"{sql} LIMIT %s OFFSET %s", (*parameters, *bounds))
            ids = [pk for (pk,) in cursor.fetchall()]
        return ids[::-1] if is_reversed else ids

    def links(self, request: HttpRequest, count: int) -> dict[str, str | None]:
        """Return the absolute URLs of the pages beside this one; they keep the request's other parameters."""
        others = [(name, value) for name, values in request.GET.lists() if name not in PAGING for value in values]
        url = f"{request.build_absolute_uri(request.path)}?{urlencode([*others, ('limit', self.limit)])}"
        after, before = self.offset + self.limit, self.offset - self.limit
        return {
            "next": f"{url}&offset={after}" if after < count else None,
            "previous": None if self.offset == 0 else url if before <= 0 else f"{url}&offset={before}",
        }
