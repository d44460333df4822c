"""What the portfolios have that some filters leave: the choices beside a list, each with what it would leave."""

from collections.abc import Collection, Iterable
from copy import copy
from functools import cache, cached_property
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from folio.api.documents import KEY_SIZE
from folio.api.filters import MAX_LIMIT, BareFilter
from folio.portfolios.models import Portfolio
from folio.snapshots import SNAPSHOT, remember

from .counting import EMPLOYERS, TAGS, YEARS, Kind, Portfolios, are_mostly_published, counts, counts_of_published, most
from .documents import EmployerFacet, Facets, TagFacet, YearFacet
from .filters import PortfolioFilterSet
from .shelf import Shelf, shelf
from .views import PublicView

FEW = 5_000  # portfolios that are looked for once and then named, instead of looked for by each count
FACET_SIZE = 300  # bytes that a value takes in the document cache, roughly
FACETS: dict[str, tuple[Kind, Any, Collection[str]]] = {  # with the shape of a value, and the parameters ignored
    "tags": (TAGS, TagFacet, ("tags_any",)),
    "employers": (EMPLOYERS, EmployerFacet, ("employer",)),
    "years": (YEARS, YearFacet, ("year",)),
}


NOTHING: Any = cache(lambda: None)  # what a search finds that nobody asks for


class FacetFilterSet(PortfolioFilterSet):
    """The parameters of the list that choose portfolios."""

    limit = BareFilter(
        min_value=1, label=f"How many values of each to return; at most {MAX_LIMIT}, which is the default"
    )
    offset = ordering = include = fields = None  # type: ignore[assignment]  # which takes them away
    is_search_alone = False  # for no ids are asked for in order

    def without(self, names: Collection[str]) -> "FacetFilterSet":
        """Return the same parameters but those."""
        others = copy(self)
        others.chosen = {name: value for name, value in self.chosen.items() if name not in names}
        return others

    def alone(self, name: str) -> "FacetFilterSet":
        """Return one of the parameters."""
        one = copy(self)
        one.chosen = {name: self.chosen[name]}
        if name != "search":
            one.find = NOTHING
        return one


class Narrowed:
    """The published portfolios that some parameters leave."""

    def __init__(self, filterset: FacetFilterSet) -> None:
        self.filterset = filterset
        self.portfolios: Portfolios = filterset.narrowed(Portfolio.objects.all())
        self.ids: list[int] = []  # where they are few: found once, though they are counted in several ways
        if filterset.chosen:
            self.ids = list(self.portfolios.values_list("pk", flat=True)[: FEW + 1])

    @property
    def are_few(self) -> bool:
        return bool(self.filterset.chosen) and len(self.ids) <= FEW

    def count(self) -> int:
        return len(self.ids) if self.are_few else self.all_of_them

    @cached_property
    def all_of_them(self) -> int:
        return self.portfolios.count()

    @cached_property
    def are_most(self) -> bool:
        return are_mostly_published(self.all_of_them)

    def most(self, name: str) -> list[tuple[Any, ...]]:
        """Return the values that most of them have."""
        kind = FACETS[name][0]
        if not self.filterset.chosen:
            return most(kind, counts_of_published(kind, are_most=self.are_most), MAX_LIMIT)
        if self.are_few and not self.ids:
            return []
        if self.are_few:
            return most(kind, counts(kind, Portfolio.objects.only_published().filter(pk__in=self.ids)), MAX_LIMIT)
        return most(kind, counts(kind, self.filterset.narrowed(Portfolio.objects.all(), many=True)), MAX_LIMIT)


class Held:
    """The same, from what is held in memory."""

    def __init__(self, filterset: FacetFilterSet, held: Shelf) -> None:
        self.held = held
        self.members = held.everyone
        for name, value in filterset.chosen.items():
            rows: Any = Portfolio.objects.only_published().filter(slug=value)  # of `exclude`: all but one, sooner found
            if name != "exclude":
                rows = filterset.alone(name).narrowed(Portfolio.objects.all())
            found = held.set_of((name, repr(value)), rows.values_list("pk", flat=True).iterator)
            self.members &= ~found if name == "exclude" else found

    @cached_property
    def side(self) -> tuple[list[int], bool]:
        return self.held.smaller(self.members)

    def count(self) -> int:
        return self.members.bit_count()

    def most(self, name: str) -> list[tuple[Any, ...]]:
        model = FACETS[name][0].model
        found = self.held.most(name, self.side, MAX_LIMIT)
        if model is None:
            return found
        rows = dict_of(model.objects.filter(pk__in=[pk for pk, _ in found]).values_list("pk", "slug", "name"))
        return [(*rows[pk], count) for pk, count in found if pk in rows]


def dict_of(rows: Iterable[tuple[int, str, str]]) -> dict[int, tuple[str, str]]:
    return {pk: (slug, name) for pk, slug, name in rows}


class FacetsView(PublicView):
    """Count the tags, employers and years of what the filters leave.

    They are the choices beside a list: `count` is what the list would have with each of them chosen.
    """

    answers = {"get": (200, Facets)}
    parameters = {"get": FacetFilterSet.base_filters}
    operation_ids = {"get": "getFacets"}

    def takes_parameters(self) -> bool:
        return True

    def get(self, request: Request) -> Response:
        filterset = FacetFilterSet(request.query_params)
        snapshot = request.META.get(SNAPSHOT)
        limit = min(filterset.values.get("limit") or MAX_LIMIT, MAX_LIMIT)
        known: dict[str, Narrowed | Held] = {}

        @cache
        def held() -> Shelf | None:
            return shelf(snapshot)

        def narrowed(names: Collection[str]) -> Narrowed | Held:
            others = filterset.without(names)
            key, on_shelf = others.narrowing(), held()
            known[key] = known.get(key) or (Narrowed(others) if on_shelf is None else Held(others, on_shelf))
            return known[key]

        def remembered(what: str, names: Collection[str], compute: Any, size: int) -> Any:
            key = (FacetsView, what, filterset.without(names).narrowing())
            return remember(snapshot, key, compute, KEY_SIZE + len(key[2]) + size)

        found = {}
        for name, (_, document, ignored) in FACETS.items():

            def compute(name: str = name, ignored: Collection[str] = ignored) -> list[tuple[Any, ...]]:
                return narrowed(ignored).most(name)

            rows = remembered(name, ignored, compute, MAX_LIMIT * FACET_SIZE)
            found[name] = [document(*row) for row in rows[:limit]]
        count = remembered("count", (), lambda: narrowed(()).count(), 0)
        return Response(Facets(count=count, **found))
