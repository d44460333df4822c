"""The pages of portfolios."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from folio.api.admin import AbsentLast, ResourceAdmin
from folio.media.admin import heading

from .. import filters
from ..models import Portfolio
from .form import FormPages, PortfolioForm
from .lists import LinksInline, MetaInline
from .subjects import searched


@admin.register(Portfolio)
class PortfolioAdmin(FormPages, ResourceAdmin):
    form = PortfolioForm
    inlines = (LinksInline, MetaInline)
    list_display = ("title_and_cover", "employer_name", "is_active", "order", "completed")
    list_filter = (
        "is_active",
        ("employer", AutocompleteSelectFilter),
        ("tags", AutocompleteSelectFilter),
        "completed_at",
    )
    list_filter_submit = True
    list_select_related = ("employer", "image")
    search_fields = searched(filters.PortfolioFilterSet)
    readonly_fields = ("created_at", "updated_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Portfolio]:
        queryset: QuerySet[Portfolio] = super().get_queryset(request)
        return queryset.prefetch_related("image__thumbnails")

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        rows, counts, _, protected = super().get_deleted_objects(objs, request)
        return rows, counts, set(), protected  # what belongs to a portfolio goes with it, as in the API

    @display(description="title", ordering="title", header=True)  # type: ignore[untyped-decorator]
    def title_and_cover(self, portfolio: Portfolio) -> list[Any]:
        return heading(portfolio.title, portfolio.slug, portfolio.image, portfolio.title[:1])

    @admin.display(description="employer", ordering=AbsentLast("employer__name"))
    def employer_name(self, portfolio: Portfolio) -> Any:
        return portfolio.employer

    @admin.display(description="completed at", ordering=AbsentLast("completed_at"))
    def completed(self, portfolio: Portfolio) -> Any:
        return portfolio.completed_at
