from typing import Any
from urllib.parse import urlencode

import msgspec
from django.http import HttpRequest

from .filters import DEFAULT_LIMIT, MAX_LIMIT

PAGING = ("limit", "offset")


def page_of(row: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """Return the shape of a page of such rows."""
    return msgspec.defstruct(
        f"{row.__name__}Page",
        [("count", int), ("next", str | None), ("previous", str | None), ("results", list[row])],  # type: ignore[valid-type]
        module=row.__module__,
    )


class Window:
    """Which rows of a list a request asks for."""

    def __init__(self, parameters: dict[str, Any]) -> None:
        self.limit = min(parameters.get("limit") or DEFAULT_LIMIT, MAX_LIMIT)
        self.offset = parameters.get("offset") or 0

    def slice(self, ids: Any, count: int) -> list[int]:
        """Return the window's part of a queryset of ids, read from the nearer end; an empty one without a query."""
        start, stop = self.offset, min(self.offset + self.limit, count)
        if start >= stop:
            return []
        if start <= count - stop:
            return list(ids[start:stop])
        return list(ids.reverse()[count - stop : count - start])[::-1]

    def links(self, request: HttpRequest, count: int) -> dict[str, str | None]:
        """Return the absolute URLs of the pages beside this one; they keep the request's other parameters."""
        others = [(name, value) for name, values in request.GET.lists() if name not in PAGING for value in values]
        url = f"{request.build_absolute_uri(request.path)}?{urlencode([*others, ('limit', self.limit)])}"
        after, before = self.offset + self.limit, self.offset - self.limit
        return {
            "next": f"{url}&offset={after}" if after < count else None,
            "previous": None if self.offset == 0 else url if before <= 0 else f"{url}&offset={before}",
        }
