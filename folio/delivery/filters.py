"""The query parameters of the public list of portfolios."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, F, OuterRef, QuerySet
from django.http import QueryDict
from rest_framework.exceptions import ValidationError

from folio.api import fields
from folio.api.filters import (
    BARE,
    FromFilter,
    IntegerFilter,
    OrderingFilter,
    PageFilterSet,
    PresenceFilter,
    SearchFilter,
    ToFilter,
)
from folio.api.texts import normal
from folio.portfolios.models import Employer, Portfolio, PortfolioTag, Tag
from folio.portfolios.searching import Found, find

from .choosing import HIGHLIGHT, fields_filter, include_filter
from .views import limit_filter

RELEVANCE = "relevance"
INDEXED = {"has_image", "completed_at_from", "completed_at_to", "exclude"}  # told by the index of what is published
MOST_TAGS = 32  # that one request may ask for together; each is a condition of its own


class SlugField(fields.ParameterField):
    def parse(self, text: str) -> str:
        return normal(super().parse(text))


class SlugListField(fields.ParameterField):
    """Slugs separated by commas, each once."""

    schema = {"type": "string", "examples": ["poster,brand-identity"]}

    def parse(self, text: str) -> list[str]:
        slugs = list(dict.fromkeys(fields.split_list(normal(super().parse(text)))))
        if len(slugs) > fields.MAX_LIST:
            raise forms.ValidationError(f"Enter at most {fields.MAX_LIST} slugs, not {len(slugs)}.", code="max_length")
        return slugs


class RepeatedSlugField(fields.ParameterField):
    """A slug; of a repeated parameter, all of them."""

    widget = forms.MultipleHiddenInput  # the one that reads every value
    schema = {"type": "array", "items": {"type": "string"}, "maxItems": MOST_TAGS, "examples": [["poster"]]}

    def to_python(self, value: Any) -> Any:
        slugs = [slug for slug in (super(RepeatedSlugField, self).to_python(text) for text in value or ()) if slug]
        slugs = list(dict.fromkeys(slugs))
        if len(slugs) > MOST_TAGS:
            raise forms.ValidationError(f"Give at most {MOST_TAGS} tags, not {len(slugs)}.", code="max_length")
        return slugs or None

    def parse(self, text: str) -> str:
        if "," in text:
            raise forms.ValidationError(
                "Give one slug, and the parameter again for each further one; tags_any takes several, separated by "
                "commas.",
                code="invalid",
            )
        return normal(super().parse(text))


class SlugFilter(django_filters.Filter):
    field_class = SlugField


class ExcludeFilter(SlugFilter):
    """All rows but the one with the slug."""

    def filter(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        # By its id, which is in every index.
        return queryset.exclude(pk__in=Portfolio.objects.filter(slug=value).order_by().values("pk"))


class SlugsFilter(django_filters.Filter):
    """Rows with any of the slugs."""

    field_class = SlugListField

    def filter(self, queryset: QuerySet[Any], value: Sequence[str]) -> QuerySet[Any]:
        return queryset.filter(slug__in=value)


class EmployerFilter(SlugFilter):
    """Portfolios done for the employer."""

    def filter(self, queryset: QuerySet[Portfolio], value: str) -> QuerySet[Portfolio]:
        # By its id, which an index finds in the default order; found once, for the slug doesn't depend on the row.
        return queryset.filter(employer=Employer.objects.filter(slug=value).values("pk")[:1])


class TagsFilter(django_filters.Filter):
    """Portfolios with all of the tags."""

    field_class = RepeatedSlugField

    def filter(self, queryset: QuerySet[Portfolio], value: Sequence[str]) -> QuerySet[Portfolio]:
        for slug in value:
            queryset = queryset.filter(pk__in=PortfolioTag.objects.filter(tag=one_tag(slug)).values("portfolio"))
        return queryset

    def filter_many(self, queryset: QuerySet[Portfolio], value: Sequence[str]) -> QuerySet[Portfolio]:
        for slug in value:
            queryset = queryset.filter(Exists(PortfolioTag.objects.filter(portfolio=OuterRef("pk"), tag=one_tag(slug))))
        return queryset


class AnyTagFilter(django_filters.Filter):
    """Portfolios with any of the tags, each once."""

    field_class = SlugListField

    def filter(self, queryset: QuerySet[Portfolio], value: Sequence[str]) -> QuerySet[Portfolio]:
        return queryset.filter(pk__in=PortfolioTag.objects.filter(tag__in=any_tag(value)).values("portfolio"))

    def filter_many(self, queryset: QuerySet[Portfolio], value: Sequence[str]) -> QuerySet[Portfolio]:
        return queryset.filter(Exists(PortfolioTag.objects.filter(portfolio=OuterRef("pk"), tag__in=any_tag(value))))


def one_tag(slug: str) -> QuerySet[Any, Any]:
    return Tag.objects.filter(slug=slug).order_by().values("pk")[:1]


def any_tag(slugs: Sequence[str]) -> QuerySet[Any, Any]:
    return Tag.objects.filter(slug__in=slugs).order_by().values("pk")


class FoundFilter(SearchFilter):
    """Rows that a search finds: see `PortfolioFilterSet.searched`, which is asked once for a request."""

    def filter(self, queryset: QuerySet[Any], value: str | None) -> QuerySet[Any]:
        return queryset

    filter_many = filter


class RelevanceFilter(OrderingFilter):
    """The order of the rows, in which `relevance` stands for the best first, as a search finds them."""

    def __init__(self, paths: dict[str, str], **kwargs: Any) -> None:
        super().__init__({**paths, RELEVANCE: RELEVANCE}, **kwargs)

    def filter(self, queryset: QuerySet[Any], value: list[str] | None) -> QuerySet[Any]:
        # Behind the score comes the default order, in which no two rows are equal.
        terms = [*(value or self.default), *(self.default if RELEVANCE in names_of(value) else ()), "id"]
        return queryset.order_by(*(self.expression(queryset, term) for term in dict.fromkeys(terms)))

    def expression(self, queryset: QuerySet[Any], term: str) -> Any:
        if term.removeprefix("-") == RELEVANCE:
            return F(RELEVANCE).asc() if term.startswith("-") else F(RELEVANCE).desc()
        return super().expression(queryset, term)


def names_of(terms: Sequence[str] | None) -> set[str]:
    return {term.removeprefix("-") for term in terms or ()}


class PortfolioFilterSet(PageFilterSet):
    bare = (*BARE, "include", "fields")
    repeatable = ("tag",)

    limit = limit_filter()
    search = FoundFilter(label="Words that must all be found, in any order: each is the beginning of a word")
    ordering = RelevanceFilter(
        {
            "title": "title",
            "slug": "slug",
            "order": "order",
            "year": "year",
            "client__name": "employer__name",
            "employer__name": "employer__name",
            "completed_at": "completed_at",
            "created_at": "created_at",
            "updated_at": "shown_at",
        },
        default=("order", "-created_at"),
        label="Names separated by commas, '-' for descending; default order,-created_at, and with `search` relevance, "
        "the best first",
    )
    tag = TagsFilter(label="With the tag of that slug; repeated, with all of them")
    tags_any = AnyTagFilter(label="With any of these tags, by their slugs separated by commas")
    employer = EmployerFilter(label="Done for the employer of that slug")
    year = IntegerFilter("year", label="Completed in that calendar year (UTC)")
    completed_at_from = FromFilter("completed_at", label="Completed at that moment or later")
    completed_at_to = ToFilter(
        "completed_at", label="Completed at that moment or earlier; a bare date includes the whole day"
    )
    has_image = PresenceFilter("image", label="With or without a cover")
    slugs = SlugsFilter(
        label="With any of these slugs, separated by commas; in their order, unless `ordering` or `search` asks for "
        "another one"
    )
    exclude = ExcludeFilter(label="All but the one with that slug")
    include = include_filter("What to tell besides, separated by commas")
    fields = fields_filter("What to tell, and nothing else, separated by commas", [HIGHLIGHT])

    def __init__(self, query: QueryDict) -> None:
        super().__init__(query)
        text = self.values.get("search")
        # Once, for copies of this too.
        self.find = cache(lambda: None if text is None else find(text, in_order=self.is_search_alone))
        if text is None:
            self.refuse_without_search()

    def refuse_without_search(self) -> None:
        """Raise ValidationError for what only a search has."""
        errors = {}
        if RELEVANCE in names_of(self.values.get("ordering")):
            errors["ordering"] = ["There is no relevance without search."]
        if HIGHLIGHT in (self.values.get("fields") or ()):
            errors["fields"] = ["There is no highlight without search."]
        if errors:
            raise ValidationError(errors)

    @property
    def is_search_alone(self) -> bool:
        """Tell whether all that a search finds is asked for, the best first."""
        return self.chosen.keys() == {"search"} and not self.values.get("ordering")

    @property
    def searched(self) -> Found | None:
        """What the search finds; None where none is asked for."""
        return self.find()

    def narrowed(self, queryset: Any, *, many: bool = False) -> QuerySet[Any]:
        """Return the published rows that the parameters leave; see PageFilterSet.

        A walk through all that are published finds them by the index in which they are in their order. Where another
        one leads to fewer of them, or to another order, that would only keep SQLite from it.
        """
        is_walk = many or self.chosen.keys() <= INDEXED
        is_walk = is_walk and not (self.values.get("ordering") or self.searched)
        rows = super().narrowed(queryset.published() if is_walk else queryset.only_published(), many=many)
        return rows if self.searched is None else rows.filter(self.searched.condition)

    def ordered(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        terms = self.values.get("ordering") or ([RELEVANCE] if self.searched else None)
        if self.searched is not None and RELEVANCE in names_of(terms):
            queryset = queryset.alias(**{RELEVANCE: self.searched.relevance})
        return self.base_filters["ordering"].filter(queryset, terms)
