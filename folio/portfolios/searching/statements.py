"""What the search asks of the portfolios' table, written once: their order, and which of them are published now."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import F, Func, IntegerField, QuerySet
from django.db.models.expressions import RawSQL

from ..models import OUT_OF_TIME, Portfolio
from .stores import SQL, Alternatives, store

DEFAULT_ORDER: Sequence[Any] = Portfolio._meta.ordering or ()


def raw(sql: SQL) -> RawSQL:
    return RawSQL(*sql)


class Relevance(Func):
    """The score of a portfolio that was found; `sql` says it of `{pk}`."""

    output_field = IntegerField()

    def __init__(self, *expressions: Any, sql: str, parameters: Sequence[Any]) -> None:
        super().__init__(*expressions)
        self.sql = sql
        self.parameters = tuple(parameters)

    def as_sql(self, compiler: Any, connection: Any, *names: Any, **context: Any) -> Any:
        [expression] = self.get_source_expressions()
        pk, own = compiler.compile(expression)
        assert not own  # it is a column
        return f"({self.sql.replace('{pk}', pk)})", self.parameters


IDS, SCORE = "folio_found_ids", "folio_found_score"


class Written:
    """A SELECT of ids that Django has written once: it takes longer for it than the database takes to carry it out.

    In the queryset IDS stands for the SELECT of what is found, and behind it SCORE for the score.
    """

    def __init__(self, rows: QuerySet[Any, Any]) -> None:
        sql, parameters = rows.values("pk").query.sql_with_params()
        self.before, found, rest = sql.partition(IDS)
        assert found
        self.between, _, self.after = rest.partition(SCORE)
        self.parameters = tuple(parameters)
        counts = [part.count("%s") for part in (self.before, self.between)]
        self.first, self.second = counts[0], sum(counts)

    def of(self, ids: SQL, score: SQL = ("", [])) -> SQL:
        """Return it for such ids and such a score, which is SQL of `{pk}`."""
        relevance = score[0].replace("{pk}", PK)
        sql = "".join((self.before, ids[0], self.between, relevance, self.after))
        own = self.parameters
        return sql, [*own[: self.first], *ids[1], *own[self.first : self.second], *score[1], *own[self.second :]]


PK = '"portfolios_portfolio"."id"'  # as Django writes it


@cache
def not_now(vendor: str) -> Written:
    return Written(Portfolio.objects.filter(OUT_OF_TIME, pk__in=raw((IDS, []))).order_by())


def published_with(words: Sequence[Alternatives]) -> SQL:
    """Return the SELECT of what the index finds and is published."""
    return published(store().with_words(words), words)


def published(active: SQL, words: Sequence[Alternatives]) -> SQL:
    """Return what is published of what the index finds, which has these words and is no draft.

    Only of what is published at a moment or until one, the row tells whether it is now.
    """
    sql, parameters = active
    hidden, own = not_now(connection.vendor).of(store().with_words(words, timed=True))
    is_any, theirs = store().any_timed()
    return (
        f"SELECT id FROM ({sql}) AS active WHERE id NOT IN (SELECT pk FROM ({hidden}) AS hidden WHERE {is_any})",
        [*parameters, *own, *theirs],
    )


@cache
def in_order(vendor: str) -> Written:
    rows = Portfolio.objects.filter(pk__in=raw((IDS, [])))
    return Written(rows.order_by(Relevance(F("pk"), sql=SCORE, parameters=()).desc(), *DEFAULT_ORDER))


@cache
def all_in_order(vendor: str, is_published: bool) -> SQL:
    rows: Any = Portfolio.objects.published() if is_published else Portfolio.objects.all()
    written: SQL = rows.order_by(*DEFAULT_ORDER).values("pk").query.sql_with_params()
    return written
