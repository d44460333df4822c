"""The response cache: a WSGI application in front of Django.

The order of events is what makes it right. A request first looks which snapshot is current, and only then is answered:
from an entry that was computed after a look at the same snapshot, or by Django, whose answer is kept under the snapshot
of the look before it. A commit meanwhile moves the snapshot, so that what it tore is never given again.
"""

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from math import inf
from typing import Any, NamedTuple

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.utils.http import parse_etags

from folio.current import HITS, MEMORY, NOTHING, TOLD
from folio.outages import IMPATIENCE, threads

from . import BUSY, KEEP, LOOKS, SNAPSHOT, looks
from .caches import SnapshotCache
from .encodings import ENCODERS, IDENTITY, best_encoding
from .etags import digest_of, etag_of
from .looks import Looks
from .origins import Origins, is_preflight
from .public import FOR_EVERYONE, NEVER_TOLD, Public, holds_secret
from .public import KEY as PUBLIC_KEY

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

API_PREFIX = "/api/"
FILES = ("/media/", "/static/")  # no database stands behind these: they are served while it is away
# All that an answer may depend on besides the database; the encoding is chosen afterwards.
KEY = (
    "PATH_INFO",
    "QUERY_STRING",
    "HTTP_AUTHORIZATION",
    "HTTP_ACCEPT",
    "HTTP_HOST",
    "SERVER_NAME",
    "SERVER_PORT",
    "SCRIPT_NAME",
    "wsgi.url_scheme",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_IF_MATCH",  # with which no read is answered, but refused
    "HTTP_IF_UNMODIFIED_SINCE",
    "HTTP_IDEMPOTENCY_KEY",
)
OWN_HEADERS = {"content-length", "vary", "cache-control", KEEP.lower()}
# What only says how a browser shows a page, or what a refused method is told.
PAGE_HEADERS = {"x-frame-options", "referrer-policy", "cross-origin-opener-policy", "allow"}
# What is told of one request: of a count that it was a part of, and no answer from memory is.
OF_ONE_REQUEST = {"ratelimit", "ratelimit-policy"}
OVERHEAD = 2048  # bytes that an entry takes beside its key and bodies, roughly
NEVER_KEPT = {"set-cookie", "content-encoding"}  # what is for one client, or already in a form of its own
BODY_HEADERS = {"Content-Type", "Content-Length", "Content-Encoding"}  # which a `304` goes without
SMALL = 256  # bytes, below which compression gains nothing
READS_AT_ONCE = 4  # that Django computes; each takes megabytes, and more of them only wait for Python's lock
SEARCHES_AT_ONCE = 2  # of these: they may take long, and other reads need not wait for their end


class Form(NamedTuple):
    """An answer in one encoding."""

    etag: str
    headers: Headers
    headers_of_304: Headers
    body: bytes


class Entry:
    """An answer that may be given again, in each encoding that was asked for."""

    __slots__ = ("body", "deadline", "digest", "forms", "headers", "hits", "is_small", "key_size", "limited", "told")

    def __init__(
        self, headers: Headers, body: bytes, deadline: float, key: tuple[str | None, ...], public: Public | None = None
    ) -> None:
        dropped = OWN_HEADERS | PAGE_HEADERS | NEVER_TOLD | OF_ONE_REQUEST
        self.headers = [(name, value) for name, value in headers if name.lower() not in dropped]
        self.limited: Public | None = None  # whose `Cache-Control` depends on how near the deadline is
        if public is None:
            self.headers += [("Cache-Control", "private, no-cache"), ("Vary", "Authorization, Accept, Accept-Encoding")]
        else:
            self.headers += [*FOR_EVERYONE, ("Vary", "Accept-Encoding")]
            if deadline == inf:
                self.headers.append(("Cache-Control", public.cache_control(deadline)))
            else:
                self.limited = public
        self.body = body
        self.is_small = len(body) < SMALL
        self.digest = digest_of(body)
        self.deadline = deadline
        self.forms: dict[str, Form] = {}
        self.told = NOTHING  # of whoever asked first: the key is a part of what the entry is kept under
        self.hits: dict[Any, Any] = {}  # what is told alike of requests that it has answered
        self.key_size = sum(len(part) for part in key if part)

    @property
    def size(self) -> int:
        """About what the entry takes, in bytes."""
        forms = list(self.forms.items())  # at once: another thread may be adding one
        compressed = sum(len(form.body) for encoding, form in forms if encoding != IDENTITY)
        return OVERHEAD + self.key_size + len(self.body) + compressed

    def form(self, encoding: str) -> Form:
        """Return the answer in that encoding, made at its first use."""
        try:
            return self.forms[encoding]
        except KeyError:
            body = self.body if encoding == IDENTITY else ENCODERS[encoding](self.body)
            etag = etag_of(self.digest, encoding)
            headers = [*self.headers, ("ETag", etag), ("Content-Length", str(len(body)))]
            if encoding != IDENTITY:
                headers.append(("Content-Encoding", encoding))
            headers_of_304 = [header for header in headers if header[0] not in BODY_HEADERS]
            return self.forms.setdefault(encoding, Form(etag, headers, headers_of_304, body))


class Thread(threading.local):
    """What a thread knows of the database: Django's connection, and the generation of the watch that it was made in."""

    def __init__(self) -> None:
        self.database = connections[DEFAULT_DB_ALIAS]
        self.generation: int | None = None


def call_with_room_for_frames(
    application: Application, environ: Environ, start_response: StartResponse
) -> Iterable[bytes]:
    """Call Django for a page: its templates call deeply. Why this helps: docs/decisions/0018-room-for-frames.md."""
    return application(environ, start_response)


call_with_room_for_frames.__code__ = call_with_room_for_frames.__code__.replace(co_stacksize=40_000)  # words


class SnapshotFront:
    """Answers reads of the API from memory, for as long as nothing was committed since they were computed.

    Kept is what a view marked with the header `KEEP`, a `200` to a `GET`; everything else passes through untouched.
    """

    def __init__(
        self,
        application: Application,
        looks: Looks | None,
        cache: SnapshotCache,
        *,
        timing: bool = False,
        public: Public | None = None,
        origins: Origins | None = None,
        is_told: bool = False,
    ) -> None:
        self.application = application
        self.looks = looks
        self.cache = cache
        self.timing = timing
        self.public = public
        self.origins = origins
        self.is_told = is_told  # what memory has answered, to whoever logs it
        self.thread = Thread()
        self.turns = threading.BoundedSemaphore(READS_AT_ONCE)
        self.turns_of_searches = threading.BoundedSemaphore(SEARCHES_AT_ONCE)
        self.patient = threading.Semaphore(max(1, threads() // 8))

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if path.startswith(FILES):
            return self.application(environ, start_response)
        if not path.startswith(API_PREFIX):
            self.look()
            return call_with_room_for_frames(self.application, environ, start_response)
        public = self.public
        if public is not None and not public.covers(path):
            public = None
        rules = public or self.origins
        if rules is not None and method == "OPTIONS" and is_preflight(environ):
            return rules.preflight(environ, start_response)
        if public is None and self.origins is not None:
            start_response = self.origins.telling(environ, start_response)
        if method == "GET" or method == "HEAD":
            return self.read(environ, start_response, public)
        self.look()
        if public is not None:
            start_response = public.telling(start_response, PAGE_HEADERS)
        return self.application(environ, start_response)

    def read(self, environ: Environ, start_response: StartResponse, public: Public | None) -> Iterable[bytes]:
        """Answer a read of the API from memory, or ask Django and keep what it answers; `public` where anyone may."""
        started = time.perf_counter()
        snapshot = self.look()
        if has_body(environ):
            snapshot = None
        key = tuple(map(environ.get, KEY if public is None else PUBLIC_KEY))
        entry = None if snapshot is None else self.cache.get(snapshot, key)
        if entry is not None and time.time() < entry.deadline:
            if self.is_told:
                environ[MEMORY], environ[TOLD], environ[HITS] = "hit", entry.told, entry.hits
            return self.answer(environ, start_response, entry, snapshot, key, ("hit", started))
        method = environ["REQUEST_METHOD"]
        environ[SNAPSHOT], environ[LOOKS] = snapshot, self.looks
        environ["REQUEST_METHOD"] = "GET"  # HEAD is answered like GET, without the body
        status, headers, body = self.ask(environ)
        environ["REQUEST_METHOD"] = method
        deadline = told_deadline(headers)
        is_secret = public is not None and holds_secret(environ.get("QUERY_STRING", ""))
        if is_secret or deadline is None or not may_be_kept(status, headers, body):
            headers = [header for header in headers if header[0] != KEEP]
            if public is not None:
                headers = public.headers(status, headers, deadline, PAGE_HEADERS)
                headers = public.for_its_sender(headers) if is_secret else headers
            start_response(status, headers)
            return body if method == "GET" else emptied(body)
        entry = Entry(headers, b"".join(body), deadline, key, public)
        entry.told = environ.get(TOLD, NOTHING)
        environ[MEMORY] = "miss"
        emptied(body)
        told = [header for header in headers if header[0].lower() in OF_ONE_REQUEST]
        return self.answer(environ, start_response, entry, snapshot, key, ("miss", started), told)

    def look(self) -> int | None:
        """Return the current snapshot, or None where nothing may be taken from the cache or put into it.

        Every request looks, also one that writes: a connection that was made before the watch came to another file or
        server is closed first, or it would read, and write into, what is no longer the database.
        """
        thread = self.thread
        if self.looks is None or thread.database.in_atomic_block:
            return None
        snapshot = self.looks.snapshot()
        generation = self.looks.generation
        if thread.generation != generation:
            connections.close_all()
            thread.generation = generation
        return snapshot

    def ask(self, environ: Environ) -> tuple[str, Headers, Any]:
        """Return what Django answers."""
        head: tuple[str, Headers] = ("", [])

        def start_response(status: str, headers: Headers, exc_info: Any = None, /) -> None:
            nonlocal head
            head = status, headers  # an application that fails after it has begun begins again

        with ExitStack() as stack:
            if "search=" in environ.get("QUERY_STRING", ""):
                self.take(self.turns_of_searches, stack, environ)
            if not has_body(environ):  # which may come slowly
                self.take(self.turns, stack, environ)
            body = self.application(environ, start_response)
        return *head, body

    def take(self, turns: threading.BoundedSemaphore, stack: ExitStack, environ: Environ) -> None:
        """Wait for one of the turns, until the stack ends; tell the application where none came in time.

        Few may wait for long. The others keep a thread that might answer what needs no database.
        """
        if BUSY in environ:
            return
        if not turns.acquire(blocking=False):
            is_patient = self.patient.acquire(blocking=False)
            try:
                has_come = turns.acquire(timeout=settings.TURN_SECONDS if is_patient else IMPATIENCE)
            finally:
                if is_patient:
                    self.patient.release()
            if not has_come:
                environ[BUSY] = True
                return
        stack.callback(turns.release)

    def answer(
        self,
        environ: Environ,
        start_response: StartResponse,
        entry: Entry,
        snapshot: int | None,
        key: tuple[Any, ...],
        timing: tuple[str, float],
        told: Headers | None = None,
    ) -> Iterable[bytes]:
        """Answer from an entry: `304` where the client has it already; `told` is of this request alone."""
        accepted = environ.get("HTTP_ACCEPT_ENCODING")
        encoding = best_encoding(accepted, entry.is_small) if accepted else IDENTITY
        form = entry.forms.get(encoding)
        if form is None:
            form = entry.form(encoding)
            if snapshot is not None:
                self.cache.put(snapshot, key, entry, entry.size)
        condition = environ.get("HTTP_IF_NONE_MATCH")
        is_known = condition is not None and matches(condition, form.etag)
        headers = form.headers_of_304 if is_known else form.headers
        if entry.limited is not None:
            headers = [*headers, ("Cache-Control", entry.limited.cache_control(entry.deadline))]
        if told:
            headers = [*headers, *told]
        if self.timing:
            outcome, started = timing
            duration = (time.perf_counter() - started) * 1000
            headers = [*headers, ("Server-Timing", f'cache;desc="{outcome}", total;dur={duration:.3f}')]
        start_response("304 Not Modified" if is_known else "200 OK", headers)
        return [form.body] if environ["REQUEST_METHOD"] == "GET" and not is_known else []


def front_of(application: Application) -> SnapshotFront:
    """Return the front that the settings ask for, over the default database."""
    return SnapshotFront(
        application,
        looks(),
        SnapshotCache(settings.RESPONSE_CACHE_SIZE),
        timing=settings.SERVER_TIMING,
        public=Public(seconds=settings.PUBLIC_CACHE_SECONDS),
        origins=Origins(settings.CORS_ORIGINS) if settings.CORS_ORIGINS else None,
        is_told=settings.ACCESS_LOG or settings.METRICS,
    )


def has_body(environ: Environ) -> bool:
    """Tell whether a request sends more than its head, which Django must read or refuse."""
    return environ.get("CONTENT_LENGTH", "0") not in {"0", ""} or "HTTP_TRANSFER_ENCODING" in environ


def told_deadline(headers: Headers) -> float | None:
    """Return until when an answer holds by the view's word, in seconds since the epoch; None where it says nothing."""
    return next((float(value) for name, value in headers if name == KEEP), None)


def may_be_kept(status: str, headers: Headers, body: Any) -> bool:
    """Tell whether an answer may be given again, where its view says that it holds."""
    if not status.startswith("200 ") or getattr(body, "streaming", False):
        return False
    return not any(name.lower() in NEVER_KEPT for name, _ in headers)


def matches(condition: str, etag: str) -> bool:
    """Tell whether `If-None-Match` names the ETag, weakly compared (RFC 9110, 13.1.2)."""
    return condition == etag or any(tag == "*" or tag.removeprefix("W/") == etag for tag in parse_etags(condition))


def emptied(body: Any) -> list[bytes]:
    """Close what Django answered, which ends its request, and return no body."""
    if hasattr(body, "close"):
        body.close()
    return []
