"""OpenAPI 3.1 from what the views declare: documents for answers, serializers for bodies, filters for parameters."""

import inspect
from typing import Any

import msgspec
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema as SpectacularAutoSchema
from drf_spectacular.plumbing import ResolvedComponent, build_bearer_security_scheme_object
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from . import documents
from .headers import headers_of


class DocumentExtension(OpenApiSerializerExtension):
    """Lets a `msgspec.Struct` stand where drf-spectacular expects a serializer."""

    target_class = "msgspec.Struct"
    match_subclasses = True

    def get_name(self, auto_schema: Any, direction: Any) -> str:
        name: str = self.target.__name__
        return name

    get_identity = get_name  # documents have names of their own, so that one met within another is the same

    def map_serializer(self, auto_schema: Any, direction: Any) -> Any:
        template = "#/components/schemas/{name}"
        _, components = msgspec.json.schema_components([self.target], ref_template=template)
        for part in components.values():  # msgspec leaves a docstring's indentation, which Markdown reads as code
            part["description"] = inspect.cleandoc(part["description"])
        schema = components.pop(self.target.__name__)
        if hasattr(self.target, "schema"):
            schema = {"description": schema["description"], **self.target.schema}
        for part in getattr(self.target, "parts", ()):  # that such a schema refers to
            auto_schema.resolve_serializer(part, direction)
        for name, part in components.items():
            component = ResolvedComponent(name=name, type=ResolvedComponent.SCHEMA, object=name, schema=part)
            auto_schema.registry.register_on_missing(component)
        return schema


class TokenScheme(OpenApiAuthenticationExtension):
    """Describes `Authorization: Token <key>`."""

    target_class = "folio.access.authentication.TokenAuthentication"
    name = "Token"

    def get_security_definition(self, auto_schema: Any) -> Any:
        return build_bearer_security_scheme_object(header_name="Authorization", token_prefix="Token")  # noqa: S106 no secret


class AutoSchema(SpectacularAutoSchema):
    """One operation: its parameters, answers and errors, as the view's class and action tell them.

    Besides what drf-spectacular knows, a view may have `answers`: for each action or method, the status and the
    document of its success; `other_answers`, for each the texts of further statuses with that document;
    `other_errors`, the texts of further errors by status; `summaries`, for each action what it does, where that is
    said in other words than usual; and `examples`, for each action or method a list of `OpenApiExample`.
    """

    view: Any

    @property
    def action(self) -> str:
        return getattr(self.view, "action", None) or self.method.lower()

    def get_operation_id(self) -> str:
        resource = getattr(self.view, "resource", None)
        return f"{resource}_{self.action}" if resource else str(super().get_operation_id())

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix("/api/").split("/")[0]]

    def get_summary(self) -> str:
        resource = getattr(self.view, "resource", None)
        if resource is None:
            return super().get_description().partition("\n")[0].rstrip(".")
        summary = getattr(self.view, "summaries", {}).get(self.action) or SUMMARIES[self.action]
        noun = str(self.view.queryset.model._meta.verbose_name) if self.view.queryset is not None else resource
        noun = NOUNS.get(noun, noun)
        return summary.format(one=f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}", several=resource)

    def get_description(self) -> str:  # type: ignore[override]
        about = [super().get_description()]
        about += [rule.describe(self.view) for rule in self.view.get_permissions() if hasattr(rule, "describe")]
        return "\n\n".join(about)

    def get_override_parameters(self) -> list[Any]:
        parameters = []
        if self.action == "list":
            filters = self.view.filterset_class.base_filters
        else:
            filters = getattr(self.view, "parameters", {}).get(self.action, {})
        for name, declared in filters.items():
            parameters.append(OpenApiParameter(name, declared.field.schema, description=declared.label))
        return parameters + headers_of(self.view, self.action, self.method, self.success())

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = super()._resolve_path_parameters(variables)
        return [{**parameter, "description": PATHS[parameter["name"]]} for parameter in found]

    def get_examples(self) -> list[OpenApiExample]:
        return getattr(self.view, "examples", {}).get(self.action, [])

    def get_response_serializers(self) -> Any:
        unchanged = {304: OpenApiResponse(None, "It is what `If-None-Match` names.")} if self.method == "GET" else {}
        return {**self.success(), **unchanged, **self.errors()}

    def _is_list_view(self, serializer: Any = None) -> bool:
        return False  # an answer's document is the whole of it, a page too; nothing is to be wrapped in an array

    def success(self) -> dict[int, Any]:
        answers = getattr(self.view, "answers", {})
        if self.action in answers:
            status, document = answers[self.action]
        else:
            status, document = {
                "list": (200, getattr(self.view, "page", None)),
                "create": (201, getattr(self.view, "document", None)),
                "destroy": (204, None),
            }.get(self.action, (200, getattr(self.view, "document", None)))
        texts = {
            status: "A page of them." if self.action == "list" else SUCCESS[status],
            **getattr(self.view, "other_answers", {}).get(self.action, {}),
        }
        return {status: OpenApiResponse(document, text) for status, text in texts.items()}

    def errors(self) -> dict[int, OpenApiResponse]:
        errors = {400: OpenApiResponse(documents.FieldErrors, "A parameter, or the body, is wrong.")}
        if self.view.authentication_classes:
            errors[401] = OpenApiResponse(documents.Error, "The key is missing or not valid.")
        if hasattr(self.view, "resource"):
            errors[403] = OpenApiResponse(documents.ForbiddenError, "The key is valid, but does not allow this.")
        if "{" in self.path:
            errors[404] = OpenApiResponse(documents.Error, "There is no such row.")
        errors[406] = OpenApiResponse(documents.Error, "`Accept` leaves no room for JSON.")
        errors |= self.conflicts()
        if self.method in {"POST", "PUT", "PATCH"}:
            errors |= {
                411: OpenApiResponse(documents.Error, "The body came without a `Content-Length`."),
                413: OpenApiResponse(documents.Error, "The body is too large."),
                415: OpenApiResponse(documents.Error, "The body is of another media type."),
            }
        if self.view.is_counted:
            about_keys = f" {errors[429].description}" if 429 in errors else ""
            errors[429] = OpenApiResponse(documents.Error, f"{self.limit()}{about_keys}")
        for status, text in getattr(self.view, "other_errors", {}).items():
            errors[status] = OpenApiResponse(documents.Error, text)
        errors[500] = OpenApiResponse(documents.Error, "The server failed; nothing was changed.")
        errors[503] = OpenApiResponse(
            documents.Error,
            "The server is receiving or decoding as much as it can, or the database did not answer; try again.",
        )
        if self.method != "GET":
            errors[507] = OpenApiResponse(documents.Error, "The server's disk is full; nothing was saved.")
        return errors

    def limit(self) -> str:
        """Say when a request is one too many."""
        whose = "This key" if self.view.authentication_classes else "This address"
        has = "has asked" if self.method == "GET" else "has written"
        return f"{whose} {has} too often; `Retry-After` says when it is heard again."

    def conflicts(self) -> dict[int, OpenApiResponse]:
        """Return the errors of a write whose state is not what it takes it to be."""
        errors = {}
        if self.action == "destroy" and self.view.resource in {"media", "employers"}:
            errors[409] = OpenApiResponse(documents.InUseError, "It is in use; `used_by` says where.")
        elif self.action == "create" and hasattr(self.view, "retrieve") and not self.view.tells_secrets:
            errors |= {status: OpenApiResponse(documents.Error, text) for status, text in ABOUT_KEYS.items()}
        elif self.method != "GET" and hasattr(self.view, "retrieve"):
            errors[409] = OpenApiResponse(documents.Error, "It collided with another change three times; try again.")
        if self.view.conditions_taken():
            errors[412] = OpenApiResponse(documents.Error, "It is not as the condition says; nothing was changed.")
        return errors


# Of requests with an Idempotency-Key.
ABOUT_KEYS = {
    409: "The `Idempotency-Key` belongs to another request; or, with `Retry-After`, the first one is still being "
    "answered; or the change collided with another one three times.",
    429: "Or there is no room for more answers to be kept for `Idempotency-Key`s; `Retry-After` tells when "
    "there is again.",
}
SUMMARIES = {
    "list": "List {several}",
    "create": "Create {one}",
    "retrieve": "Read {one}",
    "update": "Update {one}",
    "partial_update": "Update some fields of {one}",
    "destroy": "Delete {one}",
}
NOUNS = {"media": "media file", "meta": "meta entry"}  # what nobody can count otherwise
PATHS = {"id": "The number of the row.", "slug": "Letters of any script, percent-encoded."}  # what addresses hold
SUCCESS = {200: "As it is now.", 201: "Made.", 204: "Deleted."}
