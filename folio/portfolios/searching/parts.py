"""The managing search: what has any part of a word, in title, slug, excerpt, year and employer's name."""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import F, QuerySet, Value
from django.db.models.expressions import RawSQL

from folio import snapshots
from folio.api.documents import KEY_SIZE
from folio.api.filters import ID_SIZE
from folio.api.texts import Search

from ..models import Portfolio
from . import content, walking
from .due import due_now
from .finding import but_for, one_of_many
from .statements import DEFAULT_ORDER, IDS, Written, raw
from .stores import SQL, listed, run, store
from .walking import Named, walked

FIELDS = {"title", "slug", "excerpt", "year", "employer__name"}


def by_parts(rows: QuerySet[Any], search: Search) -> QuerySet[Any] | None:
    """Return the portfolios in whose fields each word is found; None where it looks into others than these.

    Where it looks into some of them only, the index tells which rows are worth a look. Many are met on a walk through
    an order, which SQLite doesn't choose by itself.
    """
    if not FIELDS.issuperset(search.fields):
        return None
    ids = raw(having_parts(search).sql)
    if FIELDS.difference(search.fields):
        return search.compared(rows.filter(pk__in=ids))
    return with_ids(rows, ids, is_many=search.is_many)


def with_ids(rows: QuerySet[Any], ids: RawSQL, *, is_many: bool) -> QuerySet[Any]:
    if is_many and connection.vendor == "sqlite":
        return rows.alias(walked=F("pk") + Value(0)).filter(walked__in=ids)
    return rows.filter(pk__in=ids)


def parts_in_order(search: Search, *, is_reversed: bool) -> SQL:
    """Return the SELECT of the ids of the portfolios of which each word is part of one of FIELDS, as they are ordered.

    With `is_many` they are met on a walk.
    """
    ids = having_parts(search).sql if search.words else listed([])
    return written_in_order(connection.vendor, search.is_many, is_reversed).of(ids)


@cache
def written_in_order(vendor: str, is_many: bool, is_reversed: bool) -> Written:
    rows = with_ids(Portfolio.objects.all(), raw((IDS, [])), is_many=is_many).order_by(*DEFAULT_ORDER)
    return Written(rows.reverse() if is_reversed else rows)


def count_by_parts(search: Search) -> int:
    """Return how many portfolios there are of which each word is part of one of FIELDS, without a look at them.

    The index has no entries but those of portfolios that exist: one that is deleted is due.
    """
    if not search.words:
        return 0
    having = having_parts(search)
    if having.total is not None:
        return having.total
    sql, parameters = having.sql
    return int(run(f"SELECT COUNT(*) FROM ({sql}) AS found", parameters)[0][0])


def first_by_parts(
    search: Search, asked: str, start: int, stop: int, snapshot: int | None
) -> tuple[int, list[int]] | None:
    """Return how many portfolios there are of which each word is part of one of FIELDS, and a part of them, as ordered.

    None where they are too few or too many to be met on a walk, or that part of them does not come soon. What is found
    is kept for other pages of what was `asked`.
    """
    if not search.words:
        return None
    snapshot = snapshots.usable(snapshot)
    key = (Having, asked)
    kept: Having | None = None if snapshot is None else snapshots.documents.get(snapshot, key)
    found = having_parts(search, kept)
    if kept is None and snapshot is not None:
        size = KEY_SIZE + len(asked) + ID_SIZE * (found.total or 0)
        snapshots.documents.put(snapshot, key, found, size)
    ids = None if found.named is None else walked(found.named, stop, is_published=False)
    return None if ids is None or found.named is None else (found.named.total, ids[start:stop])


class Having(NamedTuple):
    """The SELECT of the portfolios that a managing search finds; with what is known of them where they are few."""

    sql: SQL
    named: Named | None

    @property
    def total(self) -> int | None:
        return None if self.named is None else self.named.total


def having_parts(search: Search, kept: Having | None = None) -> Having:
    found: Having = search.once("parts", lambda: kept or having(search.words))
    return found


def having(words: Sequence[str]) -> Having:
    """Return the SELECT of the portfolios of which each word, folded, is part of one of FIELDS.

    No more than FEW are looked for here, once, and named in it.
    """
    stale = due_now()
    found: list[int] = []
    with one_of_many(stale.ids):
        for texts in content.read_all(stale.ids):
            parts = texts.parts()
            if all(word in parts for word in words):
                found.append(texts.pk)
    sql, parameters = but_for(store().with_parts(words), stale, found)
    # They are counted, and read in order; PostgreSQL would guess how many they are, and walk through all for a few.
    named, _ = Named.of((sql, parameters))
    return Having(named.sql, named) if named.total <= walking.FEW else Having((sql, parameters), None)
