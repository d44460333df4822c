"""Employers and tags: what portfolios are about."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from folio.api.admin import ResourceAdmin
from folio.media.admin import heading

from .. import filters
from ..models import Employer, Tag


def searched(filterset: Any) -> tuple[str, ...]:
    """Return the columns that the API's search looks into."""
    fields: tuple[str, ...] = filterset.base_filters["search"].fields
    return fields


@admin.register(Employer)
class EmployerAdmin(ResourceAdmin):
    list_display = ("name_and_picture",)
    search_fields = searched(filters.EmployerFilterSet)
    fields: tuple[str, ...] = ("name", "description", "image")
    autocomplete_fields = ("image",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Employer]:
        queryset: QuerySet[Employer] = super().get_queryset(request)
        return queryset.select_related("image").prefetch_related("image__thumbnails")

    @display(description="name", ordering="name", header=True)  # type: ignore[untyped-decorator]
    def name_and_picture(self, row: Employer | Tag) -> list[Any]:
        return heading(row.name, "", row.image, row.name[:1])


@admin.register(Tag)
class TagAdmin(EmployerAdmin):
    search_fields = searched(filters.TagFilterSet)
    fields = ("name", "image")
