from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http.response import HttpResponseBase
from django.utils.http import parse_header_parameters

from folio.current import TOLD, Told


class Request(WSGIRequest):
    """A request whose texts are UTF-8, whatever charset its Content-Type names.

    Django would decode the query string by that charset while it makes the request, before any middleware: `zlib` is
    one that Python knows and can't decode by. A Content-Type that can't be parsed is left to the view to refuse.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except ValueError:
            self.content_type, self.content_params = "", {}


class Handler(WSGIHandler):
    request_class = Request

    def get_response(self, request: Any) -> HttpResponseBase:
        response = super().get_response(request)
        request.META[TOLD] = told_of(request)
        return response


def told_of(request: Any) -> Told:
    """Return what a request turned out to be, as far as it was looked for: this asks the database for nothing."""
    match = request.resolver_match
    route = f"/{match.route.removeprefix('^')}" if match else ""
    token = getattr(request, "auth", None)  # which REST framework notes, as it does the user
    if token:
        return Told(route, token.user.get_username(), str(token))
    user = getattr(request, "_cached_user", None)  # by Django's middleware, once a page of the admin site has asked
    return Told(route, user.get_username() if user else "")
