from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from folio.api.filters import (
    BARE,
    FEW,
    BooleanFilter,
    DayFilter,
    FilterSet,
    FromFilter,
    IdListFilter,
    IntegerFilter,
    NamesFilter,
    OrderingFilter,
    PresenceFilter,
    SearchFilter,
    TextFilter,
    ToFilter,
)
from folio.api.texts import Search

from . import documents
from .models import Portfolio, PortfolioTag
from .searching.parts import count_by_parts, first_by_parts, parts_in_order


class TagsFilter(IdListFilter):
    """Portfolios with any of the tags, each once."""

    def filter(self, queryset: QuerySet[Portfolio], value: Iterable[int]) -> QuerySet[Portfolio]:
        return queryset.filter(pk__in=PortfolioTag.objects.filter(tag__in=value).values("portfolio"))

    def filter_many(self, queryset: QuerySet[Portfolio], value: Iterable[int]) -> QuerySet[Portfolio]:
        return queryset.filter(Exists(PortfolioTag.objects.filter(portfolio=OuterRef("pk"), tag__in=value)))


class TagFilter(IntegerFilter):
    """Portfolios with the tag."""

    def filter(self, queryset: QuerySet[Portfolio], value: int) -> QuerySet[Portfolio]:
        return queryset.filter(pk__in=PortfolioTag.objects.filter(tag=value).values("portfolio"))

    def filter_many(self, queryset: QuerySet[Portfolio], value: int) -> QuerySet[Portfolio]:
        return queryset.filter(Exists(PortfolioTag.objects.filter(portfolio=OuterRef("pk"), tag=value)))


INCLUDE = NamesFilter(names=documents.INCLUDED, label="What else is told of a portfolio, in keys that come last")


class PortfolioFilterSet(FilterSet):
    search = SearchFilter(
        "title",
        "slug",
        "excerpt",
        "year",
        "employer__name",
        label="Words that must all occur, in any letter case, in title, slug, excerpt, year or employer's name",
    )
    ordering = OrderingFilter(
        {
            "title": "title",
            "slug": "slug",
            "order": "order",
            "year": "year",
            "is_active": "is_active",
            "client__name": "employer__name",
            "employer__name": "employer__name",
            "completed_at": "completed_at",
            "created_at": "created_at",
            "updated_at": "updated_at",
        },
        default=("order", "-created_at"),
    )
    created_date = DayFilter("created_at", label="Created on that day (UTC)")
    updated_date = DayFilter("updated_at", label="Last updated on that day (UTC)")
    created_from = FromFilter("created_at", label="Created at that moment or later")
    created_to = ToFilter("created_at", label="Created at that moment or earlier; a bare date includes the whole day")
    updated_from = FromFilter("updated_at", label="Last updated at that moment or later")
    updated_to = ToFilter(
        "updated_at", label="Last updated at that moment or earlier; a bare date includes the whole day"
    )
    has_image = PresenceFilter("image", label="With or without a cover image")
    has_description = PresenceFilter(
        "description", blank=True, label="With or without a description; an empty one counts as none"
    )
    has_employer = PresenceFilter("employer", label="With or without an employer")
    order_min = IntegerFilter("order", "gte", label="The smallest order")
    order_max = IntegerFilter("order", "lte", label="The largest order")
    completed_at_from = FromFilter("completed_at", label="Completed at that moment or later")
    completed_at_to = ToFilter(
        "completed_at", label="Completed at that moment or earlier; a bare date includes the whole day"
    )
    employer_id = IntegerFilter("employer_id", label="Done for that employer")
    tag_id = TagFilter(label="With that tag")
    tags_in = TagsFilter(label="With any of these tags, by their ids separated by commas; may be repeated")
    is_active = BooleanFilter("is_active", label="Without drafts, or drafts alone")
    slug = TextFilter("slug", label="With exactly that slug")
    include = INCLUDE
    bare = (*BARE, "include")

    def count(self, queryset: QuerySet[Portfolio]) -> int:
        if self.is_search_alone(queryset):  # the index knows it
            return count_by_parts(self.search_of())
        return super().count(queryset)

    def first(
        self, queryset: QuerySet[Portfolio], start: int, stop: int, snapshot: int | None
    ) -> tuple[int, list[int]] | None:
        """Return how many rows there are, and the ids of a part of them, where the index tells that soon."""
        if self.is_search_alone(queryset) and not self.values.get("ordering"):
            return first_by_parts(self.search_of(), self.narrowing(), start, stop, snapshot)
        return None

    def is_search_alone(self, queryset: QuerySet[Portfolio]) -> bool:
        return self.chosen.keys() == {"search"} and not queryset.query.where

    def search_of(self, *, is_many: bool = False) -> Search:
        return Search(self.chosen["search"], self.base_filters["search"].fields, is_many=is_many)

    def statement(self, queryset: QuerySet[Portfolio], count: int, is_reversed: bool) -> tuple[str, tuple[Any, ...]]:
        if self.is_search_alone(queryset) and not self.values.get("ordering"):
            sql, parameters = parts_in_order(self.search_of(is_many=count > FEW), is_reversed=is_reversed)
            return sql, tuple(parameters)
        return super().statement(queryset, count, is_reversed)

    def ids(self, queryset: QuerySet[Portfolio], count: int) -> QuerySet[Portfolio]:
        if set(self.chosen) == {"search"} and count <= FEW:  # the index tells which, so that they are looked up once
            return self.ordered(self.narrowed(queryset)).values_list("pk", flat=True)
        return super().ids(queryset, count)


class EmployerFilterSet(FilterSet):
    search = SearchFilter("name", label="Words that must all occur in the name, in any letter case")
    ordering = OrderingFilter({"name": "name", "description": "description", "slug": "slug"}, default=("name",))
    has_image = PresenceFilter("image", label="With or without an image")
    has_description = PresenceFilter(
        "description", blank=True, label="With or without a description; an empty one counts as none"
    )


class TagFilterSet(FilterSet):
    search = SearchFilter("name", label="Words that must all occur in the name, in any letter case")
    ordering = OrderingFilter({"name": "name", "slug": "slug"}, default=("name",))
    has_image = PresenceFilter("image", label="With or without an image")
    portfolio_id = IntegerFilter("portfolios", label="On that portfolio")


class LinkFilterSet(FilterSet):
    search = SearchFilter("name", label="Words that must all occur in the name, in any letter case")
    ordering = OrderingFilter(
        {"name": "name", "url": "url", "description": "description", "portfolio": "portfolio"},
        default=("portfolio", "place"),
    )
    portfolio_id = IntegerFilter("portfolio", label="Of that portfolio")
    has_image = PresenceFilter("image", label="With or without an image")
    has_url = PresenceFilter("url", blank=True, label="With or without a URL")


class MetaEntryFilterSet(FilterSet):
    search = SearchFilter("key", label="Words that must all occur in the key, in any letter case")
    ordering = OrderingFilter(
        {"key": "key", "value_text": "value_text", "portfolio": "portfolio"}, default=("portfolio", "place")
    )
    portfolio_id = IntegerFilter("portfolio", label="Of that portfolio")
    key = TextFilter("key", label="With exactly that key")
    has_file = PresenceFilter("value_file", label="With or without a file")
