"""Links and meta by themselves, as at their endpoints."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from folio.api.admin import AbsentLast, ResourceAdmin

from .. import filters
from ..models import Link, MetaEntry
from ..serializers import NOT_WEB
from ..services import delete_placed, save_placed
from .subjects import searched


class LinkForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        labels = {"url": "URL"}
        error_messages = {"url": {"invalid": NOT_WEB}}


class PlacedAdmin(ResourceAdmin):
    """A resource whose rows belong to portfolios, and are saved as at their endpoint."""

    list_select_related = ("portfolio",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        save_placed(obj, form.initial["portfolio"] if change else None)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        delete_placed(self.model._default_manager.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        delete_placed(queryset)


@admin.register(Link)
class LinkAdmin(PlacedAdmin):
    form = LinkForm
    list_display = ("name", "address", "portfolio")
    list_filter = (("portfolio", AutocompleteSelectFilter),)
    list_filter_submit = True
    search_fields = searched(filters.LinkFilterSet)
    fields = ("portfolio", "name", "url", "description", "image")
    autocomplete_fields = ("portfolio", "image")

    @admin.display(description="URL", ordering=AbsentLast("url"))
    def address(self, link: Link) -> str | None:
        return link.url


@admin.register(MetaEntry)
class MetaEntryAdmin(PlacedAdmin):
    list_display = ("key", "value_text", "portfolio")
    list_filter = (("portfolio", AutocompleteSelectFilter),)
    list_filter_submit = True
    search_fields = searched(filters.MetaEntryFilterSet)
    fields = ("portfolio", "key", "value_text", "value_file")
    autocomplete_fields = ("portfolio", "value_file")
