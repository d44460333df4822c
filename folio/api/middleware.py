import time
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO, IOBase
from math import inf
from threading import Lock
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect, UnreadablePostError
from django.shortcuts import render
from django.urls import is_valid_path

from folio.outages import THREADS as THREADS
from folio.outages import THREADS_VARIABLE as THREADS_VARIABLE
from folio.outages import threads
from folio.postgresql.pools import give_back
from folio.snapshots import BUSY
from folio.snapshots.public import PREFIX as PUBLIC_PREFIX

from .addresses import client_address, network_of
from .errors import EncodedBody, is_encoded, json_error, log_failure, unexpected, wants_json, with_wait

API_PREFIX = "/api/"
SMALL_BODY = 64 * 1024  # bytes
ENVELOPE = 64 * 1024  # bytes that a form may have around its file
RETRY_AFTER = 5  # seconds, after which one of many uploads has probably ended
PIECE = 16 * 1024  # bytes of a left body that are waited for at a time
PATIENCE = 30  # seconds for a left body
UNDECLARED = inf  # the size of a body of which none was declared
UNDECLARED_BODY = "folio.undeclared_body"  # in a request's environment: that such a body has begun to come


class Places:
    """How many bodies may be read at the same time: `count`, and half of them for one client.

    A client is an address, or the network that is one customer's. Those whose address is not told have no share: all of
    them would be one client.
    """

    def __init__(self, count: int) -> None:
        self.count = max(1, count)
        self.share = max(1, self.count // 2)
        self.turn = Lock()
        self.taken: dict[str, int] = {}
        self.refused = 0  # since the process began, for whoever watches it

    def take(self, client: str) -> bool:
        """Take a place; tell whether there was one for that client."""
        with self.turn:
            own = self.taken.get(client, 0)
            if sum(self.taken.values()) >= self.count or (client and own >= self.share):
                self.refused += 1
                return False
            self.taken[client] = own + 1
            return True

    def free(self, client: str) -> None:
        with self.turn:
            self.taken[client] -= 1
            if not self.taken[client]:  # else the addresses of all clients that ever came would stay
                del self.taken[client]


places: dict[str, Places] = {}  # this process's, by what they are for


class Body(IOBase):
    """A request's body of `size` bytes on its way in; it gives its place back with its last byte.

    One that ends before is an error: its beginning may be well formed, and mean something else.
    """

    def __init__(self, stream: BinaryIO, size: float, client: str = "") -> None:
        self.stream = stream
        self.size = self.left = size
        self.client = client
        self.is_asked_for = False
        self.places: Places | None = None  # of which it has one

    def take(self, places: Places) -> bool:
        """Take one of the places of those that may be read at the same time; tell whether one was free."""
        if not places.take(self.client):
            return False
        self.places = places
        return True

    def free(self) -> None:
        places, self.places = self.places, None
        if places is not None:
            places.free(self.client)

    def read(self, size: int = -1, /) -> bytes:
        """Return as many bytes as asked for, which are fewer only where none are left."""
        give_back()  # the client may take its time
        pieces = []
        wanted = self.left if size < 0 else min(size, self.left)
        while wanted > 0:
            piece = self.counted(self.stream.read(size if self.size == UNDECLARED else int(wanted)), size)
            if not piece:
                break
            pieces.append(piece)
            wanted -= len(piece)
        return b"".join(pieces)

    def readline(self, size: int | None = -1, /) -> bytes:
        give_back()
        return self.counted(self.stream.readline(-1 if size is None else size), size)

    def counted(self, piece: bytes, size: int | None) -> bytes:
        self.is_asked_for = True
        self.left -= len(piece)
        has_ended = not piece and size != 0
        if has_ended and 0 < self.left < UNDECLARED:
            raise OSError("The body ended before its Content-Length.")
        if self.left <= 0 or has_ended:
            self.left = 0
            self.free()
        return piece

    def read_ahead(self, request: HttpRequest) -> None:
        """Read all of a small body; of one of undeclared length, whether there is any."""
        with suppress(OSError):  # who reads on meets it again
            if self.size == UNDECLARED:
                request.META[UNDECLARED_BODY] = bool(self.read(1))
                return
            request._stream = BytesIO(self.read())

    def is_awaited_by(self, request: HttpRequest) -> bool:
        """Tell whether the client was never asked for its body (`Expect: 100-continue`), and so hasn't begun."""
        return not self.is_asked_for and request.headers.get("Expect", "").lower() == "100-continue"


class EdgeMiddleware:
    """The outermost layer: the public address, who may send a body now, and what every path under `/api/` promises.

    There, a path without its trailing slash redirects before anything else is asked, and no error is ever HTML.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.large = Places(threads() // 2)
        self.small = Places(threads() // 4)
        self.rests = Places(threads() // 8)
        places.update(uploads=self.large, small=self.small, rests=self.rests)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        body = body_of(request)
        if body is None:
            return self.answer(request)
        is_large = SMALL_BODY < body.size < UNDECLARED
        if not body.take(self.large if is_large else self.small):
            response = refuse_for_now()
        else:
            try:
                if not is_large:  # its place is free again before the work begins
                    body.read_ahead(request)
                    body.free()
                response = self.answer(request)
            finally:
                body.free()
                if body.left:
                    remove_half(request)
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
        if BUSY in request.META:
            return refuse_crowd(request)
        refusal = self.redirect_to_slash(request) or refuse_undeclared(request)
        if refusal is not None:
            return refusal
        response = self.get_response(request)
        if response.status_code >= 400 and "json" not in response.headers.get("Content-Type", ""):
            return in_json(response)
        return response

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponse | None:
        """Refuse a body that declares no size, or too much, before the CSRF check reads the form of whoever sends one.

        The API's views ask who it is first.
        """
        if request.path_info.startswith(API_PREFIX):
            return None
        if refusal := refuse_undeclared(request) or refuse_coding(request):
            return refusal if wants_json(request) else bad_request(request, refusal.status_code)
        if declared_size(request) <= largest_body():
            return None
        if wants_json(request):
            return json_error(413, too_large())
        return render(request, "folio/admin/too_large.html", {"size": settings.MAX_UPLOAD_SIZE}, status=413)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if request.path_info.startswith(API_PREFIX):
            return unexpected(request, error)
        return bad_request(request, 400) if isinstance(error, UnreadablePostError) else None

    def redirect_to_slash(self, request: HttpRequest) -> HttpResponse | None:
        path = request.path_info
        if path.endswith("/") or is_valid_path(path) or not is_valid_path(f"{path}/"):
            return None
        url = request.get_full_path(force_append_slash=True)
        is_write = request.method not in {"GET", "HEAD"} and not path.startswith(PUBLIC_PREFIX)  # there, nothing is
        return HttpResponsePermanentRedirect(url, preserve_request=is_write)

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


def remove_half(request: HttpRequest) -> None:
    """Remove what has come of a file whose body goes no further.

    Django removes it where the form ends; where the client does, it leaves it to Python's collector, which comes when
    there is enough to be collected.
    """
    for handler in request._upload_handlers:  # type: ignore[attr-defined]
        with suppress(OSError):  # what is left to be written may not fit on the disk
            handler.upload_interrupted()


def use_public_address(request: HttpRequest) -> None:
    """Give the request the scheme and host of FOLIO_PUBLIC_URL, once its own host was found allowed."""
    if settings.PUBLIC_URL:
        public = urlsplit(settings.PUBLIC_URL)
        request.META.update({"HTTP_HOST": public.netloc, "wsgi.url_scheme": public.scheme})


def body_of(request: HttpRequest) -> Body | None:
    """Return the body that a request has or may have; None where it has none, or where no end of it would be told.

    Django takes a body of undeclared length for none at all, and so a form or a change for an empty one.
    """
    if may_come_undeclared(request):
        is_told = request.META.get("wsgi.input_terminated")
        return Body(request.META["wsgi.input"], UNDECLARED, network_of(client_address(request))) if is_told else None
    if not declared_size(request):
        return None
    body = Body(request._stream, declared_size(request), network_of(client_address(request)))
    request._stream = cast(BinaryIO, body)
    return body


def may_come_undeclared(request: HttpRequest) -> bool:
    """Tell whether a body may come whose length was not declared; a `GET` has none that matters."""
    if "HTTP_TRANSFER_ENCODING" in request.META:
        return True
    return request.method not in {"GET", "HEAD"} and not request.META.get("CONTENT_LENGTH")


def refuse_undeclared(request: HttpRequest) -> HttpResponse | None:
    """Refuse a body of undeclared length, of which a byte has come.

    HTTP/1.0 knows no such body, and servers drop the bytes of a client that sends one: its Content-Type tells of it.
    """
    if not may_come_undeclared(request):
        return None
    may_be_dropped = (
        request.META.get("SERVER_PROTOCOL") in {"HTTP/1.0", "HTTP/1"}  # Granian calls it the latter
        and request.method in {"POST", "PUT", "PATCH"}
        and request.META.get("CONTENT_TYPE")
    )
    if may_be_dropped or request.META.get(UNDECLARED_BODY, "HTTP_TRANSFER_ENCODING" in request.META):
        return json_error(411, "Send the body with a Content-Length; one of undeclared length is not accepted.")
    return None


def refuse_coding(request: HttpRequest) -> HttpResponse | None:
    """Refuse a form in a coding that would have to be undone first; the API's parsers do so for themselves."""
    if not is_encoded(request) or not declared_size(request):
        return None
    return json_error(EncodedBody.status_code, EncodedBody.default_detail)


def bad_request(request: HttpRequest, status: int) -> HttpResponse:
    """Answer with a page that a request could not be read."""
    return render(request, "400.html", status=status)


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
        "The server is receiving as much at once as it can, or as it takes from one address. Nothing of this request "
        f"was kept; send it again in {RETRY_AFTER} seconds.",
    )
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def refuse_crowd(request: HttpRequest) -> HttpResponse:
    """Answer where so many reads were computed that no turn came in time."""
    response = with_wait(json_error(503, "The server has too much to compute at the moment. Ask again."), 1)
    log_failure(request, response, OperationalError("Too many reads wait for their turn to be computed."))
    return response


def in_json(response: HttpResponse) -> HttpResponse:
    """Say in JSON what a layer before the API's views said in HTML."""
    detail = "There is nothing at this path. The API's paths are listed at /api/docs/."
    answer = json_error(response.status_code, detail if response.status_code == 404 else "")
    for header, value in response.headers.items():
        if header not in {"Content-Type", "Content-Length"}:
            answer.headers[header] = value
    return answer
