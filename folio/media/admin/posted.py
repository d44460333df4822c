"""Rows that a form posts by their ids, in an order, each with the name that it had when it was chosen."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from folio.api.fields import IDENTIFIER

MOST_NAMED = 20  # rows in a sentence


def first_of(names: Sequence[str]) -> str:
    """Return the first of what a sentence names, and how many more there are."""
    first = ", ".join(names[:MOST_NAMED])
    if len(names) <= MOST_NAMED:
        return first
    return _("%(names)s and %(count)s more") % {"names": first, "count": len(names) - MOST_NAMED}


class Posted(list[str]):
    """The ids that a form sent, in order, with the names that their rows had when they were chosen."""

    names: dict[str, str] = {}

    def named(self, ids: Iterable[str]) -> str:
        """Return what rows are called, which may be gone."""
        return first_of([f"“{self.names.get(pk) or pk}”"[:200] for pk in ids])


class PostsRows:
    """A widget whose rows are posted under its plain name, and their names beside them."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Posted:
        ids, names = (
            data.getlist(key) if hasattr(data, "getlist") else listed(data.get(key)) for key in (name, f"{name}-names")
        )
        posted = Posted(str(pk) for pk in ids if pk not in (None, ""))
        posted.names = dict(zip(posted, names, strict=False))
        return posted

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data


class PostedField(forms.Field):
    """Rows of `queryset`, each once; says which are missing, and which are there twice."""

    def __init__(self, queryset: QuerySet[Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.queryset = queryset

    def clean(self, value: Any) -> Any:
        return self.rows(value if isinstance(value, Posted) else Posted(ids_of(value)))

    def rows(self, posted: Posted) -> list[Any]:
        """Return the rows in the order posted, or name those that aren't there."""
        if self.required and not posted:
            raise ValidationError(self.error_messages["required"], code="required")
        rows = rows_of(self.queryset, posted)
        missing = [pk for pk in posted if pk not in rows]
        repeated = [pk for pk, count in Counter(posted).items() if count > 1]
        for code, wrong in (("missing", missing), ("repeated", repeated)):
            if wrong:
                params = {"names": posted.named(wrong), "count": len(wrong)}
                raise ValidationError(self.error_messages[code], code=code, params=params)
        return [rows[pk] for pk in posted]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return not self.disabled and ids_of(initial) != ids_of(data)


def listed(value: Any) -> list[Any]:
    """Return what a value holds: several, one, or none."""
    return list(value) if isinstance(value, list | tuple) else [] if value in (None, "") else [value]


def rows_of(queryset: QuerySet[Any], ids: Iterable[Any]) -> dict[str, Any]:
    """Return the rows with these ids, which may be anything a browser sent, by the id as text: one query at most."""
    wanted = {text for text in map(str, ids) if IDENTIFIER.fullmatch(text)}
    return {str(row.pk): row for row in queryset.filter(pk__in=wanted).order_by()} if wanted else {}


def ids_of(value: Any) -> list[str]:
    """Return as texts the ids of the rows in a value, which may be ids already."""
    return [str(getattr(row, "pk", row)) for row in listed(value)]
