"""Links and meta by themselves, as at their endpoints."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import NON_FIELD_ERRORS
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.widgets import UnfoldAdminTextareaWidget

from folio.admin.options import AbsentLast, ResourceAdmin, may_see, number_of

from .. import filters
from ..models import Link, MetaEntry, Portfolio
from ..serializers import DUPLICATE_KEY, NOT_WEB
from ..services import delete_placed, save_placed
from .editing import EditPages
from .subjects import searched
from .type_ahead import TypeAheadField


class LinkForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        widgets = {"description": UnfoldAdminTextareaWidget({"rows": 1})}
        labels = {"url": "URL"}
        error_messages = {"url": {"invalid": NOT_WEB}}


class LinkAloneForm(LinkForm):
    portfolio = TypeAheadField(Portfolio.objects.all(), "portfolios.link.portfolio", label=_("Portfolio"))


class MetaAloneForm(forms.ModelForm):  # type: ignore[type-arg]
    portfolio = TypeAheadField(Portfolio.objects.all(), "portfolios.metaentry.portfolio", label=_("Portfolio"))

    class Meta:
        widgets = {"value_text": UnfoldAdminTextareaWidget({"rows": 1})}

    def _get_validation_exclusions(self) -> set[str]:
        """Have the key compared with the others of its portfolio where that one is not in the form."""
        fixed = {"portfolio"} - self.fields.keys()
        return super()._get_validation_exclusions() - fixed  # type: ignore[misc,no-any-return]

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.has_error(NON_FIELD_ERRORS, "unique_together"):  # the constraint's own words would not name the field
            del self.errors[NON_FIELD_ERRORS]
            self.add_error("key", DUPLICATE_KEY)


class PlacedAdmin(EditPages, ResourceAdmin):
    """A resource whose rows belong to portfolios, and are saved as at their endpoint."""

    list_select_related = ("portfolio",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and may_see(request, Portfolio)  # one of which has to be chosen

    def get_list_display(self, request: HttpRequest) -> Any:
        return for_reader(request, super().get_list_display(request))

    def get_list_filter(self, request: HttpRequest) -> Any:
        return super().get_list_filter(request) if may_see(request, Portfolio) else ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return for_reader(request, super().get_fields(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if may_see(request, Portfolio) else (*fields, "portfolio", "portfolio_number")

    @admin.display(description=_("portfolio"))
    def portfolio_number(self, row: Any) -> str:
        return number_of(row.portfolio)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        save_placed(obj, form.initial.get("portfolio", obj.portfolio_id) if change else None)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        delete_placed(self.model._default_manager.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        delete_placed(queryset)


def for_reader(request: HttpRequest, names: Iterable[str]) -> list[str]:
    """Return columns or fields, with the number of the portfolio for those who may not see what it is called."""
    is_told = may_see(request, Portfolio)
    return [name if is_told or name != "portfolio" else "portfolio_number" for name in names]


@admin.register(Link)
class LinkAdmin(PlacedAdmin):
    form = LinkAloneForm
    list_display = ("name", "address", "portfolio")
    list_filter = (("portfolio", AutocompleteSelectFilter),)
    list_filter_submit = True
    search_fields = searched(filters.LinkFilterSet)
    fields = ("portfolio", "name", "url", "description", "image")

    @admin.display(description="URL", ordering=AbsentLast("url"))
    def address(self, link: Link) -> str | None:
        return link.url


@admin.register(MetaEntry)
class MetaEntryAdmin(PlacedAdmin):
    form = MetaAloneForm
    list_display = ("key", "value_text", "portfolio")
    list_filter = (("portfolio", AutocompleteSelectFilter),)
    list_filter_submit = True
    search_fields = searched(filters.MetaEntryFilterSet)
    fields = ("portfolio", "key", "value_text", "value_file")
