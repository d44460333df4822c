from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.urls import is_valid_path

from .errors import json_error, unexpected

API_PREFIX = "/api/"
PIECE = 64 * 1024  # bytes


class EdgeMiddleware:
    """The outermost layer: the public address, and what every path under `/api/` promises.

    There, a path without its trailing slash redirects before anything else is asked, and no error is ever HTML.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.answer(request)
        read_rest(request)
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

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return unexpected(request, error) if request.path_info.startswith(API_PREFIX) else None

    def redirect_to_slash(self, request: HttpRequest) -> HttpResponse | None:
        path = request.path_info
        if path.endswith("/") or is_valid_path(path) or not is_valid_path(f"{path}/"):
            return None
        url = request.get_full_path(force_append_slash=True)
        return HttpResponsePermanentRedirect(url, preserve_request=request.method not in {"GET", "HEAD"})


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


def read_rest(request: HttpRequest) -> None:
    """Read what was left of a refused or redirected body, in pieces, up to twice what an upload may be.

    The server closes a connection on which a body was left. A client that still sends, or that follows a redirect on
    the same connection, would then see it break, and never the answer.
    """
    rest = 2 * settings.MAX_UPLOAD_SIZE
    with suppress(OSError):  # the client went away
        while rest > 0 and (piece := request._stream.read(PIECE)):
            rest -= len(piece)


def in_json(response: HttpResponse) -> HttpResponse:
    """Say in JSON what a layer before the API's views said in HTML."""
    detail = "There is nothing at this path. The API's paths are listed at /api/docs/."
    answer = json_error(response.status_code, detail if response.status_code == 404 else "")
    for header, value in response.headers.items():
        if header not in {"Content-Type", "Content-Length"}:
            answer.headers[header] = value
    return answer
