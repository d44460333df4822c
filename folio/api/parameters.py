"""What an address refuses of its query parameters: unknown, repeated or wrong ones, each by its name."""

import difflib
import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import django_filters
from django import forms
from django.http import QueryDict
from rest_framework.exceptions import ValidationError

from .hints import MAX_NAME, hints

MAX_UNKNOWN = 20  # unknown names that one answer tells of: looking for the nearest takes its time


def checked(
    query: QueryDict, declared: Mapping[str, django_filters.Filter], repeatable: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the parameters' values by name; raise ValidationError with every unknown, repeated or wrong one."""
    errors = unknown_parameters(query, declared)
    errors |= repeated_parameters(query, repeatable)
    values: dict[str, Any] = {}
    for name in query:
        if name in errors or name not in declared:  # not every unknown one is told of
            continue
        field = declared[name].field
        try:
            values[name] = field.clean(field.widget.value_from_datadict(query, {}, name))
        except forms.ValidationError as error:
            errors[name] = error.messages
    if errors:
        raise ValidationError(errors)
    return values


def unknown_parameters(query: QueryDict, allowed: Iterable[str]) -> dict[str, list[str]]:
    """Return an error for each parameter that isn't allowed, with the nearest one that is."""
    return unknown_names("parameter", query, list(allowed), "This address takes no parameters.")


def unknown_names(kind: str, given: Iterable[str], allowed: list[str], none_allowed: str = "") -> dict[str, list[str]]:
    """Return an error for each given name that isn't allowed, the first few of them."""
    unknown = itertools.islice((name for name in given if name not in allowed), MAX_UNKNOWN)
    rest = f"Allowed: {', '.join(allowed)}." if allowed else none_allowed
    return {name: [f"Unknown {kind}.{nearest(name, allowed)} {rest}"] for name in unknown}


def repeated_parameters(query: QueryDict, repeatable: Iterable[str]) -> dict[str, list[str]]:
    return {
        name: [f"Give this parameter once, not {len(values)} times."]
        for name, values in query.lists()
        if len(values) > 1 and name not in repeatable
    }


def nearest(name: str, names: Iterable[str]) -> str:
    """Return a question that suggests what the name means here, or else the one most like it; or nothing."""
    names = list(names)
    matches = hints(name, names)
    if matches is None:
        matches = difflib.get_close_matches(name[:MAX_NAME], names, n=1)
    return f" Did you mean {' or '.join(matches)}?" if matches else ""
