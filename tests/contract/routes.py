"""The API's routes, found in the URL configuration, so that a new one is tested or fails the suite."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.urls import URLPattern, URLResolver, get_resolver


class Route(NamedTuple):
    method: str
    path: str  # as in the URL configuration, such as `/api/tags/<int:pk>/`


def api_routes() -> list[Route]:
    """Return every method of every path of the managing API, but HEAD and OPTIONS.

    What holds for all public addresses is tested for each of them in `tests/delivery/test_edge.py`.
    """
    return [
        Route(method, path)
        for path, view in patterns(get_resolver().url_patterns, "/")
        if path.startswith("/api/") and not path.startswith("/api/public/")
        for method in methods(view)
    ]


def patterns(configured: list[Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for pattern in configured:
        path = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            yield path, pattern.callback


def methods(view: Any) -> list[str]:
    """Return what a view answers to: a viewset's mapped methods, or those that a class defines."""
    mapped = getattr(view, "actions", None)
    names = mapped if mapped else [name for name in view.cls.http_method_names if hasattr(view.cls, name)]
    return [name.upper() for name in names if name not in {"head", "options"}]
