from functools import cache
from threading import Lock
from typing import Any

from django.urls import get_script_prefix
from django.utils.translation import override
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from .conditions import conditions_of
from .generators import ManagingGenerator
from .limits import Counted
from .renderers import JSONRenderer
from .viewsets import StrictView, base_url

# Swagger UI writes styles into its page, and shows its signs as data.
DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)

turn = Lock()  # drf-spectacular fails where two threads make its first description together


def openapi_schema(generator: type[SchemaGenerator] = ManagingGenerator) -> dict[str, Any]:
    """Return an API's description, the same for every client but for the server's address."""
    with turn:
        return generated_schema(generator)  # type: ignore[arg-type]  # a class can be hashed


@cache
def generated_schema(generator: type[SchemaGenerator]) -> dict[str, Any]:
    with override("en"):  # whichever language the first to ask for it has
        schema: dict[str, Any] = generator().get_schema(request=None, public=True)
    return schema


class SchemaView(StrictView):
    """Read this description, as OpenAPI 3.1."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    answers = {"get": (200, {"type": "object"})}
    generator: type[SchemaGenerator] = ManagingGenerator

    def get(self, request: Request) -> Response:
        address = f"{base_url(request)}{get_script_prefix().rstrip('/')}"
        return Response({**openapi_schema(self.generator), "servers": [{"url": address}]})


class DocsView(Counted, SpectacularSwaggerSplitView):
    """Swagger UI over the API's description, from this server's own files; its script is an answer of its own."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    url_name = "schema"
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        conditions_of(request, taken=())

    def handle_exception(self, exc: Exception) -> Response:
        # Errors have no page: the one renderer of this view would say of them what their status is called, no more.
        self.request.accepted_renderer, self.request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
        return super().handle_exception(exc)

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response: Response = super().get(request, *args, **kwargs)
        response.headers["Content-Security-Policy"] = DOCS_POLICY
        return response
