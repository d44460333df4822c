"""The outermost layer: gives each request its id, answers questions about health, and tells of requests in the log.

Where neither the log of requests nor that of slow ones is on, a request costs an id and a header more, whatever answers
it.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

from folio.current import HEADER, HITS, MEMORY, NOTHING, TOLD, Statements, current, id_of, ids
from folio.snapshots.front import Application, Environ, Headers, StartResponse, has_body

from .echo import MEMBER as DOCTOR
from .echo import echo, nonce_in
from .health import Health
from .lines import Hits, InALine, record_of
from .shown import client_of, in_ms, shown, shown_path, summary
from .slow import slowest, watch

if TYPE_CHECKING:
    from .metrics.counting import Counting

logger = logging.getLogger("folio.requests")


class TimedInput:
    """A request's body, and how long its client let us wait for it."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.seconds = 0.0

    def read(self, *size: Any) -> bytes:
        return self.timed(self.stream.read, *size)

    def readline(self, *size: Any) -> bytes:
        return self.timed(self.stream.readline, *size)

    def readlines(self, *hint: Any) -> list[bytes]:
        return self.timed(self.stream.readlines, *hint)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def timed(self, read: Callable[..., Any], *arguments: Any) -> Any:
        started = perf_counter()
        try:
            return read(*arguments)
        finally:
            self.seconds += perf_counter() - started


class Pieces:
    """What an answer consists of, piece by piece; the request ends when the server closes it."""

    def __init__(self, body: Iterable[bytes], request_id: str, end: Callable[[int], None]) -> None:
        self.body = body
        self.request_id = request_id
        self.end = end  # given the bytes that went out
        self.size = 0
        self.has_ended = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.body:
            self.size += len(piece)
            yield piece

    def close(self) -> None:
        current.id = self.request_id  # what ends with the request is logged as its own
        try:
            if hasattr(self.body, "close"):
                self.body.close()
        finally:
            if not self.has_ended:
                self.has_ended = True
                self.end(self.size)
            current.id = ""


class Thread(threading.local):
    """What is done once in each thread: what it asks of the database is counted from then on, for its requests."""

    def __init__(self) -> None:
        self.database = connections[DEFAULT_DB_ALIAS]
        watch(self.database)


thread = Thread()
NONE = Statements()  # of a request of which they are not counted


class Watched:
    """A request while it is answered, and what is told of it afterwards."""

    __slots__ = ("environ", "id", "input", "method", "path", "start_response", "started", "statements", "status_line")

    def __init__(self, environ: Environ, start_response: StartResponse, request_id: str) -> None:
        self.environ = environ
        self.start_response = start_response
        self.id = request_id
        self.method, self.path = environ["REQUEST_METHOD"], environ["PATH_INFO"]  # which the layers within may change
        self.status_line = "500"  # as the server answers where the application fails
        self.statements = NONE
        self.input: TimedInput | None = None
        if has_body(environ):
            self.input = environ["wsgi.input"] = TimedInput(environ["wsgi.input"])
        self.started = perf_counter()

    def begin(self) -> None:
        """Count what this thread asks of the database from now on."""
        thread.database  # noqa: B018 which has begun to count them then
        self.statements = current.statements = Statements()

    def start(self, status: str, headers: Headers, *more: Any) -> Any:
        self.status_line = status
        return self.start_response(status, [*headers, (HEADER, self.id)], *more)

    @property
    def status(self) -> int:
        return int(self.status_line[:3])

    def fields(self, seconds: float, size: int) -> dict[str, Any]:
        """Return the request as members of an object."""
        environ = self.environ
        told = environ.get(TOLD, NOTHING)
        return {
            "method": shown(self.method),
            "path": shown_path(self.path, environ.get("QUERY_STRING", "")),
            "route": told.route or None,
            "status": self.status,
            "ms": in_ms(seconds),
            "queries": self.statements.count,
            "queries_ms": in_ms(self.statements.seconds),
            "memory": environ.get(MEMORY),
            "bytes": size,
            "client": client_of(environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR", "")) or None,
            "user": told.user or None,
            "key": told.key or None,
        }


class Requests:
    """Answers as the application does, with the request's id, and tells of it where that is asked for."""

    def __init__(
        self,
        application: Application,
        health: Health,
        *,
        access_log: bool = False,
        slow_ms: int = 0,
        counting: "Counting | None" = None,
    ) -> None:
        self.application = application
        # What is asked every few seconds, and so not told of.
        self.own: dict[str, Application] = dict.fromkeys(health.paths, health)
        self.access_log = access_log
        self.slow_ms = slow_ms
        self.counting = counting
        self.is_logging = access_log or slow_ms > 0
        self.is_watching = self.is_logging or counting is not None

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        given = environ.get("HTTP_X_REQUEST_ID")
        current.id = request_id = ids.new() if given is None else id_of(given)
        own = self.own.get(environ["PATH_INFO"])
        if own is None and DOCTOR in environ and nonce_in(environ) is not None:
            own = echo
        if own is None and self.is_watching:
            return self.watched(Watched(environ, start_response, request_id))

        def start(status: str, headers: Headers, *more: Any) -> Any:
            return start_response(status, [*headers, (HEADER, request_id)], *more)

        if own is not None:
            return own(environ, start)
        body = self.application(environ, start)
        if isinstance(body, list):
            current.id = ""
            return body
        return Pieces(body, request_id, nothing)

    def watched(self, request: Watched) -> Iterable[bytes]:
        """Answer, and tell of the request at its end."""
        if self.is_logging:
            request.begin()
        try:
            body = self.application(request.environ, request.start)
        except BaseException:
            request.status_line = "500"
            self.tell(request, 0)
            raise
        if isinstance(body, list):
            self.tell(request, len(body[0]) if len(body) == 1 else sum(map(len, body)))
            current.id = ""
            return body
        return Pieces(body, request.id, partial(self.tell, request))

    def tell(self, request: Watched, size: int) -> None:
        """Tell of a request that was answered with so many bytes."""
        seconds = perf_counter() - request.started
        if self.is_logging:
            current.statements = None
        environ = request.environ
        hits = environ.get(HITS)
        if hits is None:
            if self.counting is not None:
                self.counting.count(self.place_of(request), seconds)
            if self.is_logging:
                self.log(request, seconds, size)
            return
        # What such requests have in common was found out for the first of them.
        kind = request.method, request.status_line, size
        known = hits.get(kind)
        if known is None:
            place = 0 if self.counting is None else self.place_of(request)
            known = hits[kind] = place, Hits(logger, partial(request.fields, 0, size)) if self.access_log else None
        place, lines = known
        if self.counting is not None:
            self.counting.count(place, seconds)
        if not self.is_logging:
            return
        is_slow = 0 < self.slow_ms <= seconds * 1000
        if lines is None or is_slow or request.statements.count or not lines.tell(environ, request.id, seconds):
            self.log(request, seconds, size)

    def place_of(self, request: Watched) -> int:
        assert self.counting is not None
        told = request.environ.get(TOLD, NOTHING)
        return self.counting.place_of(
            told.route, request.method, request.status, request.environ.get(MEMORY), request.path
        )

    def log(self, request: Watched, seconds: float, size: int) -> None:
        """Write what is asked for: a line for each request, and one for those that were slow."""
        work = seconds - (request.input.seconds if request.input else 0)
        # What was put off with a 503, as one of many, is told of by what made it so.
        is_slow = 0 < self.slow_ms <= work * 1000 and request.status != 503
        if not (self.access_log or is_slow):
            return
        fields = request.fields(seconds, size)
        if self.access_log:
            logger.handle(record_of(logging.INFO, InALine(fields), request.id, {"message": summary(fields), **fields}))
        if is_slow:
            found = slowest(request.statements)
            words = (
                f"Slow: {summary(fields)} took {in_ms(work):,} ms, route={fields['route'] or '-'}, "
                f"{fields['queries']} queries in {fields['queries_ms']:,} ms"
            )
            more = {"work_ms": in_ms(work), "slowest": [one._asdict() for one in found]}
            line = "; ".join([words, *map(str, found)])
            logger.handle(record_of(logging.WARNING, line, request.id, {"message": words, **fields, **more}))


def requests_of(application: Application) -> Requests:
    """Return the layer that the settings ask for."""
    health = Health()
    if not settings.METRICS:
        return Requests(application, health, access_log=settings.ACCESS_LOG, slow_ms=settings.SLOW_MS)
    from . import metrics  # which nothing is spent on where nobody may ask

    counting, answer = metrics.begin(health, getattr(application, "cache", None))
    requests = Requests(
        application, health, access_log=settings.ACCESS_LOG, slow_ms=settings.SLOW_MS, counting=counting
    )
    if settings.METRICS_TOKEN:
        requests.own[metrics.PATH] = answer
    return requests


def nothing(size: int) -> None:
    """Tell nothing of an answer's end."""
