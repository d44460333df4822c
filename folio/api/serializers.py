"""What comes in: strict bodies whose references are looked up together."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any

from django.db import models
from django.utils.datastructures import MultiValueDict
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.validators import UniqueValidator

from folio.history.changes import Changes, set_values

from .built import BuiltOnce
from .columns import validate_line
from .errors import shortened
from .fields import BIGGEST, IDENTIFIER, MAX_LIST, parse_day, parse_moment, start_of
from .parameters import unknown_names
from .rows import Instances, Statement
from .texts import normal

NOT_FIELDS = "non_field_errors"
NOT_UTF_8, REPLACEMENT = "This text is not UTF-8.", "\ufffd"
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
    """The id of a row of `queryset` that `is_fit`; the root serializer has read it with all others of its model."""

    default_error_messages = {
        "incorrect_type": "Enter the id of {noun}: a whole number, not {kind}.",
        "does_not_exist": "There is no {noun} with the id {ids}.",
    }

    def __init__(self, queryset: Any, noun: str, is_fit: Callable[[Any], bool] | None = None, **kwargs: Any) -> None:
        self.instances = Instances(queryset)
        self.noun = noun
        self.is_fit = is_fit
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

    def rows(self, ids: list[int]) -> list[models.Model]:
        """Return the rows with these ids; raise ValidationError for those that are not there or not fit."""
        found: Mapping[int, models.Model] = self.root.rows[self.instances.model]  # type: ignore[attr-defined]
        if missing := [pk for pk in ids if pk not in found or (self.is_fit and not self.is_fit(found[pk]))]:
            self.fail("does_not_exist", noun=self.noun, ids=listed(missing))
        return [found[pk] for pk in ids]

    def to_internal_value(self, data: Any) -> Any:
        return self.rows([self.parse(data)])[0]


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
        return self.rows(ids)


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
            texts = (name for name, field in self.fields.items() if isinstance(field, serializers.CharField))  # type: ignore[attr-defined]
            # Django puts this character in the place of each byte that is no UTF-8.
            errors |= {name: [NOT_UTF_8] for name in texts if REPLACEMENT in str(data.get(name, ""))}
        if errors:
            raise ValidationError(errors)
        return result


class StrictSerializer(StrictMixin, BuiltOnce, serializers.Serializer):  # type: ignore[type-arg]
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


class StrictModelSerializer(StrictMixin, BuiltOnce, serializers.ModelSerializer):  # type: ignore[type-arg]
    """A strict body of a model; the rows that it refers to are read in one query for each kind."""

    # So are, in one, the rows that have its unique values already. The API's description shows the sentence above.

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.CharField: NormalField,
        models.DateTimeField: UTCDateTimeField,
        models.TextField: NormalField,
    }
    rows: dict[type[models.Model], Mapping[int, models.Model]]
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
            wanted: dict[type[models.Model], set[int]] = defaultdict(set)
            instances: dict[type[models.Model], Instances] = {}
            for field, value in references(self, data):
                model = field.instances.model
                instances[model] = field.instances
                wanted[model].update(pk for pk in field.ids_in(value) if 0 < pk <= BIGGEST)
            self.rows = {model: rows.read(wanted[model]) for model, rows in instances.items()}
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
        values = [model._meta.get_field(name).get_prep_value(value) for name, value in wanted.items()]
        _, rows = having_any(model, tuple(wanted)).rows(values)
        own = self.instance.pk if self.instance else None
        others = [row for pk, *row in rows if pk != own]
        return {name: {row[place] for row in others} for place, name in enumerate(wanted)}


@cache
def having_any(model: Any, names: tuple[str, ...]) -> Statement:
    """Return the query for the ids and values of rows that have any of the given texts in these fields."""
    rows = model._default_manager.order_by().values("pk", *names)
    return Statement(
        lambda texts: rows.filter(models.Q(*zip(names, texts, strict=True), _connector=models.Q.OR)), kind=str
    )


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
