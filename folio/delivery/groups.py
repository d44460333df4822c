"""The tags and employers that published portfolios have: the lists of them, and each by itself."""

from collections.abc import Sequence
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from folio.api.filters import OrderingFilter, PageFilterSet
from folio.api.pagination import Window
from folio.api.rows import Rows
from folio.api.texts import normal
from folio.api.viewsets import base_url
from folio.portfolios.models import Employer, Portfolio, Tag

from . import documents
from .counting import BY_NAME, EMPLOYERS, TAGS, Kind, standing
from .pictures import Pictures
from .views import PublicListView, limit_filter

tags = Rows(lambda: Tag.objects.order_by().values("id", "slug", "name", "image_id"), "pk")
employers = Rows(lambda: Employer.objects.order_by().values("id", "slug", "name", "image_id", "description"), "pk")


class CountedOrdering(OrderingFilter):
    """The order of what is counted, which no column of the database tells."""

    def __init__(self) -> None:
        super().__init__({"name": "name", "count": "count"}, default=("name",))
        del self.paths["id"]
        self.extra["names"] = ("name", "count")


class GroupFilterSet(PageFilterSet):
    limit = limit_filter()
    ordering = CountedOrdering()


class GroupViewSet(PublicListView):
    """Rows that published portfolios have, with the number of these."""

    kind: Kind
    rows: Rows
    filterset_class = GroupFilterSet
    counts: dict[int, int]  # of the page's rows, by id

    def found(self, filterset: PageFilterSet, window: Window, snapshot: int | None) -> tuple[int, Sequence[int]]:
        rows = standing(self.kind, filterset.values.get("ordering") or BY_NAME, snapshot)
        page = slice(window.offset, window.offset + window.limit)
        self.counts = dict(zip(rows.ids[page], rows.counts[page], strict=True))
        return len(rows.ids), list(self.counts)

    def results(self, ids: Sequence[int], filterset: PageFilterSet, snapshot: int | None) -> Sequence[Any]:
        return self.counted(self.counts)

    def counted(self, counts: dict[int, int]) -> list[Any]:
        """Return the documents of the rows whose counts are given by id, in that order."""
        rows = {row["id"]: row for row in self.rows.read(list(counts))}
        pictures = Pictures((row["image_id"] for row in rows.values()), base_url(self.request))
        return [self.made(rows[pk], pictures, count) for pk, count in counts.items() if pk in rows]

    def made(self, row: dict[str, Any], pictures: Pictures, count: int) -> Any:
        others = {name: value for name, value in row.items() if name != "image_id"}
        return self.document(**others, image=pictures.image(row["image_id"]), count=count)

    def retrieve(self, request: Request, slug: str) -> Response:
        noun = str(self.kind.model._meta.verbose_name)
        pk = (
            self.kind.model.objects.filter(slug=normal(slug)).values_list("pk", flat=True).first()
            if "\0" not in slug
            else None
        )
        count = 0 if pk is None else self.count(pk)
        found = self.counted({pk: count}) if pk is not None and count else []
        if not found:
            raise self.missing(noun, slug)
        return Response(found[0])

    def count(self, pk: int) -> int:
        """Return how many published portfolios have the row."""
        raise NotImplementedError


class TagViewSet(GroupViewSet):
    """The words that group published portfolios."""

    resource = "tags"
    queryset = Tag.objects.all()
    kind = TAGS
    rows = tags
    document = documents.CountedTag

    def count(self, pk: int) -> int:
        return Portfolio.objects.published().filter(placed_tags__tag=pk).count()


class EmployerViewSet(GroupViewSet):
    """The clients and companies that published work was done for."""

    resource = "employers"
    queryset = Employer.objects.all()
    kind = EMPLOYERS
    rows = employers
    document = documents.CountedEmployer

    def count(self, pk: int) -> int:
        return Portfolio.objects.published().filter(employer=pk).count()
