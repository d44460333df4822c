from collections.abc import Iterable
from typing import Any, ClassVar, Self

import msgspec


class Document(msgspec.Struct):
    """What the API answers with: the shape, declared once for the encoder, the schema and the tests."""

    @classmethod
    def read(cls, ids: Iterable[int], base: str) -> dict[int, Self]:
        """Return the documents by id, in a constant number of queries; ids that don't exist are left out.

        `base` is the scheme and host that the absolute URLs in them begin with, without a slash.
        """
        raise TypeError(f"{cls.__name__} is only read within other documents")


class Error(Document):
    """What is wrong, and what would be right."""

    detail: str


class FieldErrors(Document):
    """Messages under the name of the field or parameter that they are about.

    Those of a nested list's items stand in the items' places. What concerns no single field stands under
    `non_field_errors`; why a request could not be read at all, as a text under `detail`.
    """

    schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "additionalProperties": {"oneOf": [{"type": "array"}, {"type": "string"}]},
        "examples": [{"title": ["portfolio with this title already exists."]}],
    }


class ForbiddenError(Error):
    """What is not allowed, with the permission code that would allow it."""

    permission_code: int | msgspec.UnsetType = msgspec.UNSET


class Use(Document):
    """A row that uses another, by one of its fields."""

    resource: str
    id: int
    field: str


class InUseError(Error):
    """Why a row can't be deleted."""

    used_by: list[Use]
