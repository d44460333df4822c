"""What `include` and `fields` ask for."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

import django_filters
from django import forms
from django.db.models import QuerySet

from folio.api.fields import ParameterField, split_list
from folio.api.parameters import nearest

from .parts import KEYS, OPTIONAL, PARTS, ROW

HIGHLIGHT = "highlight"


class NamesField(ParameterField):
    """Names separated by commas, each of them known."""

    def __init__(self, *, names: Iterable[str], **kwargs: Any) -> None:
        self.names = tuple(names)
        name = f"({'|'.join(self.names)})"
        self.schema = {"type": "string", "pattern": f"^{name}(,{name})*$", "examples": [",".join(self.names[:2])]}
        super().__init__(**kwargs)

    def parse(self, text: str) -> list[str]:
        found = list(dict.fromkeys(split_list(text)))
        for name in found:
            if name not in self.names:
                raise forms.ValidationError(
                    f"There is no '{name}' here.{nearest(name, self.names)} Allowed: {', '.join(self.names)}.",
                    code="invalid_choice",
                )
        return found


class NamesFilter(django_filters.Filter):
    """A parameter that chooses what is told of rows, not which rows."""

    field_class = NamesField

    def filter(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return queryset


class Choice(NamedTuple):
    """What an answer tells of a portfolio."""

    parts: tuple[str, ...]  # that it is made of
    keys: tuple[str, ...] | None  # that are kept of these, in the shape's order; None keeps them all

    @property
    def has_highlight(self) -> bool:
        return self.keys is None or HIGHLIGHT in self.keys


def choice_of(values: Mapping[str, Any], unasked: Collection[str]) -> Choice:
    """Return what the parameters ask for; `unasked` are the optional parts that come without `include`.

    `fields` names all that is told, so beside it `include` has nothing to add.
    """
    fields = values.get("fields")
    if fields is not None:
        keys = tuple(key for key in (*KEYS, HIGHLIGHT) if key in fields)
        return Choice(tuple(name for name, part in PARTS.items() if not {*part.keys}.isdisjoint(keys)), keys)
    include = values.get("include")
    wanted = unasked if include is None else include
    return Choice((ROW, *(name for name in OPTIONAL if name in wanted)), None)


def include_filter(label: str) -> NamesFilter:
    return NamesFilter(names=OPTIONAL, label=label)


def fields_filter(label: str, more: Iterable[str] = ()) -> NamesFilter:
    return NamesFilter(names=(*KEYS, *more), label=label)
