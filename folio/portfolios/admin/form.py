"""The form of a portfolio."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import connection
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget

from folio.api.admin import TextBoxField

from .. import drafting
from ..models import Portfolio

MAX_ORDER = 2**31 - 1


class PortfolioForm(forms.ModelForm):  # type: ignore[type-arg]
    order = forms.IntegerField(
        min_value=-MAX_ORDER - 1, max_value=MAX_ORDER, initial=0, widget=UnfoldAdminIntegerFieldWidget
    )

    class Meta:
        field_classes = {"excerpt": TextBoxField}
        widgets = {"excerpt": UnfoldAdminTextareaWidget({"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "slug" in self.fields:
            self.fields["slug"].allow_unicode = True  # type: ignore[attr-defined]  # for the script that fills it in


class FormPages:
    """The pages with a portfolio's form: what they show and take depends on whether the user drafts or publishes."""

    def has_view_permission(self, request: HttpRequest, obj: Portfolio | None = None) -> bool:
        return drafting.may_view(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return drafting.may_add(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Portfolio | None = None) -> bool:
        return drafting.may_change(request.user, obj)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Portfolio | None:
        """Return the entry; one that is about to be written stays as it was found until that is done."""
        found: Portfolio | None = super().get_object(request, object_id, from_field)  # type: ignore[misc]
        if found and request.method == "POST" and connection.in_atomic_block:
            Portfolio.objects.filter(pk=found.pk).lock()
            found = super().get_object(request, object_id, from_field)  # type: ignore[misc]
        return found

    def get_fieldsets(self, request: HttpRequest, obj: Portfolio | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)  # type: ignore[misc]
        if drafting.may_publish(request.user, is_new=obj is None):
            return fieldsets
        return [
            (name, {**options, "fields": tuple("standing" if f == "is_active" else f for f in options["fields"])})
            for name, options in fieldsets
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Portfolio | None = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "standing")  # type: ignore[misc]

    def save_model(self, request: HttpRequest, obj: Portfolio, form: Any, change: bool) -> None:
        if not drafting.may_publish(request.user, is_new=not change):
            obj.is_active = False  # what they may change is not active, and what they add isn't yet
        super().save_model(request, obj, form, change)  # type: ignore[misc]

    @admin.display(description=_("active"))
    def standing(self, portfolio: Portfolio) -> str:
        """Say whether the entry is active, to those who don't decide it."""
        if portfolio.pk and portfolio.is_active:
            return gettext("Active: websites show it.")
        return gettext("Not active: websites may leave it out until someone who may publish makes it active.")
