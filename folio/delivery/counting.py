"""How many published portfolios have each tag, employer and year.

Counted by the database in one query for each of the three, whatever is filtered. Where nothing is filtered, nearly all
portfolios are counted, and what is counted is everything, by an index alone, less the few that are not published.
"""

from array import array
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Count, F, QuerySet, Value

from folio import snapshots
from folio.api.documents import KEY_SIZE
from folio.portfolios.models import Employer, Portfolio, PortfolioTag, Tag, UTCYear

Portfolios = QuerySet[Portfolio, Portfolio]
SQL = tuple[str, tuple[Any, ...]]  # with its parameters
BY_NAME = ("name",)


class Kind(NamedTuple):
    """Something that portfolios have, by whose values they are counted."""

    column: str  # that tells the value, in each row of the following
    rows: Callable[[Portfolios | None], QuerySet[Any, Any]]  # one for each value of each portfolio; None is of all
    model: Any = None  # whose rows the values are the ids of, if they are


def tags_of(portfolios: Portfolios | None) -> QuerySet[Any, Any]:
    rows = PortfolioTag.objects.all()
    return rows if portfolios is None else rows.filter(portfolio__in=portfolios.values("pk"))


def employed(portfolios: Portfolios | None) -> QuerySet[Any, Any]:
    employer: Any = F("employer_id")
    if portfolios is None:
        return Portfolio.objects.exclude(employer=None).annotate(employed_by=employer)
    # A sum, of which no index has the order: SQLite would walk through all by employer, and look at each row.
    return portfolios.exclude(employer=None).annotate(employed_by=employer + Value(0))


def dated(portfolios: Portfolios | None) -> QuerySet[Any, Any]:
    rows = Portfolio.objects.all() if portfolios is None else portfolios
    # The column `year` is the same; but SQLite looks for it in the table, though it has it in an index.
    return rows.exclude(completed_at=None).annotate(calendar_year=UTCYear("completed_at"))


TAGS = Kind("tag_id", tags_of, Tag)
EMPLOYERS = Kind("employed_by", employed, Employer)
YEARS = Kind("calendar_year", dated)


def counts(kind: Kind, portfolios: Portfolios | None) -> SQL:
    """Return SQL for rows of a value, by the kind's column, and `n`, how many of the portfolios have it."""
    rows = kind.rows(portfolios).order_by().values(kind.column).annotate(n=Count("*"))
    sql, parameters = rows.query.sql_with_params()
    return sql, tuple(parameters)


def are_mostly_published(published: int) -> bool:
    """Tell whether fewer portfolios are hidden than so many that are published."""
    return Portfolio.objects.unpublished().count() <= published


def counts_of_published(kind: Kind, *, are_most: bool) -> SQL:
    """Return such SQL for all published portfolios; `are_most` where fewer are hidden, which chooses the way."""
    if not are_most:
        return counts(kind, Portfolio.objects.published())
    hidden = Portfolio.objects.unpublished()
    (everyone, none), (others, parameters) = counts(kind, None), counts(kind, hidden)
    both = f"{everyone} UNION ALL SELECT {kind.column}, -n FROM ({others}) hidden"  # noqa: S608 all of it is Django's
    sql = f"SELECT {kind.column}, SUM(n) AS n FROM ({both}) together GROUP BY {kind.column} HAVING SUM(n) > 0"  # noqa: S608
    return sql, (*none, *parameters)


def most(kind: Kind, counted: SQL, limit: int) -> list[tuple[Any, ...]]:
    """Return the values that are counted most: of a model its rows' slug and name, else the value; then the count.

    Those that are counted alike come by name, numbers with the highest first.
    """
    sql, parameters = counted
    if kind.model is None:
        sql = f"{sql} ORDER BY n DESC, {kind.column} DESC LIMIT %s"
    else:
        table = kind.model._meta.db_table
        sql = (
            f"SELECT named.slug, named.name, counted.n FROM ({sql}) counted "  # noqa: S608
            f"JOIN {table} named ON named.id = counted.{kind.column} ORDER BY counted.n DESC, named.name LIMIT %s"
        )
    with connection.cursor() as cursor:
        cursor.execute(sql, (*parameters, limit))
        return [(*row[:-1], int(row[-1])) for row in cursor.fetchall()]


class Standing(NamedTuple):
    """The rows of a model that published portfolios have, by name, and how many have each."""

    ids: "array[int]"
    counts: "array[int]"

    @classmethod
    def of(cls, kind: Kind) -> "Standing":
        are_most = are_mostly_published(Portfolio.objects.published().count())
        sql, parameters = counts_of_published(kind, are_most=are_most)
        table = kind.model._meta.db_table
        found = cls(array("q"), array("q"))
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT named.id, counted.n FROM ({sql}) counted "  # noqa: S608
                f"JOIN {table} named ON named.id = counted.{kind.column} ORDER BY named.name",
                parameters,
            )
            for pk, count in cursor:
                found.ids.append(pk)
                found.counts.append(int(count))
        return found

    def ordered(self, terms: Sequence[str]) -> "Standing":
        """Return the same rows in the order that `terms` say, ties by id."""
        places = sorted(range(len(self.ids)), key=self.ids.__getitem__)
        for term in reversed(terms):
            values = self.counts if term.endswith("count") else range(len(self.ids))  # names are all different
            places.sort(key=values.__getitem__, reverse=term.startswith("-"))
        return Standing(*(array("q", map(values.__getitem__, places)) for values in self))


def standing(kind: Kind, terms: Sequence[str], snapshot: int | None) -> Standing:
    """Return who has how many, in that order: counted and sorted once for as long as nothing changes."""
    if tuple(terms) == BY_NAME:
        return kept(snapshot, (Standing, kind.column), lambda: Standing.of(kind))
    return kept(snapshot, (Standing, kind.column, *terms), lambda: standing(kind, BY_NAME, snapshot).ordered(terms))


def kept(snapshot: int | None, key: tuple[Any, ...], compute: Callable[[], Standing]) -> Standing:
    """Return what `compute` returned in this snapshot, or returns now, and keep it unless it is too large for that."""
    snapshot = snapshots.usable(snapshot)
    found: Standing | None = None if snapshot is None else snapshots.documents.get(snapshot, key)
    if found is None:
        found = compute()
        if snapshot is not None:
            size = sum(part.itemsize * len(part) for part in found) + KEY_SIZE
            snapshots.documents.put(snapshot, key, found, size)
    return found
