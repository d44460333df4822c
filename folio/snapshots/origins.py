"""Which pages of other origins may call the API from a browser (CORS, by the Fetch standard)."""

from collections.abc import Callable, Iterable
from typing import Any

Environ = dict[str, Any]
Headers = list[tuple[str, str]]

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
TAKEN = "Authorization, Content-Type, If-Match, If-None-Match, If-Unmodified-Since, Idempotency-Key"
TOLD = (
    "ETag, Location, Last-Modified, Retry-After, Idempotency-Replayed, Allow, WWW-Authenticate, X-Request-ID, "
    "RateLimit, RateLimit-Policy"
)
MAX_AGE = "7200"  # seconds; the most that browsers take


def is_preflight(environ: Environ) -> bool:
    """Tell whether a browser asks if it may ask."""
    return environ["REQUEST_METHOD"] == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ


class Origins:
    """The origins that may: they are told so on each answer, which says that it depends on the origin.

    No credentials of a browser's own are allowed, for none open the API: a page has to send a key.
    """

    def __init__(self, allowed: Iterable[str]) -> None:
        self.allowed = frozenset(allowed)

    def preflight(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer whether a page may ask; one that may not is told by what is missing."""
        headers: Headers = [("Vary", "Origin"), ("Cache-Control", "no-store")]
        origin = environ.get("HTTP_ORIGIN")
        if origin in self.allowed:
            headers += [
                ("Access-Control-Allow-Origin", origin),
                ("Access-Control-Allow-Methods", METHODS),
                ("Access-Control-Allow-Headers", TAKEN),
                ("Access-Control-Max-Age", MAX_AGE),
            ]
        start_response("204 No Content", headers)
        return []

    def telling(self, environ: Environ, start_response: Callable[..., Any]) -> Callable[..., Any]:
        """Return a `start_response` that tells the request's origin whether its page may read the answer."""
        origin = environ.get("HTTP_ORIGIN")
        told: Headers = []
        if origin in self.allowed:
            told = [("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", TOLD)]

        def start(status: str, headers: Headers, *more: Any) -> Any:
            vary = [value for name, value in headers if name.lower() == "vary"]
            others = [header for header in headers if header[0].lower() != "vary"]
            return start_response(status, [*others, ("Vary", ", ".join([*vary, "Origin"])), *told], *more)

        return start
