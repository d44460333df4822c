from folio.api.views import SchemaView

from .schema import PublicGenerator
from .views import PublicView


class PublicSchemaView(PublicView, SchemaView):
    """Read this description, as OpenAPI 3.1."""

    generator = PublicGenerator
    operation_ids = {"get": "getSchema"}
