"""What one word finds, the best first: field by field, so that of many no more than the first are looked at."""

from collections.abc import Collection, Sequence

from django.db import connection

from .statements import in_order, published
from .stores import SQL, Alternatives, among, run, store
from .walking import is_shorter, most_passed, passed


def part_of(word: Alternatives, weights: Collection[int], last: int, start: int, stop: int) -> list[int]:
    """Return a part of the ids of what a word finds by the index, in fields with these weights.

    `last` is the highest id of any portfolio.
    """
    found: list[int] = []
    before = 0  # in better fields
    for weight in sorted(weights, reverse=True):
        if before >= stop:
            break
        ids = published(store().with_best(word, weight), [word])
        total = count_of(ids)
        if before + total > start:
            found += first_of(ids, total, last, min(stop - before, total))[max(0, start - before) :]
        before += total
    return found


def count_of(ids: SQL) -> int:
    sql, parameters = ids
    return int(run(f"SELECT COUNT(*) FROM ({sql}) AS found", parameters)[0][0])


def first_of(ids: SQL, total: int, last: int, stop: int) -> Sequence[int]:
    """Return so many of the ids that a SELECT finds, in the default order; it finds `total`."""
    sql, parameters = ids
    if is_shorter(total, last, stop):
        met = passed(most_passed(total, last, stop))
        # SQLite would ask the index of words for each of them; by the sign it asks once, and looks among these.
        column = "+id" if connection.vendor == "sqlite" else "id"
        condition, named = among(met)
        has = {pk for (pk,) in run(f"SELECT id FROM ({sql}) AS best WHERE {column} {condition}", [*parameters, named])}
        found = [pk for pk in met if pk in has]
        if len(found) >= stop:
            return found[:stop]
    sql, parameters = in_order(connection.vendor).of(ids, ("0 * {pk}", []))
    return [pk for (pk,) in run(f"{sql} LIMIT %s", [*parameters, stop])]
