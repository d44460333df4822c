from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Self

import msgspec

from folio import snapshots

KEY_SIZE = 300  # bytes that an entry of the document cache takes beside its document, roughly


def about(description: str) -> msgspec.Meta:
    """Return what the API's description says of a field."""
    return msgspec.Meta(description=description)


# How the API's description tells what JSON has no types for.
Moment = Annotated[datetime, msgspec.Meta(tz=True)]  # `format: date-time`
URL = Annotated[str, msgspec.Meta(extra_json_schema={"format": "uri"})]
CHOICE = msgspec.Meta(extra_json_schema={"type": "string"})  # beside the `enum` of a Literal
Id = Annotated[int, about("The number of this row.")]


class Document(msgspec.Struct):
    """What the API answers with: the shape, declared once for the encoder, the schema and the tests."""

    @classmethod
    def read(cls, ids: Iterable[int], base: str) -> dict[int, Self]:
        """Return the documents by id, in a constant number of queries; ids that don't exist are left out.

        `base` is the scheme and host that the absolute URLs in them begin with, without a slash.
        """
        raise TypeError(f"{cls.__name__} is only read within other documents")

    def plain(self) -> "Document":
        """Return what a read without parameters answers with."""
        return self


def encoded(document: type[Document], ids: Sequence[int], base: str, snapshot: int | None) -> dict[int, msgspec.Raw]:
    """Return the documents by id as ready JSON; those not yet made in this snapshot are read in one batch."""
    snapshot = snapshots.usable(snapshot)
    found: dict[int, msgspec.Raw] = {}
    if snapshot is not None:
        kept = snapshots.documents.get_many(snapshot, [(document, base, pk) for pk in ids])
        found = {key[2]: raw for key, raw in kept.items()}
    missing = [pk for pk in ids if pk not in found]
    for pk, made in document.read(missing, base).items() if missing else ():
        found[pk] = msgspec.Raw(msgspec.json.encode(made))
        if snapshot is not None:
            snapshots.documents.put(snapshot, (document, base, pk), found[pk], len(bytes(found[pk])) + KEY_SIZE)
    return found


class Error(Document):
    """What is wrong, and what would be right."""

    detail: Annotated[str, about("A sentence for people, in English; it may change.")]


class ForbiddenError(Error):
    """What is not allowed, with the permission code that would allow it."""

    permission_code: (
        Annotated[int, about("The code that the key or its owner lacks, where it is one.")] | msgspec.UnsetType
    ) = msgspec.UNSET


class Use(Document):
    """A row that uses another, by one of its fields."""

    resource: Annotated[str, about("As in the resource's address, such as `portfolios`.")]
    id: Annotated[int, about("Of the row that uses it.")]
    field: Annotated[str, about("The field by which it does, such as `image`.")]


class Usage(Document):
    """Where a row is used."""

    used_by: Annotated[list[Use], about("Empty where nothing uses it.")]


class InUseError(Error):
    """Why a row can't be deleted."""

    used_by: Annotated[list[Use], about("What it has to be taken off first.")]


class ItemErrors(Document):
    """What is wrong with an item of a list within a body, under the names of its fields; empty where nothing is."""

    schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "additionalProperties": {"type": "array", "items": {"type": "string"}},
    }


class FieldErrors(Document):
    """Messages under the name of the field or parameter that they are about.

    Those of a nested list's items stand in the items' places. What concerns no single field stands under
    `non_field_errors`; why a request could not be read at all, as a text under `detail`.
    """

    parts: ClassVar[tuple[type[Document], ...]] = (ItemErrors, Use)
    schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "additionalProperties": {
            "anyOf": [
                {
                    "type": "array",
                    "items": {
                        "anyOf": [
                            {"type": "string"},
                            *({"$ref": f"#/components/schemas/{part.__name__}"} for part in parts),
                        ]
                    },
                    "description": "Messages; of a list within a body, its items' errors; under `used_by`, what "
                    "stands against the change.",
                },
                {"type": "string"},
            ]
        },
        "examples": [
            {"title": ["portfolio with this title already exists."]},
            {"links": [{}, {"name": ["This field is required."]}]},
        ],
    }
