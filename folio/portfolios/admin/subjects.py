"""Employers and tags: what portfolios are about."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from folio.admin.options import ResourceAdmin
from folio.media.admin import heading

from .. import filters, publishing
from ..models import Employer, Portfolio, Tag
from .editing import EditPages
from .type_ahead import MadeByName

SHOWN = 20  # of the portfolios that keep an employer


def searched(filterset: Any) -> tuple[str, ...]:
    """Return the columns that the API's search looks into."""
    fields: tuple[str, ...] = filterset.base_filters["search"].fields
    return fields


class SubjectForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a portfolio is about; a slug that is left empty is made from the name."""

    class Meta:
        widgets = {
            "slug": UnfoldAdminTextInputWidget({"dir": "auto", "autocapitalize": "off", "spellcheck": "false"}),
        }

    def _get_validation_exclusions(self) -> set[str]:
        """Leave out a slug that is yet to be made: the database refuses empty ones."""
        left_empty = set() if self.cleaned_data.get("slug") else {"slug"}
        return super()._get_validation_exclusions() | left_empty  # type: ignore[misc]


@admin.register(Employer)
class EmployerAdmin(MadeByName, EditPages, ResourceAdmin):
    list_display = ("name_and_picture",)
    search_fields = searched(filters.EmployerFilterSet)
    form = SubjectForm
    fields: tuple[str, ...] = ("name", "slug", "description", "image")
    scripts = ("slug",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Employer]:
        queryset: QuerySet[Employer] = super().get_queryset(request)
        return queryset.select_related("image").prefetch_related("image__thumbnails")

    def get_deleted_objects(self, objs: Iterable[Any], request: HttpRequest) -> Any:
        """Return what a deletion takes with it, which is nothing, and the portfolios that stand against it."""
        employers = list(objs)
        named = Portfolio.objects.filter(employer__in=employers).order_by("title", "pk")
        count = named.count()
        shown = list(named.only("title")[:SHOWN]) if publishing.may_view(request.user) else []
        protected: list[str] = [
            format_html('<a href="{}" class="text-link">{}</a>', url_of(portfolio), portfolio) for portfolio in shown
        ]
        if rest := count - len(shown):
            text = ngettext("%(count)d portfolio", "%(count)d portfolios", rest)
            more = ngettext("and %(count)d more", "and %(count)d more", rest)
            protected.append((more if shown else text) % {"count": rest})
        return list(map(str, employers)), {self.opts.verbose_name_plural: len(employers)}, set(), protected

    @display(description=gettext_lazy("name"), ordering="name", header=True)  # type: ignore[untyped-decorator]
    def name_and_picture(self, row: Employer | Tag) -> list[Any]:
        return heading(row.name, row.image, row.name[:1])


@admin.register(Tag)
class TagAdmin(EmployerAdmin):
    search_fields = searched(filters.TagFilterSet)
    fields = ("name", "slug", "image")

    def get_deleted_objects(self, objs: Iterable[Any], request: HttpRequest) -> Any:
        """Return the tags, each with how many portfolios it is taken off."""
        tags = list(objs)
        counts = dict(
            Tag.objects.filter(pk__in=[tag.pk for tag in tags]).order_by().values_list("pk", Count("portfolios"))
        )
        rows: list[Any] = []
        for tag in tags:
            count = counts.get(tag.pk, 0)
            taken_off = ngettext(
                "It is taken off %(count)d portfolio.", "It is taken off %(count)d portfolios.", count
            ) % {"count": count}
            rows += [str(tag), [taken_off]] if count else [str(tag)]
        return rows, {self.opts.verbose_name_plural: len(tags)}, set(), []


def url_of(portfolio: Portfolio) -> str:
    return reverse("admin:portfolios_portfolio_change", args=(portfolio.pk,))
