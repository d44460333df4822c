"""The pages of portfolios."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from folio.admin.options import ResourceAdmin

from .. import filters
from ..models import Portfolio
from .form import FormPages, PortfolioForm
from .listing import ListPages
from .lists import LinksInline, MetaInline
from .preview import PreviewPages
from .restoring import RestoresVersions
from .subjects import searched


@admin.register(Portfolio)
class PortfolioAdmin(RestoresVersions, FormPages, ListPages, PreviewPages, ResourceAdmin):
    form = PortfolioForm
    inlines = (LinksInline, MetaInline)
    search_fields = searched(filters.PortfolioFilterSet)
    readonly_fields = ("created_at", "updated_at")

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        rows, counts, _, protected = super().get_deleted_objects(objs, request)
        return rows, counts, set(), protected  # what belongs to a portfolio goes with it, as in the API
