"""What is told of answers that anyone may read: from every page of the web, and kept by whoever is on the way."""

import time
from collections.abc import Callable, Iterable
from math import floor, inf
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

Headers = list[tuple[str, str]]

PREFIX = "/api/public/"
# All that such an answer may depend on besides the database. What else a request says is taken out of it before a view
# could look, see `folio.delivery.middleware`.
KEY = ("PATH_INFO", "QUERY_STRING", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME", "wsgi.url_scheme")
FOR_EVERYONE: Headers = [("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", "ETag")]
PREFLIGHT: Headers = [
    *FOR_EVERYONE,
    ("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS"),
    ("Access-Control-Allow-Headers", "*, Authorization"),  # which `*` does not mean; it changes nothing here
    ("Access-Control-Max-Age", "7200"),  # seconds; the most that browsers take
    ("Cache-Control", "no-store"),
]
NEVER_TOLD = {"set-cookie", "vary", "cache-control", "access-control-allow-origin", "access-control-expose-headers"}
OPENS = "preview"  # the parameter that opens what is not public: what is answered then is for whoever sent it
FOR_ITS_SENDER: Headers = [
    ("Cache-Control", "no-store"),
    ("X-Robots-Tag", "noindex"),
    ("Referrer-Policy", "no-referrer"),
]
SECONDS_OF_ERRORS = 5  # of a `404` or a `301`
STALE = 10  # times as long as an answer is fresh, it may be given while a newer one is fetched


class Public(NamedTuple):
    """The rules of the addresses under a prefix."""

    prefix: str = PREFIX
    seconds: int = 60  # that caches on the way may keep an answer; 0 lets none

    def covers(self, path: str) -> bool:
        """Tell whether a path is one of them, also where the last slash of the prefix itself is missing."""
        return path.startswith(self.prefix) or path == self.prefix[:-1]

    def preflight(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a browser that asks whether a page may ask: any may, by reads."""
        start_response("204 No Content", [*PREFLIGHT])
        return []

    def cache_control(self, deadline: float) -> str:
        """Return how long a `200` may be kept that holds until the deadline, in seconds since the epoch."""
        left = seconds_until(deadline)
        fresh = min(self.seconds, left)
        if fresh <= 0:
            return "no-cache"
        stale = min(STALE * self.seconds, left - fresh)
        more = f", stale-while-revalidate={stale:.0f}" if stale else ""
        return f"public, max-age=0, s-maxage={fresh:.0f}{more}"

    def headers(self, status: str, headers: Headers, deadline: float | None, dropped: set[str]) -> Headers:
        """Return the headers of an answer that is not kept here; `deadline` as a view told it."""
        code = status[:3]
        if code == "405" or code == "204":
            dropped = dropped - {"allow"}
        return [
            *((name, value) for name, value in headers if name.lower() not in dropped | NEVER_TOLD),
            *FOR_EVERYONE,
            ("Cache-Control", self.passing(code, headers, inf if deadline is None else deadline)),
        ]

    def for_its_sender(self, headers: Headers) -> Headers:
        """Return the headers of an answer to a request that holds a secret."""
        names = {name.lower() for name, _ in FOR_ITS_SENDER}
        return [*(header for header in headers if header[0].lower() not in names), *FOR_ITS_SENDER]

    def passing(self, code: str, headers: Headers, deadline: float) -> str:
        is_secret = any(name.lower() == "cache-control" and "no-store" in value for name, value in headers)
        if is_secret or code not in {"404", "301"}:
            return "no-store"
        fresh = min(SECONDS_OF_ERRORS, seconds_until(deadline))
        return f"public, s-maxage={fresh:.0f}" if fresh > 0 else "no-cache"

    def telling(self, start_response: Callable[..., Any], dropped: set[str]) -> Callable[..., Any]:
        """Return a `start_response` that says of an answer what is to be said."""

        def start(status: str, headers: Headers, *more: Any) -> Any:
            return start_response(status, self.headers(status, headers, None, dropped), *more)

        return start


def holds_secret(query: str) -> bool:
    """Tell whether a query string has the parameter whose value is a secret, however its name is written."""
    if OPENS not in query and "%" not in query:
        return False
    return any(name == OPENS for name, _ in parse_qsl(query))


def seconds_until(deadline: float) -> float:
    """Return the whole seconds until then: one who keeps an answer for so long does not pass it."""
    return inf if deadline == inf else floor(deadline - time.time())
