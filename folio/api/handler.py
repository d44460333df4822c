from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters


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
