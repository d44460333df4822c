"""Which other portfolios an entry leads to: those beside it, and those that are like it."""

from array import array
from collections.abc import Collection, Iterable, Sequence
from typing import Any, ClassVar

from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce

from folio import snapshots
from folio.api.documents import KEY_SIZE
from folio.api.rows import Rows, Statement, roomy
from folio.portfolios.documents import grouped
from folio.portfolios.models import Portfolio, PortfolioTag

from .documents import Neighbour, Neighbours
from .pictures import Pictures

MOST_RELATED = 6
ALL = "all"  # published portfolios, in the default order


def next_to(*, forwards: bool) -> Coalesce:
    """Return the id of the published portfolio that comes after one in the default order, or before it.

    Each step is one look into the index of that order, be there ever so many of the same `order`.
    """
    others: Any = Portfolio.objects.published()
    after, before = ("gt", "lt") if forwards else ("lt", "gt")
    sign, opposite = ("", "-") if forwards else ("-", "")
    steps: tuple[tuple[str, dict[str, str]], ...] = (
        (f"pk__{after}", {"order": "order", "created_at": "created_at"}),
        (f"created_at__{before}", {"order": "order"}),
        (f"order__{after}", {}),
    )
    found = []
    for condition, same in steps:
        name = condition.partition("__")[0]
        rows = others.filter(**{field: OuterRef(field) for field in same}, **{condition: OuterRef(name)})
        rows = rows.order_by(f"{sign}order", f"{opposite}created_at", f"{sign}pk")
        found.append(Subquery(rows.values("pk")[:1]))
    return Coalesce(*found)


class PublishedRows(Rows):
    """Some columns of published portfolios, by their ids."""

    def __init__(self, *names: str, **expressions: Any) -> None:
        super().__init__(
            lambda: Portfolio.objects.marked().order_by().values("id", *names, "is_published", **expressions), "pk"
        )

    def read(self, ids: Collection[int]) -> list[dict[str, Any]]:
        return [row for row in super().read(ids) if row.pop("is_published")]


neighbours = PublishedRows(previous=next_to(forwards=False), next=next_to(forwards=True))
cards = PublishedRows("slug", "title", "image_id")
employers_of_portfolios = Rows(lambda: Portfolio.objects.order_by().values("id", "employer_id"), "pk")
tags_of_portfolios = Rows(lambda: PortfolioTag.objects.order_by().values("portfolio_id", "tag_id"), "portfolio")
all_in_order = Statement(lambda _: Portfolio.objects.published().values("id"))
portfolios_of_tags = Statement(
    lambda ids: PortfolioTag.objects.order_by().filter(tag__in=ids).values("tag_id", "portfolio_id")
)
portfolios_of_employers = Statement(
    lambda ids: Portfolio.objects.order_by().filter(employer__in=ids).values("employer_id", "id")
)


class Cards:
    """Portfolios as links to them show them."""

    def __init__(self, ids: Iterable[int | None]) -> None:
        self.rows: dict[int | None, dict[str, Any]] = {row["id"]: row for row in cards.read({pk for pk in ids if pk})}

    def media_ids(self) -> Iterable[int | None]:
        return (row["image_id"] for row in self.rows.values())

    def card(self, pk: int | None, pictures: Pictures) -> Neighbour | None:
        row = self.rows.get(pk)
        return Neighbour(row["slug"], row["title"], pictures.image(row["image_id"])) if row else None


class NeighboursPart:
    keys = ("neighbours",)
    source: ClassVar[Rows] = neighbours

    def __init__(self, ids: Sequence[int], base: str, snapshot: int | None) -> None:
        self.rows = {row["id"]: row for row in self.source.read(ids)}
        self.cards = Cards(row[side] for row in self.rows.values() for side in ("previous", "next"))
        self.media_ids = self.cards.media_ids

    def made(self, pk: int, pictures: Pictures) -> Any:
        row = self.rows.get(pk)
        if row is None:
            return None
        return {"neighbours": Neighbours(*(self.cards.card(row[side], pictures) for side in ("previous", "next")))}


class RelatedPart:
    keys = ("related",)

    def __init__(self, ids: Sequence[int], base: str, snapshot: int | None) -> None:
        tags = grouped(tags_of_portfolios.read(ids))
        employers = {row["id"]: row["employer_id"] for row in employers_of_portfolios.read(ids)}
        likes = Likes({row["tag_id"] for rows in tags.values() for row in rows}, set(employers.values()), snapshot)
        self.ids = {pk: likes.first(pk, [row["tag_id"] for row in tags[pk]], employers[pk]) for pk in employers}
        self.cards = Cards(other for others in self.ids.values() for other in others)
        self.media_ids = self.cards.media_ids

    def made(self, pk: int, pictures: Pictures) -> Any:
        found = (self.cards.card(other, pictures) for other in self.ids.get(pk, ()))
        return {"related": [card for card in found if card]}


class Likes:
    """Which of all published portfolios are most like one.

    A set of portfolios is a number in which each has a bit, by its place in the default order: the lowest comes first.
    So what a hundred entries have in common with a hundred thousand others takes some operations on a few numbers, and
    the database is asked only who has which tag and employer, once for as long as nothing changes.
    """

    def __init__(self, tags: Collection[int], employers: Collection[int | None], snapshot: int | None) -> None:
        self.snapshot = snapshot
        self.ids: array[int] = self.kept([ALL]).get(ALL) or self.keep(ALL, all_ids())
        self.everyone = (1 << len(self.ids)) - 1
        self.places: dict[int, int] = {}
        self.of_tags = self.sets("tag", portfolios_of_tags, tags)
        self.of_employers = self.sets("employer", portfolios_of_employers, {pk for pk in employers if pk is not None})

    def first(self, pk: int, tags: Iterable[int], employer: int | None) -> list[int]:
        """Return the ids of the others that are most like one, that one's tags and employer given."""
        counts: list[int] = []  # the binary digits of how many tags each has in common with it
        for tag in tags:
            add(counts, self.of_tags[tag])
        colleagues = 0 if employer is None else self.of_employers[employer]
        found: list[int] = []
        left = self.everyone
        while left and len(found) <= MOST_RELATED:  # one more: itself is among those that are like it
            best = most(counts, left)
            best = best & colleagues or best
            bit = best & -best
            left ^= bit
            found.append(self.ids[bit.bit_length() - 1])
        return [other for other in found if other != pk][:MOST_RELATED]

    def sets(self, kind: str, portfolios: Statement, wanted: Collection[int]) -> dict[int, int]:
        """Return the set of those that have each of these tags or employers."""
        found = {key[1]: bits for key, bits in self.kept([(kind, pk) for pk in wanted]).items()}
        missing: dict[int, list[int]] = {pk: [] for pk in wanted if pk not in found}
        if missing:
            for pk, portfolio in portfolios.rows(roomy(missing))[1]:
                missing[pk].append(portfolio)
            self.places = self.places or {pk: place for place, pk in enumerate(self.ids)}
        for pk, members in missing.items():
            found[pk] = self.keep((kind, pk), self.bits(members))
        return found

    def bits(self, members: Iterable[int]) -> int:
        digits = bytearray(b"0") * (len(self.ids) + 1)
        for pk in members:
            place = self.places.get(pk)
            if place is not None:  # published
                digits[-1 - place] = 49  # the digit 1
        return int(digits, 2)

    def kept(self, keys: Collection[Any]) -> dict[Any, Any]:
        if self.snapshot is None:
            return {}
        found = snapshots.documents.get_many(self.snapshot, [(Likes, key) for key in keys])
        return {key: value for (_, key), value in found.items()}

    def keep(self, key: Any, value: Any) -> Any:
        if self.snapshot is not None:
            snapshots.documents.put(self.snapshot, (Likes, key), value, value.__sizeof__() + KEY_SIZE)
        return value


def all_ids() -> "array[int]":
    return array("q", [pk for (pk,) in all_in_order.rows(())[1]])


def add(counts: list[int], members: int) -> None:
    """Count each of the members once more, where `counts` are the binary digits of all counts, the lowest first."""
    for place, digit in enumerate(counts):
        counts[place], members = digit ^ members, digit & members
        if not members:
            return
    if members:
        counts.append(members)


def most(counts: Iterable[int], among: int) -> int:
    """Return those that were counted most often."""
    for digit in reversed(list(counts)):
        among = among & digit or among
    return among
