"""The pages of portfolios."""

from collections import defaultdict
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.text import capfirst

from folio.admin.options import ResourceAdmin

from .. import filters
from ..models import Link, MetaEntry, Portfolio
from .form import FormPages, PortfolioForm
from .listing import ListPages
from .lists import LinksInline, MetaInline
from .preview import PreviewPages
from .restoring import RestoresVersions
from .sharing import SharingPages
from .subjects import searched


@admin.register(Portfolio)
class PortfolioAdmin(RestoresVersions, FormPages, ListPages, SharingPages, PreviewPages, ResourceAdmin):
    form = PortfolioForm
    inlines = (LinksInline, MetaInline)
    search_fields = searched(filters.PortfolioFilterSet)
    readonly_fields = ("created_at", "updated_at")

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return the portfolios, each with its links and meta, which go with it, as in the API.

        Django would count the places in the gallery and among the tags too, and name them like the tags and pictures.
        """
        portfolios = list(objs)
        rows: list[Any] = []
        counts = {self.opts.verbose_name_plural: len(portfolios)}
        gone: dict[int, list[str]] = defaultdict(list)
        for model in (Link, MetaEntry):
            own: list[Any] = list(model._default_manager.filter(portfolio__in=portfolios).order_by("place", "pk"))
            if own:
                counts[model._meta.verbose_name_plural] = len(own)
            for row in own:
                gone[row.portfolio_id].append(f"{capfirst(model._meta.verbose_name)}: {row}")
        for portfolio in portfolios:
            rows.append(str(portfolio))
            if portfolio.pk in gone:
                rows.append(gone[portfolio.pk])
        return rows, counts, set(), []
