"""Values of fields in words: names of rows for their ids, yes and no, moments, and what differs between two of them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from .changes import words_of
from .differences import empty, inserted, joined, removed, replaced, shown_text, text_difference, within
from .entries import Pair
from .names import Model, Names, named


def label_of(model: Model, name: str) -> str:
    """Return what a field is called in the form of the admin site, where people know it from."""
    form: Any = getattr(admin.site._registry.get(model), "form", None)
    declared = getattr(form, "declared_fields", {}).get(name)
    labels = getattr(getattr(form, "_meta", None), "labels", None) or {}
    return str((declared and declared.label) or labels.get(name) or capfirst(words_of(model, name)))


def references(model: Model, values: Mapping[str, Pair]) -> Iterator[tuple[Model, int]]:
    """Yield the rows that values refer to, also from within the rows of lists."""
    for name, pair in values.items():
        field = field_of(model, name)
        related = getattr(field, "related_model", None)
        if related is None:
            continue
        for value in pair:
            if is_list_of_rows(field):
                for item in items_of(value).values():
                    yield from references(related, {name: (value, None) for name, value in item.items()})
            else:
                ids = value if isinstance(value, list) else [value]
                yield from ((related, pk) for pk in ids if isinstance(pk, int))


def difference(model: Model, name: str, pair: Pair, names: Names) -> SafeString:
    """Return what differs between a field's old and new value."""
    in_a_sentence = getattr(model, "events", {}).get(name)
    if in_a_sentence is not None:  # what was done, and is no field
        return format_html('<span dir="auto">{}</span>', in_a_sentence(pair))
    old, new = pair
    field = field_of(model, name)
    if is_list_of_rows(field):
        return difference_of_rows(field.related_model, items_of(old), items_of(new), names)
    if isinstance(field, models.ManyToManyField):
        return difference_of_sets(field.related_model, ids_of(old), ids_of(new), names)
    if is_text(field) and isinstance(old or "", str) and isinstance(new or "", str):
        return text_difference(old or "", new or "", names.room)
    return replaced(value_in_words(field, old, names), value_in_words(field, new, names))


def value_alone(model: Model, name: str, value: Any, names: Names) -> SafeString:
    """Return the value of a new row's field."""
    field = field_of(model, name)
    if is_list_of_rows(field):
        rows = items_of(value)
        told = (row_in_words(field.related_model, pk, row, names) for pk, row in rows.items())
        return in_rows(told, names) if rows else empty()
    if isinstance(field, models.ManyToManyField):
        return in_a_row((names.shown(field.related_model, pk) for pk in ids_of(value)), names)
    if is_text(field) and isinstance(value, str):
        return shown_text(value, names.room)
    return value_in_words(field, value, names)


def value_in_words(field: Any, value: Any, names: Names) -> SafeString:
    in_words = getattr(getattr(field, "model", None), "in_words", {}).get(getattr(field, "name", ""))
    if in_words is not None:
        return format_html('<span dir="auto">{}</span>', in_words(value))
    if value is None or value == "":
        return empty()
    if getattr(field, "related_model", None) is not None:
        return names.shown(field.related_model, value)
    return format_html('<span dir="auto">{}</span>', plain_words(field, value))


def plain_words(field: Any, value: Any) -> str:
    """Return a value that is no text of someone's and no row."""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(field, models.DateTimeField):
        try:
            moment = parse_datetime(value) if isinstance(value, str) else value
        except ValueError:
            moment = None
        return date_format(moment, "DATETIME_FORMAT") if moment else str(value)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    choices = dict(getattr(field, "flatchoices", ()))
    return str(choices.get(value, value))


def difference_of_sets(model: Model, old: list[int], new: list[int], names: Names) -> SafeString:
    """Return which rows were taken off and put on; or their new order, if they only changed places."""
    was, now = set(old), set(new)

    def parts() -> Iterator[SafeString]:
        yield from (removed(names.shown(model, pk)) for pk in old if pk not in now)
        yield from (inserted(names.shown(model, pk)) for pk in new if pk not in was)
        if [pk for pk in old if pk in now] != [pk for pk in new if pk in was]:
            yield in_order((names.shown(model, pk) for pk in new), names)

    return in_a_row(parts(), names)


def difference_of_rows(
    model: Model, old: dict[int, dict[str, Any]], new: dict[int, dict[str, Any]], names: Names
) -> SafeString:
    """Return which rows of a list came, went, or became others, and their new order if they changed places."""

    def parts() -> Iterator[SafeString]:
        for pk, row in old.items():
            if pk not in new:
                yield removed(row_in_words(model, pk, row, names))
        for pk, row in new.items():
            if pk not in old:
                yield inserted(row_in_words(model, pk, row, names))
            elif row != old[pk]:
                yield changed_row(model, old[pk], row, names)
        if [pk for pk in old if pk in new] != [pk for pk in new if pk in old]:
            yield in_order((name_of(model, row, names) for row in new.values()), names)

    return in_rows(parts(), names)


def row_in_words(model: Model, pk: int, row: dict[str, Any], names: Names) -> SafeString:
    """Return a row of a list with what it holds."""
    others = fields_of(row)[1:]
    told = [
        (label_of(model, name), value_alone(model, name, row[name], names))
        for name in others
        if row[name] not in (None, "")
    ]
    if not told:
        return name_of(model, row, names)
    return format_html(
        "{} ({})",
        name_of(model, row, names),
        joined([format_html("{}: {}", *pair) for pair in told], ", "),
    )


def changed_row(model: Model, old: dict[str, Any], new: dict[str, Any], names: Names) -> SafeString:
    told = [
        format_html("{}: {}", label_of(model, name), difference(model, name, (old.get(name), value), names))
        for name, value in new.items()
        if value != old.get(name)
    ]
    return format_html("{} {}", name_of(model, old, names), joined(told, "; "))


def name_of(model: Model, row: dict[str, Any], names: Names) -> SafeString:
    """Return what a row of a list is called: by its first field, which may refer to another row."""
    first = next(iter(fields_of(row)), "")
    value, related = row.get(first, ""), getattr(field_of(model, first), "related_model", None)
    return names.shown(related, value) if related and isinstance(value, int) else named(value)


def fields_of(row: dict[str, Any]) -> list[str]:
    """Return the names of a row's fields: all but the first, which is its id under its model's name."""
    return list(row)[1:] or list(row)


def in_rows(parts: Iterable[SafeString], names: Names) -> SafeString:
    shown = within(parts, names.room)
    return joined(format_html('<div class="folio-difference-row">{}</div>', part) for part in shown)


def in_order(parts: Iterable[SafeString], names: Names) -> SafeString:
    return format_html('<span class="folio-difference-order">{} {}</span>', _("New order:"), in_a_row(parts, names))


def in_a_row(parts: Iterable[SafeString], names: Names) -> SafeString:
    shown = list(within(parts, names.room))
    return format_html('<span class="folio-difference-row-of">{}</span>', joined(shown, " ")) if shown else empty()


def field_of(model: Model, name: str) -> Any:
    """Return a field, or None of those that the model no longer has."""
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return None


def is_list_of_rows(field: Any) -> bool:
    return isinstance(field, models.ManyToOneRel)


def is_text(field: Any) -> bool:
    return isinstance(field, models.CharField | models.TextField) and not field.choices


def items_of(value: Any) -> dict[int, dict[str, Any]]:
    """Return the rows of a list by their id, which comes first in each."""
    rows = [row for row in value if isinstance(row, dict) and row] if isinstance(value, list) else []
    return {next(iter(row.values())): row for row in rows}


def ids_of(value: Any) -> list[int]:
    return [pk for pk in value if isinstance(pk, int)] if isinstance(value, list) else []
