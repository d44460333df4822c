"""Which addresses a description tells of: those for visitors have one of their own."""

from typing import Any

from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator

from folio.snapshots.public import PREFIX


class ManagingEndpoints(EndpointEnumerator):
    """All addresses but those for visitors."""

    def get_api_endpoints(self, *args: Any, **kwargs: Any) -> list[Any]:
        return [each for each in super().get_api_endpoints(*args, **kwargs) if not each[0].startswith(PREFIX)]


class ManagingGenerator(SchemaGenerator):
    endpoint_inspector_cls = ManagingEndpoints


class PublicEndpoints(EndpointEnumerator):
    """The addresses for visitors alone."""

    def get_api_endpoints(self, *args: Any, **kwargs: Any) -> list[Any]:
        return [each for each in super().get_api_endpoints(*args, **kwargs) if each[0].startswith(PREFIX)]
