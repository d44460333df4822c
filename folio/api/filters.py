"""Declared filters whose parameters are strict: a misspelt one never answers with everything."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import django_filters
from django import forms
from django.db.models import F, Q, QuerySet
from django.http import QueryDict

from . import fields
from .folding import fold
from .parameters import checked, nearest
from .texts import MAX_SEARCH_LENGTH, MAX_SEARCH_WORDS, Asked, search

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
BARE = ("limit", "offset", "ordering")  # parameters that choose no rows
NAMED = 20_000  # ids that a statement may name, rather than find them once for the count and once for the rows
ID_SIZE = 10  # bytes that each of them takes, roughly
FEW = 500  # rows that are found and sorted sooner than met on a walk through a long table


class IntegerFilter(django_filters.Filter):
    field_class = fields.IntegerField


class BooleanFilter(django_filters.Filter):
    field_class = fields.BooleanField

    def filter(self, queryset: QuerySet[Any], value: bool | None) -> QuerySet[Any]:
        if value is None:
            return queryset
        # A condition that is nothing but the column, as Django writes it for `exact`, keeps SQLite from using an index.
        return queryset.filter(**{f"{self.field_name}__in": [value]})


class TextFilter(django_filters.Filter):
    field_class = fields.ParameterField


class ChoiceFilter(django_filters.Filter):
    field_class = fields.ChoiceField


class IdListFilter(django_filters.Filter):
    """Rows that have any of the listed ids; `lookup_expr` is `in`. The parameter may be repeated."""

    field_class = fields.IdListField


class FromFilter(django_filters.Filter):
    field_class = fields.MomentField

    def __init__(self, field_name: str, **kwargs: Any) -> None:
        super().__init__(field_name, "gte", **kwargs)


class ToFilter(django_filters.Filter):
    field_class = fields.MomentField

    def __init__(self, field_name: str, **kwargs: Any) -> None:
        super().__init__(field_name, "lte", whole_day=True, **kwargs)


class DayFilter(django_filters.Filter):
    """Rows whose datetime lies on that day, UTC."""

    field_class = fields.DayField

    def filter(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if value is None:
            return queryset
        bounds = (fields.start_of(value), fields.end_of(value))
        return queryset.filter(**{f"{self.field_name}__range": bounds})


class PresenceFilter(BooleanFilter):
    """Rows with or without a value; with `blank`, an empty text counts as none."""

    def __init__(self, field_name: str, *, blank: bool = False, **kwargs: Any) -> None:
        self.absent = Q(**{f"{field_name}__isnull": True})
        if blank:
            self.absent |= Q(**{field_name: ""})
        super().__init__(field_name, **kwargs)

    def filter(self, queryset: QuerySet[Any], value: bool | None) -> QuerySet[Any]:
        if value is None:
            return queryset
        return queryset.filter(~self.absent if value else self.absent)


class SearchField(fields.ParameterField):
    def parse(self, text: str) -> str:
        text = super().parse(text)
        if len(text) > MAX_SEARCH_LENGTH:
            raise forms.ValidationError(
                f"Search for at most {MAX_SEARCH_LENGTH} characters, not {len(text)}.", code="max_length"
            )
        words = len(fold(text).split())
        if words > MAX_SEARCH_WORDS:
            raise forms.ValidationError(f"Search for at most {MAX_SEARCH_WORDS} words, not {words}.", code="max_length")
        return Asked(text)


class SearchFilter(django_filters.Filter):
    """Rows in which every word occurs, as `folio.api.folding` compares them, in one of the `fields`."""

    field_class = SearchField

    def __init__(self, *fields: str, **kwargs: Any) -> None:
        self.fields = fields
        super().__init__(**kwargs)

    def filter(self, queryset: QuerySet[Any], value: str | None) -> QuerySet[Any]:
        return search(queryset, value, *self.fields) if value else queryset

    def filter_many(self, queryset: QuerySet[Any], value: str | None) -> QuerySet[Any]:
        return search(queryset, value, *self.fields, is_many=True) if value else queryset


class OrderingField(fields.ParameterField):
    def __init__(self, *, names: Iterable[str], **kwargs: Any) -> None:
        self.names = tuple(names)
        name = f"-?({'|'.join(self.names)})"
        self.schema = {"type": "string", "pattern": f"^{name}(,{name})*$"}
        super().__init__(**kwargs)

    def parse(self, text: str) -> list[str]:
        terms = fields.split_list(text)
        for term in terms:
            if term.removeprefix("-") not in self.names:
                raise forms.ValidationError(
                    f"Can't order by '{term}'.{nearest(term.removeprefix('-'), self.names)} "
                    f"Allowed, also with '-': {', '.join(self.names)}.",
                    code="invalid_choice",
                )
        return list(dict.fromkeys(terms))


class OrderingFilter(django_filters.Filter):
    """The order of the rows.

    `paths` maps each name to the field behind it. Absent values come last in both directions, and ties are broken by
    `id` ascending, so that every order is total.
    """

    field_class = OrderingField

    def __init__(self, paths: Mapping[str, str], *, default: tuple[str, ...], **kwargs: Any) -> None:
        self.paths = {"id": "pk", **paths}
        self.default = default
        kwargs.setdefault("label", f"Names separated by commas, '-' for descending; default {','.join(default)}")
        super().__init__(names=tuple(self.paths), **kwargs)

    def filter(self, queryset: QuerySet[Any], value: list[str] | None) -> QuerySet[Any]:
        terms = [*(value or self.default), "id"]
        return queryset.order_by(*(self.expression(queryset, term) for term in terms))

    def expression(self, queryset: QuerySet[Any], term: str) -> Any:
        name = term.removeprefix("-")
        path = self.paths.get(name, name)
        # Naming where NULLs sort keeps an index from serving the order, so it is named only where there may be any.
        nulls_last = True if is_nullable(queryset.model, path) else None
        return F(path).desc(nulls_last=nulls_last) if term != name else F(path).asc(nulls_last=nulls_last)


class NamesField(fields.ParameterField):
    """Names separated by commas, each of them one of those that there are."""

    def __init__(self, *, names: Iterable[str], **kwargs: Any) -> None:
        self.names = tuple(names)
        name = f"({'|'.join(self.names)})"
        self.schema = {"type": "string", "pattern": f"^{name}(,{name})*$", "examples": [",".join(self.names[:2])]}
        super().__init__(**kwargs)

    def parse(self, text: str) -> list[str]:
        found = list(dict.fromkeys(fields.split_list(text)))
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


def is_nullable(model: Any, path: str) -> bool:
    """Tell whether ordering by the path may meet NULL."""
    nullable = False
    for name in path.split("__"):
        field = model._meta.pk if name == "pk" else model._meta.get_field(name)
        nullable = nullable or getattr(field, "output_field", field).null
        model = field.related_model
    return nullable


class BareFilter(IntegerFilter):
    """A parameter that pages rather than filters."""

    def filter(self, queryset: QuerySet[Any], value: int | None) -> QuerySet[Any]:
        return queryset


class PageFilterSet(django_filters.FilterSet):
    """The query parameters of a list: those declared, and the two that page."""

    bare: Collection[str] = BARE
    repeatable: Collection[str] = ("tags_in",)

    limit = BareFilter(min_value=1, label=f"How many results to return; at most {MAX_LIMIT}, default {DEFAULT_LIMIT}")
    offset = BareFilter(min_value=0, label="How many results to skip first; default 0")

    def __init__(self, query: QueryDict) -> None:
        """Check the query's parameters; raise ValidationError with every unknown, repeated or wrong one.

        Neither the declared filters nor their fields hold any state, so they serve as they are: django-filter's own
        copies of them, and the form class that it builds of these for each request, took a third of a list's time.
        """
        self.values = checked(query, self.base_filters, self.repeatable)
        self.chosen = {
            name: value for name, value in self.values.items() if name not in self.bare and value is not None
        }

    def narrowed(self, queryset: QuerySet[Any], *, many: bool = False) -> QuerySet[Any]:
        """Return the rows that the parameters leave, in no order; `many` are asked for as a walk through them asks."""
        for name, value in self.chosen.items():
            chooser = self.base_filters[name]
            narrow = getattr(chooser, "filter_many", chooser.filter) if many else chooser.filter
            queryset = narrow(queryset, value)
        return queryset.order_by()

    def count(self, queryset: QuerySet[Any]) -> int:
        """Return how many rows the parameters leave."""
        return self.narrowed(queryset).count()

    def ids(self, queryset: QuerySet[Any], count: int) -> QuerySet[Any]:
        """Return the ids of the rows that the parameters leave, in order.

        How many they are tells how to come by them, which a database without statistics can only guess. A few are
        found by what chooses them, and then sorted. Many are met soon on a walk through the order, in which each row
        is asked whether it belongs.
        """
        rows = self.narrowed(queryset, many=count > FEW)
        if self.chosen and count <= FEW:
            # The limit keeps the database from making one query of the two; some rows may have come since the count.
            rows = queryset.model._base_manager.filter(pk__in=rows.values("pk")[: 2 * FEW])
        return self.ordered(rows).values_list("pk", flat=True)

    def statement(self, queryset: QuerySet[Any], count: int, is_reversed: bool) -> tuple[str, tuple[Any, ...]]:
        """Return the SQL that selects the ids, and its parameters; more may be appended to both."""
        ids = self.ids(queryset, count)
        sql, parameters = (ids.reverse() if is_reversed else ids).query.sql_with_params()
        return sql, tuple(parameters)

    def ordered(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        ordering = self.base_filters.get("ordering")
        if ordering is None:
            return queryset.order_by(*queryset.model._meta.ordering)
        return ordering.filter(queryset, self.values.get("ordering"))

    def order(self) -> str:
        """Return the parameter that the order depends on, as one text."""
        return repr(self.values.get("ordering"))

    def narrowing(self) -> str:
        """Return the parameters that the count depends on, in one text."""
        return repr(sorted(self.chosen.items()))


class FilterSet(PageFilterSet):
    """The query parameters of a resource's list, with the bounds of `id`."""

    id_min = IntegerFilter("id", "gte", label="The smallest id")
    id_max = IntegerFilter("id", "lte", label="The largest id")
