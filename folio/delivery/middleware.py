"""What comes before every public address: whether it is open, how often one may ask, and what is not looked at."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from folio.access.addresses import client_address, network_of
from folio.api.errors import json_error, with_wait
from folio.snapshots.public import PREFIX

from .rates import rates

OFF = (
    "Public reading is off on this server. Whoever runs it can open it with the setting FOLIO_PUBLIC_READ=on, and a "
    "restart."
)
METHODS = ("GET", "HEAD", "OPTIONS")
ALLOWED = ", ".join(METHODS)
# Of what a request says in its headers, all that is heard of: the host, whether a body comes, where it came from, and
# what the front asks for after Django has answered. The rest is none of the key that an answer is kept under.
HEARD = {
    "HTTP_HOST",
    "HTTP_TRANSFER_ENCODING",
    "HTTP_EXPECT",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_ACCEPT_ENCODING",
    "HTTP_IF_NONE_MATCH",
}


class PublicMiddleware:
    """Answers in the place of the public addresses while they are closed, or asked too often by one client.

    It stands behind `EdgeMiddleware`, which redirects to the slash first.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        forget_headers(request)
        if not settings.PUBLIC_READ:
            response = json_error(404, OFF)
            response.headers["Cache-Control"] = "no-store"  # it may be opened at any moment
            return response
        if request.method not in METHODS:
            response = json_error(405, f"Only {ALLOWED} are answered under {PREFIX}, which is for reading alone.")
            response.headers["Allow"] = ALLOWED
            return response
        return refuse_too_many(request) or self.get_response(request)


def forget_headers(request: HttpRequest) -> None:
    """Take out of a request all that must not change a public answer: keys, cookies, `Accept`, conditions of writes."""
    for name in [name for name in request.META if name.startswith("HTTP_") and name not in HEARD]:
        del request.META[name]
    vars(request).pop("headers", None)  # which Django may have made of them already


def refuse_too_many(request: HttpRequest) -> HttpResponse | None:
    """Refuse whoever has asked more often than FOLIO_PUBLIC_RATE; what was answered from memory never comes here."""
    if settings.PUBLIC_RATE is None:
        return None
    number, seconds = settings.PUBLIC_RATE
    wait = rates.take(network_of(client_address(request)), number, seconds)
    if not wait:
        return None
    several = "second" if wait == 1 else "seconds"
    return with_wait(json_error(429, f"Too many requests from this address. Ask again in {wait} {several}."), wait)
