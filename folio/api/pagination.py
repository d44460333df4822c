from typing import Any

import msgspec
from django.http import HttpRequest

from .filters import DEFAULT_LIMIT, MAX_LIMIT


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
        """Return the window's part of a queryset of ids, without a query where there is nothing to see."""
        return list(ids[self.offset : self.offset + self.limit]) if self.offset < count else []

    def links(self, request: HttpRequest, count: int) -> dict[str, str | None]:
        """Return the absolute URLs of the pages beside this one; they keep the request's other parameters."""
        after, before = self.offset + self.limit, self.offset - self.limit
        return {
            "next": self.url(request, after) if after < count else None,
            "previous": self.url(request, before) if self.offset > 0 else None,
        }

    def url(self, request: HttpRequest, offset: int) -> str:
        query = request.GET.copy()
        query["limit"] = str(self.limit)
        if offset > 0:
            query["offset"] = str(offset)
        else:
            query.pop("offset", None)
        return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
