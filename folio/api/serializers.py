"""What comes in: strict bodies whose references are looked up together."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import models
from django.utils.datastructures import MultiValueDict
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.validators import UniqueValidator

from folio.history.changes import Changes, set_values

from .columns import validate_line
from .errors import shortened
from .filters import unknown_names
from .parameters import BIGGEST, IDENTIFIER, MAX_LIST, parse_day, parse_moment, start_of
from .texts import normal

NOT_FIELDS = "non_field_errors"
MOST_WRONG_ITEMS = 20
MOST_LISTED = 20  # values that one message repeats
LONGEST = 40  # characters of each


class UTCDateTimeField(serializers.DateTimeField):
    """A datetime in UTC, or a date alone as its midnight."""

    default_error_messages = {
        "invalid": "Enter a date or datetime such as 2024-12-12 or 2024-12-12T08:30:00Z.",
    }

    def to_internal_value(self, value: Any) -> datetime:
        if isinstance(value, str):
            day = parse_day(value.strip())
            moment = parse_moment(value.strip()) if day is None else start_of(day)
            if moment is not None:
                return moment
        self.fail("invalid", format="ISO 8601")
        raise AssertionError  # `fail` raises


class NormalField(serializers.CharField):
    """A text in its normal form, whatever form it came in."""

    def to_internal_value(self, data: Any) -> str:
        return normal(super().to_internal_value(data))


class LineField(NormalField):
    """What something is called; the rules are those of its column."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.validators = [*self.validators, validate_line]


@extend_schema_field({"type": "integer", "minimum": 1})
class IdField(serializers.Field):  # type: ignore[type-arg]
    """The id of a row of `queryset`; the root serializer has looked it up with all others of its kind."""

    default_error_messages = {
        "incorrect_type": "Enter the id of {noun}: a whole number, not {kind}.",
        "does_not_exist": "There is no {noun} with the id {ids}.",
    }

    def __init__(self, queryset: Any, noun: str, **kwargs: Any) -> None:
        self.queryset = queryset
        self.noun = noun
        super().__init__(**kwargs)

    def parse(self, data: Any) -> int:
        if isinstance(data, str) and IDENTIFIER.fullmatch(data):
            data = int(data)
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("incorrect_type", noun=self.noun, kind=kind_of(data))
        return data

    def ids_in(self, data: Any) -> Iterable[int]:
        """Return the ids that `data` asks for, before it is checked."""
        try:
            return [self.parse(data)]
        except ValidationError:
            return []

    def found(self) -> Mapping[int, models.Model]:
        rows: Mapping[int, models.Model] = self.root.rows[self.noun]  # type: ignore[attr-defined]
        return rows

    def to_internal_value(self, data: Any) -> models.Model:
        pk = self.parse(data)
        if pk not in self.found():
            self.fail("does_not_exist", noun=self.noun, ids=listed([pk]))
        return self.found()[pk]


@extend_schema_field(
    {"type": "array", "items": {"type": "integer", "minimum": 1}, "maxItems": MAX_LIST, "uniqueItems": True}
)
class IdListField(IdField):
    """Ids of rows, each once, in an order that is kept."""

    default_error_messages = {
        "not_a_list": "Enter a list of ids, not {kind}.",
        "max_length": "Enter at most {max_length} ids.",
        "repeated": "Give each id once; {ids} is repeated.",
    }

    def ids_in(self, data: Any) -> Iterable[int]:
        return (
            [pk for item in data[:MAX_LIST] for pk in super(IdListField, self).ids_in(item)]
            if isinstance(data, list)
            else []
        )

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, list):
            self.fail("not_a_list", kind=kind_of(data))
        if len(data) > MAX_LIST:
            self.fail("max_length", max_length=MAX_LIST)
        ids = [self.parse(item) for item in data]
        if len(set(ids)) < len(ids):
            self.fail("repeated", ids=listed(sorted(pk for pk, count in Counter(ids).items() if count > 1)))
        if missing := [pk for pk in ids if pk not in self.found()]:
            self.fail("does_not_exist", noun=self.noun, ids=listed(missing))
        return [self.found()[pk] for pk in ids]


class StrictMixin:
    """A serializer that refuses keys it doesn't know and accepts, unread, those that a document answers with."""

    def to_internal_value(self, data: Any) -> Any:
        errors: dict[str, Any] = {}
        result: Any = {}
        try:
            result = super().to_internal_value(data)  # type: ignore[misc]
        except ValidationError as error:
            errors = dict(error.detail) if isinstance(error.detail, dict) else {NOT_FIELDS: error.detail}
        if isinstance(data, Mapping):
            known = [name for name, field in self.fields.items() if not field.read_only]  # type: ignore[attr-defined]
            document = getattr(getattr(self, "Meta", None), "document", None)
            answered = document.__struct_fields__ if document else ()
            errors |= unknown_names("field", (key for key in data if key not in answered), known)
        if isinstance(data, MultiValueDict):  # a form, in which a field may stand twice
            repeated = {name: len(values) for name, values in data.lists() if len(values) > 1}
            errors |= {name: [f"Give this field once, not {count} times."] for name, count in repeated.items()}
        if errors:
            raise ValidationError(errors)
        return result


class StrictSerializer(StrictMixin, serializers.Serializer):  # type: ignore[type-arg]
    """A strict body that is not a model's."""


class ItemListSerializer(serializers.ListSerializer):  # type: ignore[type-arg]
    """A whole list within a body; what is wrong with the list itself is told under its name, flat.

    Once many of its items are wrong, the others are not looked at: to say all that is takes longer than it helps.
    """

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, list):
            raise ValidationError([f"Enter a list of items, not {kind_of(data)}."])
        if len(data) > MAX_LIST:
            raise ValidationError([f"Enter at most {MAX_LIST} items."])
        valid: list[Any] = []
        errors: dict[int, Any] = {}  # by the places of their items
        for place, item in enumerate(data):
            try:
                valid.append(self.run_child_validation(item))
            except ValidationError as error:
                errors[place] = error.detail
                if len(errors) == MOST_WRONG_ITEMS:
                    break
        if errors:
            raise ValidationError([errors.get(place, {}) for place in range(len(data))])
        return valid


class NotTaken:
    """A validator of a unique field; the serializer has looked for all of its unique values together."""

    requires_context = True

    def __init__(self, message: Any) -> None:
        self.message = message

    def __call__(self, value: Any, field: Any) -> None:
        if value in field.root.taken.get(field.source, ()):
            raise ValidationError(self.message, code="unique")


class StrictModelSerializer(StrictMixin, serializers.ModelSerializer):  # type: ignore[type-arg]
    """A strict body of a model; the rows that it refers to are read in one query for each kind."""

    # So are, in one, the rows that have its unique values already. The API's description shows the sentence above.

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.CharField: NormalField,
        models.DateTimeField: UTCDateTimeField,
        models.TextField: NormalField,
    }
    rows: dict[str, Mapping[int, models.Model]]
    taken: dict[str, set[Any]]  # of its unique values, by field, those that other rows have
    changes: Changes  # what saving has changed

    def create(self, validated_data: dict[str, Any]) -> Any:
        model: Any = self.Meta.model
        return self.changed(model(), validated_data)

    def update(self, instance: Any, validated_data: dict[str, Any]) -> Any:
        return self.changed(instance, validated_data)

    def changed(self, instance: Any, values: dict[str, Any]) -> Any:
        """Return the row, saved with these values, and note the changes."""
        self.changes = set_values(instance, values)
        instance.save()
        return instance

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if self.root is self:
            wanted: dict[str, set[int]] = defaultdict(set)
            querysets: dict[str, Any] = {}
            for field, value in references(self, data):
                querysets[field.noun] = field.queryset
                wanted[field.noun].update(pk for pk in field.ids_in(value) if 0 < pk <= BIGGEST)
            self.rows = {
                noun: queryset.order_by().in_bulk(wanted[noun]) if wanted[noun] else {}
                for noun, queryset in querysets.items()
            }
            self.taken = {}
            self.taken = self.find_taken(data)
        return super().run_validation(data)

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        field_class, options = super().build_standard_field(field_name, model_field)
        if "validators" in options:
            options["validators"] = [
                NotTaken(validator.message) if isinstance(validator, UniqueValidator) else validator
                for validator in options["validators"]
            ]
        return field_class, options

    def find_taken(self, data: Any) -> dict[str, set[Any]]:
        """Return the body's unique values that other rows have, in one query; those that are not valid are left out."""
        wanted: dict[str, Any] = {}
        for name, field in self.fields.items() if isinstance(data, Mapping) else ():
            if name in data and any(isinstance(validator, NotTaken) for validator in field.validators):
                with suppress(ValidationError, serializers.SkipField):
                    value = field.run_validation(data[name])
                    if self.instance is None or getattr(self.instance, name) != value:
                        wanted[name] = value
        if not wanted:
            return {}
        model: Any = self.Meta.model
        has_any = models.Q(*wanted.items(), _connector=models.Q.OR)
        others = list(model._default_manager.filter(has_any).order_by().values("pk", *wanted))
        own = self.instance.pk if self.instance else None
        return {name: {row[name] for row in others if row["pk"] != own} for name in wanted}


def references(serializer: Any, data: Any) -> Iterable[tuple[IdField, Any]]:
    """Yield each reference of a body, also in its nested lists, with its raw value."""
    if not isinstance(data, Mapping):
        return
    for name, field in serializer.fields.items():
        if isinstance(field, IdField):
            yield field, data.get(name)
        elif isinstance(field, ItemListSerializer):
            items = data.get(name)
            for item in items[:MAX_LIST] if isinstance(items, list) else [{}]:
                yield from references(field.child, item)


def kind_of(data: Any) -> str:
    """Return what a JSON value is called."""
    if data is None:
        return "null"
    for kind, name in ((bool, "a boolean"), (int, "a number"), (float, "a number"), (str, "a text"), (list, "a list")):
        if isinstance(data, kind):
            return name
    return "an object"


def listed(values: Collection[Any]) -> str:
    """Return the first of some values as they came in a body, such as ids, and how many more there are."""
    first = ", ".join(
        shortened(json.dumps(value, ensure_ascii=False), LONGEST) for value in islice(values, MOST_LISTED)
    )
    return f"{first} and {len(values) - MOST_LISTED} more" if len(values) > MOST_LISTED else first
