"""OpenAPI 3.1 of what visitors read, from which clients are generated."""

from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from folio.api import documents
from folio.api.generators import PublicEndpoints
from folio.api.headers import TAKEN, TOLD, parameter
from folio.api.limits import LIMIT, POLICY, WAIT
from folio.api.schema import AutoSchema

INFO = {
    "title": "Folio: what visitors read",
    "description": "What is published, for websites, browsers, builders of static sites and CDNs. No key is needed, "
    "and none is looked at. Answers may be kept by caches on the way; `ETag` and `If-None-Match` tell whether one is "
    "still the same. What follows describes answers as they are without `include` and `fields`: these leave keys out.",
}
KNOWN = "If-None-Match"
MOVED = "The slug is a former one; `Location` leads to the present one, with the same parameters."
ERRORS = {
    429: "Too many requests came from this address; `Retry-After` says in how many seconds to ask again.",
    500: "The server failed.",
    503: "The database did not answer, or the server is busy; try again.",
}


class PublicSchema(AutoSchema):
    """One operation for visitors. A view may have `operation_ids`, for each action what clients call it."""

    def get_operation_id(self) -> str:
        given = getattr(self.view, "operation_ids", {}).get(self.action)
        if given:
            return str(given)
        if self.action == "list":
            return f"list{capital(self.view.resource)}"
        return f"get{capital(str(self.view.queryset.model._meta.verbose_name))}"

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix("/api/public/").split("/")[0].removesuffix(".xml")]

    def get_auth(self) -> list[Any]:
        return []

    def get_override_parameters(self) -> list[Any]:
        schema, text = TAKEN[KNOWN]
        parameters = [each for each in super().get_override_parameters() if each.location != OpenApiParameter.HEADER]
        parameters.append(parameter(KNOWN, schema, text))
        parameters.append(parameter("ETag", {"type": "string"}, TOLD["ETag"], response=[*self.success(), 304]))
        counted = [*self.success(), 304, 429]
        for name, statuses in ((POLICY, counted), (LIMIT, counted), (WAIT, [429])):
            parameters.append(
                parameter(name, {"type": "string"}, TOLD[name].replace("reads", "public"), response=statuses)
            )
        if self.may_move():
            parameters.append(parameter("Location", {"type": "string"}, TOLD["Location"], response=[301]))
        return parameters

    def errors(self) -> dict[int, OpenApiResponse]:
        missing = "Nothing that is published has this slug; or public reading is off, which `detail` says."
        closed = "Public reading is off; `detail` says which setting opens it."
        errors = {301: OpenApiResponse(None, MOVED)} if self.may_move() else {}
        errors[400] = OpenApiResponse(documents.FieldErrors, "A parameter is unknown, repeated or wrong.")
        errors[404] = OpenApiResponse(documents.Error, missing if "{" in self.path else closed)
        texts = {**getattr(self.view, "other_errors", {}), **ERRORS}
        return errors | {status: OpenApiResponse(documents.Error, text) for status, text in texts.items()}

    def get_response_serializers(self) -> Any:
        """Tell of a success in the view's own `media_type`, where it has one, and of all else in JSON."""
        media_type = getattr(self.view, "media_type", None)
        found = super().get_response_serializers().items()
        return {(status, media_type) if media_type and status == 200 else status: told for status, told in found}

    def may_move(self) -> bool:
        """Tell whether a row may have had another slug before."""
        return bool(getattr(self.view, "has_former_slugs", False) and "{" in self.path)


def capital(word: str) -> str:
    return f"{word[:1].upper()}{word[1:]}"


class PublicGenerator(SchemaGenerator):
    endpoint_inspector_cls = PublicEndpoints

    def get_schema(self, *args: Any, **kwargs: Any) -> Any:
        found = super().get_schema(*args, **kwargs)
        return {**found, "info": {**found["info"], **INFO}}
