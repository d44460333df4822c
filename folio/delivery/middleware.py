"""What comes before every public address: whether it is open, how often one may ask, and what is not looked at."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from folio.api.addresses import client_address, network_of
from folio.api.errors import json_error, with_wait
from folio.api.limits import PUBLIC, in_seconds, told
from folio.api.rates import rates
from folio.snapshots.public import PREFIX

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
        return self.counted(request)

    def counted(self, request: HttpRequest) -> HttpResponse:
        """Refuse whoever has asked more often than FOLIO_PUBLIC_RATE; what memory answered never comes here."""
        rate = settings.PUBLIC_RATE
        address = network_of(client_address(request)) if rate else ""
        standing = rates.take(f"{PUBLIC} {address}", *rate) if rate and address else None
        if rate is None or standing is None:
            return self.get_response(request)
        if standing.wait:
            response = json_error(429, f"Too many requests from this address. {in_seconds(standing.wait)}")
            with_wait(response, standing.wait)
        else:
            response = self.get_response(request)
        for name, value in told(PUBLIC, rate, standing).items():
            response.headers[name] = value
        return response


def forget_headers(request: HttpRequest) -> None:
    """Take out of a request all that must not change a public answer: keys, cookies, `Accept`, conditions of writes."""
    for name in [name for name in request.META if name.startswith("HTTP_") and name not in HEARD]:
        del request.META[name]
    vars(request).pop("headers", None)  # which Django may have made of them already
