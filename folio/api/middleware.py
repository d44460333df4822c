import os
import time
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO, IOBase
from threading import Semaphore
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.urls import is_valid_path

from .errors import json_error, unexpected, wants_json

API_PREFIX = "/api/"
THREADS_VARIABLE = "FOLIO_WORKER_THREADS"  # set by `folio serve` for its workers
THREADS = 64  # of a worker that was told nothing
SMALL_BODY = 64 * 1024  # bytes
ENVELOPE = 64 * 1024  # bytes that a form may have around its file
RETRY_AFTER = 5  # seconds, after which one of many uploads has probably ended
PIECE = 16 * 1024  # bytes of a left body that are waited for at a time
PATIENCE = 30  # seconds for a left body


class Body(IOBase):
    """A request's body of `size` bytes on its way in; it gives its place back with its last byte."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self.stream = stream
        self.size = self.left = size
        self.place: Semaphore | None = None

    def take(self, places: Semaphore) -> bool:
        """Take one of the places of those that may be read at the same time; tell whether one was free."""
        if not places.acquire(blocking=False):
            return False
        self.place = places
        return True

    def free(self) -> None:
        place, self.place = self.place, None
        if place is not None:
            place.release()

    def read(self, size: int = -1, /) -> bytes:
        return self.counted(self.stream.read(size), size)

    def readline(self, size: int | None = -1, /) -> bytes:
        return self.counted(self.stream.readline(-1 if size is None else size), size)

    def counted(self, piece: bytes, size: int | None) -> bytes:
        self.left -= len(piece)
        if self.left <= 0 or (not piece and size != 0):
            self.left = 0
            self.free()
        return piece

    def is_awaited_by(self, request: HttpRequest) -> bool:
        """Tell whether the client was never asked for its body (`Expect: 100-continue`), and so hasn't begun."""
        return self.left == self.size and request.headers.get("Expect", "").lower() == "100-continue"


class EdgeMiddleware:
    """The outermost layer: the public address, who may send a body now, and what every path under `/api/` promises.

    There, a path without its trailing slash redirects before anything else is asked, and no error is ever HTML.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        threads = int(os.environ.get(THREADS_VARIABLE, THREADS))
        self.large = Semaphore(max(1, threads // 2))
        self.small = Semaphore(max(1, threads // 4))
        self.rests = Semaphore(max(1, threads // 8))

    def __call__(self, request: HttpRequest) -> HttpResponse:
        size = declared_size(request)
        if not size:
            return self.answer(request)
        is_small = size <= SMALL_BODY
        body = Body(request._stream, size)
        if not body.take(self.small if is_small else self.large):
            response = refuse_for_now()
        else:
            try:
                request._stream = cast(BinaryIO, body)
                if is_small:  # its place is free again before the work begins
                    with suppress(OSError):  # a client that went away is the view's to find out
                        request._stream = BytesIO(body.read())
                    body.free()
                response = self.answer(request)
            finally:
                body.free()
        if body.left and not body.is_awaited_by(request):
            if not response.streaming:  # the client sees the answer's end, though the connection stays
                response.headers.setdefault("Content-Length", str(len(response.content)))
            response._resource_closers.append(lambda: self.read_rest(body))  # type: ignore[attr-defined]
        return response

    def answer(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(API_PREFIX):
            request.get_host()
            use_public_address(request)
            return self.get_response(request)
        try:
            request.get_host()
        except DisallowedHost:
            return json_error(
                400, "This host is not served here. Name it in FOLIO_ALLOWED_HOSTS or as FOLIO_PUBLIC_URL."
            )
        use_public_address(request)
        refusal = self.redirect_to_slash(request) or refuse_chunks(request)
        if refusal is not None:
            return refusal
        response = self.get_response(request)
        if response.status_code >= 400 and "json" not in response.headers.get("Content-Type", ""):
            return in_json(response)
        return response

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponse | None:
        """Refuse a body that declares too much before the CSRF check reads the form of whoever sends one.

        The API's views ask who it is first.
        """
        if request.path_info.startswith(API_PREFIX) or declared_size(request) <= largest_body():
            return None
        if wants_json(request):
            return json_error(413, too_large())
        return render(request, "folio/admin/too_large.html", {"size": settings.MAX_UPLOAD_SIZE}, status=413)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return unexpected(request, error) if request.path_info.startswith(API_PREFIX) else None

    def redirect_to_slash(self, request: HttpRequest) -> HttpResponse | None:
        path = request.path_info
        if path.endswith("/") or is_valid_path(path) or not is_valid_path(f"{path}/"):
            return None
        url = request.get_full_path(force_append_slash=True)
        return HttpResponsePermanentRedirect(url, preserve_request=request.method not in {"GET", "HEAD"})

    def read_rest(self, body: Body) -> None:
        """Read what was left of a refused or redirected body, after the answer was given to the server.

        The server closes a connection on which a body was left. A client that still sends, or that follows a redirect
        on the same connection, would then see it break, and never the answer. As a thread waits for the client here,
        few may, for `PATIENCE` seconds, and up to twice what an upload may be.
        """
        if not body.take(self.rests):
            return
        end = time.monotonic() + PATIENCE
        rest = 2 * settings.MAX_UPLOAD_SIZE
        try:
            with suppress(OSError):  # the client went away
                while body.left and rest > 0 and time.monotonic() < end:
                    rest -= len(body.read(PIECE))
        finally:
            body.free()


def use_public_address(request: HttpRequest) -> None:
    """Give the request the scheme and host of FOLIO_PUBLIC_URL, once its own host was found allowed."""
    if settings.PUBLIC_URL:
        public = urlsplit(settings.PUBLIC_URL)
        request.META.update({"HTTP_HOST": public.netloc, "wsgi.url_scheme": public.scheme})


def refuse_chunks(request: HttpRequest) -> HttpResponse | None:
    """Refuse a body of undeclared length, which WSGI would show to the view as no body at all."""
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower() and not request.headers.get("Content-Length"):
        return json_error(411, "Send the body with a Content-Length; chunked bodies are not accepted.")
    return None


def declared_size(request: HttpRequest) -> int:
    """Return the bytes of the request's body by its Content-Length; 0 where there is none, or none that is a number."""
    text = request.META.get("CONTENT_LENGTH") or ""
    return int(text) if text.isascii() and text.isdecimal() else 0


def largest_body() -> int:
    """Return the most bytes that any request may have."""
    return settings.MAX_UPLOAD_SIZE + ENVELOPE


def too_large() -> str:
    return f"The upload is larger than {settings.MAX_UPLOAD_SIZE} bytes, the most that is accepted."


def refuse_for_now() -> HttpResponse:
    response = json_error(
        503,
        "The server is receiving as much at once as it can. Nothing of this request was kept; "
        f"send it again in {RETRY_AFTER} seconds.",
    )
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def in_json(response: HttpResponse) -> HttpResponse:
    """Say in JSON what a layer before the API's views said in HTML."""
    detail = "There is nothing at this path. The API's paths are listed at /api/docs/."
    answer = json_error(response.status_code, detail if response.status_code == 404 else "")
    for header, value in response.headers.items():
        if header not in {"Content-Type", "Content-Length"}:
            answer.headers[header] = value
    return answer
