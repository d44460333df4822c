"""Which tables move, and in what order: all that Django knows, each behind those that it refers to."""

from functools import cache
from graphlib import TopologicalSorter
from typing import Any

from django.apps import apps
from django.db import models

Model = type[models.Model]


@cache
def tables() -> tuple[Model, ...]:
    """Return the models that have tables, those between others included; the search's index is made anew instead."""
    found = [model for model in apps.get_models(include_auto_created=True) if is_stored(model)]
    return tuple(TopologicalSorter({model: references(model) for model in found}).static_order())


def is_stored(model: Model) -> bool:
    return model._meta.managed and not model._meta.proxy


def references(model: Model) -> list[Model]:
    related: list[Any] = [field.related_model for field in model._meta.local_concrete_fields if field.remote_field]
    return [each._meta.concrete_model for each in related if each._meta.concrete_model is not model]


def columns(model: Model) -> list[Any]:
    """Return the fields that a table's columns are of, those included that the database computes."""
    return list(model._meta.local_concrete_fields)


def counted_field(model: Model) -> Any:
    """Return the field whose values the database counts up, None where there is none."""
    key = model._meta.pk
    return key if isinstance(key, models.AutoField) and key in model._meta.local_concrete_fields else None
