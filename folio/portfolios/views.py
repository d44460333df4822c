from collections.abc import Collection, Hashable, Sequence
from math import inf
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from folio.api.filters import PageFilterSet
from folio.api.pagination import Window
from folio.api.viewsets import ResourceViewSet

from . import documents, filters, serializers
from .examples import EXAMPLES
from .models import Employer, Link, MetaEntry, Portfolio, Tag
from .moments import hold
from .services import delete_placed

INCLUDING = ("create", "retrieve", "retrieve_by_slug", "update", "partial_update")  # and the list


class PortfolioViewSet(ResourceViewSet):
    """Finished pieces of work, as websites show them."""

    resource = "portfolios"
    owner = "pk"
    queryset = Portfolio.objects.all()
    document = documents.Portfolio
    row = documents.PortfolioRow
    filterset_class = filters.PortfolioFilterSet
    serializer_class = serializers.PortfolioSerializer
    examples = EXAMPLES
    summaries = {"retrieve_by_slug": "Read a portfolio by its slug"}
    code_of_action = {**ResourceViewSet.code_of_action, "retrieve_by_slug": "retrieve"}
    parameters = {action: {"include": filters.INCLUDE} for action in INCLUDING}
    until = inf

    def in_form(self, document: Any) -> Any:
        asked = self.given.get("include") or ()
        return documents.WITH[document].get(tuple(name for name in documents.INCLUDED if name in asked), document)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.is_published_only():
            self.until = hold(request.META)

    def deadline(self, request: Request) -> float:
        return min(super().deadline(request), self.until)

    def is_published_only(self) -> bool:
        """Tell whether the request's key may see nothing but what is published."""
        return bool(getattr(getattr(self.request, "auth", None), "published_only", False))

    def found(self, filterset: PageFilterSet, window: Window, snapshot: int | None) -> tuple[int, Sequence[int]]:
        first = None
        if isinstance(filterset, filters.PortfolioFilterSet):
            first = filterset.first(self.get_queryset(), window.offset, window.offset + window.limit, snapshot)
        return super().found(filterset, window, snapshot) if first is None else first

    def get_queryset(self) -> Any:
        rows: Any = super().get_queryset()
        return rows.published() if self.is_published_only() else rows

    def scope(self) -> Hashable:
        return self.is_published_only()

    def shown(self, ids: Sequence[int]) -> Collection[int]:
        if not ids or not self.is_published_only():
            return ids
        return set(self.get_queryset().order_by().filter(pk__in=ids).values_list("pk", flat=True))

    def retrieve_by_slug(self, request: Request, slug: str) -> Response:
        pk = self.get_queryset().filter(slug=slug).values_list("pk", flat=True).first() if "\0" not in slug else None
        if pk is None:
            raise self.missing(f"slug {slug}")
        return self.document_of(pk)


class EmployerViewSet(ResourceViewSet):
    """The clients and companies that work was done for."""

    resource = "employers"
    queryset = Employer.objects.all()
    document = documents.SluggedEmployer
    filterset_class = filters.EmployerFilterSet
    serializer_class = serializers.EmployerSerializer


class TagViewSet(ResourceViewSet):
    """The words that group portfolios."""

    resource = "tags"
    queryset = Tag.objects.all()
    document = documents.SluggedTag
    filterset_class = filters.TagFilterSet
    serializer_class = serializers.TagSerializer


class PlacedViewSet(ResourceViewSet):
    """A resource whose rows belong to portfolios."""

    owner = "portfolio"

    def locked(self, pk: int) -> Any:
        Portfolio.objects.filter(pk__in=self.get_queryset().filter(pk=pk).values("portfolio")).lock()
        return super().locked(pk)

    def perform_destroy(self, instance: Any) -> None:
        delete_placed(self.get_queryset().filter(pk=instance.pk))


class LinkViewSet(PlacedViewSet):
    """The web addresses that belong to portfolios."""

    resource = "links"
    queryset = Link.objects.select_related("portfolio")
    document = documents.PlacedLink
    filterset_class = filters.LinkFilterSet
    serializer_class = serializers.LinkSerializer


class MetaEntryViewSet(PlacedViewSet):
    """The keys and values that belong to portfolios."""

    resource = "meta"
    queryset = MetaEntry.objects.select_related("portfolio")
    document = documents.PlacedMetaEntry
    filterset_class = filters.MetaEntryFilterSet
    serializer_class = serializers.MetaEntrySerializer
