from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularSwaggerView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from .viewsets import StrictView


@cache
def openapi_schema() -> dict[str, Any]:
    """Return the API's description, the same for every client."""
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return schema


class SchemaView(StrictView):
    """The API's description as OpenAPI 3.1."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    answers = {"get": (200, {"type": "object"})}

    def get(self, request: Request) -> Response:
        return Response(openapi_schema())


class DocsView(SpectacularSwaggerView):
    """Swagger UI over the API's description, from this server's own files."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    url_name = "schema"
