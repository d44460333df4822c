"""The portfolios that are published: the list of them, and each by itself."""

from collections.abc import Sequence
from typing import Any

import msgspec
from django.urls import reverse
from django.utils.encoding import iri_to_uri
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from folio.api.filters import PageFilterSet, TextFilter
from folio.api.pagination import Window
from folio.api.texts import normal
from folio.api.viewsets import base_url
from folio.portfolios.models import FormerSlug, Portfolio
from folio.portfolios.previews import shown_by
from folio.snapshots import SNAPSHOT

from . import documents
from .choosing import choice_of, fields_filter, include_filter
from .filters import PortfolioFilterSet
from .parts import OPTIONAL, joined, parts_of
from .previews import previewed
from .views import PublicListView

VOID = "This preview link has ended, or is no such link. Whoever shared it can make another one."


class PortfolioViewSet(PublicListView):
    """Finished pieces of work that are published."""

    resource = "portfolios"
    queryset = Portfolio.objects.all()
    document = documents.Entry
    row = documents.ListedEntry
    has_former_slugs = True
    filterset_class: type[PortfolioFilterSet] = PortfolioFilterSet
    parameters = {
        "retrieve": {
            "include": include_filter("Leave out of what is told at the end all but these, separated by commas"),
            "fields": fields_filter("What to tell, and nothing else, separated by commas"),
            "preview": TextFilter(
                label="The token of a preview link, with which the entry is told though it is not published; then "
                "nothing keeps the answer"
            ),
        }
    }

    def found(self, filterset: PageFilterSet, window: Window, snapshot: int | None) -> tuple[int, Sequence[int]]:
        searched = filterset.searched if isinstance(filterset, PortfolioFilterSet) else None
        if searched is not None and filterset.is_search_alone and searched.is_ranked:
            return searched.total, searched.part(window.offset, window.offset + window.limit)
        if searched is not None and searched.few is not None:
            # Counted and sorted in one: whoever looks for two pages of a few has seen most of what there is.
            rows = filterset.ordered(filterset.narrowed(Portfolio.objects.all()))
            ids = list(rows.values_list("pk", flat=True))
            return len(ids), ids[window.offset : window.offset + window.limit]
        slugs = filterset.values.get("slugs")
        if slugs is None or filterset.values.get("ordering") or filterset.values.get("search"):
            return super().found(filterset, window, snapshot)
        by_slug = dict(filterset.narrowed(Portfolio.objects.all()).values_list("slug", "pk"))
        in_order = [by_slug[slug] for slug in slugs if slug in by_slug]
        return len(in_order), in_order[window.offset : window.offset + window.limit]

    def results(self, ids: Sequence[int], filterset: PageFilterSet, snapshot: int | None) -> Sequence[msgspec.Raw]:
        choice = choice_of(filterset.values, ())
        parts = parts_of(ids, choice.parts, base_url(self.request), snapshot)
        found = filterset.searched if isinstance(filterset, PortfolioFilterSet) and choice.has_highlight else None
        if found is not None:
            for pk, sentence in found.highlights(list(parts), snapshot).items():
                parts[pk].append(b'"highlight":%b' % msgspec.json.encode(sentence))
        return [joined(parts[pk], choice.keys) for pk in ids if pk in parts]

    def retrieve(self, request: Request, slug: str) -> Response:
        slug = normal(slug)
        if self.given.get("preview") is not None:
            return self.preview(request, slug)
        if "\0" in slug:  # which PostgreSQL can't be asked for
            raise self.missing("portfolio", slug)
        found = Portfolio.objects.only_published().filter(slug=slug).order_by().values_list("pk", flat=True).first()
        if found is None:
            return self.moved(request, slug)
        choice = choice_of(self.given, OPTIONAL)
        parts = parts_of([found], choice.parts, base_url(request), request.META.get(SNAPSHOT))
        if found not in parts:  # hidden or deleted this moment
            raise self.missing("portfolio", slug)
        return Response(joined(parts[found], choice.keys))

    def preview(self, request: Request, slug: str) -> Response:
        """Tell of the one entry that a token shows; all that is told without a good one follows from the token alone.

        So nobody learns from it what there is: of any slug but the entry's own the answer is the same, too.
        """
        entry: Any = shown_by(self.given["preview"])
        if entry is None:
            raise ValidationError({"preview": [VOID]})
        if slug != entry.slug:
            if "\0" in slug or not FormerSlug.objects.filter(slug=slug, portfolio=entry.pk).exists():
                raise NotFound(f"This preview link is not for a portfolio with the slug {slug}.")
            return self.led(request, entry.slug)
        choice = choice_of(self.given, OPTIONAL)
        base, snapshot = base_url(request), request.META.get(SNAPSHOT)
        parts = parts_of([entry.pk], choice.parts, base, snapshot).get(entry.pk) if entry.is_published else None
        parts = parts or previewed(entry.pk, choice.parts, base, snapshot)
        if not parts:  # deleted this moment
            raise ValidationError({"preview": [VOID]})
        return Response(joined(parts, choice.keys))

    def moved(self, request: Request, slug: str) -> Response:
        """Lead from a slug that a published portfolio had before to the present one; or raise NotFound."""
        former = FormerSlug.objects.filter(slug=slug, portfolio__in=Portfolio.objects.only_published().values("pk"))
        present = former.values_list("portfolio__slug", flat=True).first()
        if present is None:
            raise self.missing("portfolio", slug)
        return self.led(request, present)

    def led(self, request: Request, present: str) -> Response:
        query = request.META.get("QUERY_STRING", "")
        location = reverse("public-portfolio", kwargs={"slug": present}) + (f"?{iri_to_uri(query)}" if query else "")
        return Response(status=301, headers={"Location": location})
