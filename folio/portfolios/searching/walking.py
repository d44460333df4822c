"""The first of what a search finds, in the default order: met on a walk through it where that is the shorter way."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection

from folio.api.filters import NAMED

from .statements import all_in_order
from .stores import SQL, gathered, one_of_named, run, values_of

FEW = NAMED  # portfolios that are found once, to be counted and put in order; more are found for each of the two
LOOKED_AT = 5_000  # of them, of which each entry is looked at for its score
STEPS = 4  # portfolios that a walk through an order passes in the time in which one is looked up and sorted
WALKED = 20_000  # that such a walk passes at the most
AT_ONCE = 100  # of them that are read at once
INDEXED = 2_000  # ids of which SQLite makes an index sooner than Python reads the rows of a walk


class Named(NamedTuple):
    """Portfolios that were looked for once: how many they are, and the SELECT that names their ids."""

    total: int
    sql: SQL
    last: int  # the highest id of any portfolio, by which it is told how many there are about

    @classmethod
    def of(cls, ids: SQL, *more: SQL) -> tuple["Named", list[Any]]:
        """Look for them, FEW and one at the most; return more values with them."""
        total, sql, (last, *values) = gathered(ids, FEW, ("SELECT MAX(id) FROM portfolios_portfolio", []), *more)
        return cls(total, sql, last or 0), values


def is_shorter(total: int, last: int, stop: int) -> bool:
    """Tell whether so many of `total` are met on a walk sooner than all of them are looked up and sorted."""
    return 0 < stop <= total and stop * last / total <= STEPS * total


def most_passed(total: int, last: int, stop: int) -> int:
    """Return how many a walk may pass: twice as many as are to be expected, and some more."""
    return min(WALKED, int(2 * stop * last / total) + AT_ONCE)


def passed(most: int) -> list[int]:
    """Return the ids of the first of all that are published, in the default order."""
    sql, parameters = all_in_order(connection.vendor, True)
    return [pk for (pk,) in run(f"{sql} LIMIT %s", [*parameters, most])]


def walked(ids: Named, stop: int, *, is_published: bool) -> list[int] | None:
    """Return the first of some ids, in the default order; None where looking each of them up takes no longer.

    They are met on a walk through the index of the order. Of many, Python looks whether a row is one of them: SQLite
    would make an index of them first.
    """
    if not is_shorter(ids.total, ids.last, stop):
        return None
    most = most_passed(ids.total, ids.last, stop)
    sql, parameters = all_in_order(connection.vendor, is_published)
    walk, parameters = f"{sql} LIMIT %s", [*parameters, most]
    if connection.vendor == "postgresql" or ids.total <= INDEXED:
        found_there = f"SELECT pk FROM ({walk}) AS walk WHERE pk {one_of_named()} LIMIT %s"
        rows = run(found_there, [*parameters, *ids.sql[1], stop])
        found = [pk for (pk,) in rows]
    else:
        found = met(walk, parameters, set(values_of(ids.sql)), stop)
    return found[:stop] if len(found) >= stop else None


def met(walk: str, parameters: Sequence[Any], wanted: set[int], stop: int) -> list[int]:
    found: list[int] = []
    with connection.cursor() as cursor:
        cursor.execute(walk, parameters)
        while len(found) < stop and (rows := cursor.fetchmany(AT_ONCE)):
            found += [pk for (pk,) in rows if pk in wanted]
    return found
