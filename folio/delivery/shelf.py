"""What published portfolios have, held in memory for as long as nothing changes, so that counting asks no database.

Portfolios are numbered by their ids, and a set of them is a whole number in which each has a bit. What a filter leaves
is found once in a snapshot, and any filters together are the bits that all of them have. Counted are those that are
left or, where these are more than half, those that are not, which are then taken off the whole.
"""

from array import array
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import nsmallest
from itertools import chain, compress
from math import inf
from threading import Lock
from typing import Any

from django.db import connection

from folio import snapshots
from folio.portfolios.models import Employer, Portfolio, PortfolioTag, Tag, UTCYear

WITHOUT = 2  # times that facets are counted in a snapshot before it is worth to hold what they are counted from
SETS = 16  # of what single filters leave, that are held
FEW = 2_000  # ids whose places are looked for one by one
SIZE = 20  # bytes that a portfolio takes at least
NEVER = -1  # in the place of how often was counted, where there is no room
BITS = bytes.maketrans(b"\0\1", b"01")
DIGITS = bytes.maketrans(b"01", b"\0\1")
NO_ROW = (inf, 0)  # after all portfolios
building = Lock()


class Values:
    """What portfolios have of one kind: of each the numbers of its values, which are numbered in the order of ties.

    Where each has one at the most, `starts` is None, and the number after the last stands for none.
    """

    def __init__(self, keys: Sequence[int], starts: "array[int] | None", numbers: Iterable[int]) -> None:
        self.keys = array("q", keys)
        self.starts = starts
        self.numbers = array("H" if len(keys) < (1 << 16) - 1 else "I", numbers)
        self.totals = self.known(Counter(self.numbers))

    @property
    def size(self) -> int:
        """About what it takes, in bytes."""
        parts = (self.keys, self.numbers, *([] if self.starts is None else [self.starts]))
        return sum(part.itemsize * len(part) for part in parts) + 64 * len(self.totals)

    def known(self, counts: Counter[int]) -> Counter[int]:
        del counts[len(self.keys)]
        return counts

    def counts(self, places: Iterable[int]) -> Counter[int]:
        """Return how many of the portfolios at these places have each value, by its number."""
        starts, numbers = self.starts, self.numbers
        if starts is None:
            return self.known(Counter(map(numbers.__getitem__, places)))
        return Counter(chain.from_iterable(numbers[starts[place] : starts[place + 1]] for place in places))

    def most(self, counts: dict[int, int], limit: int) -> list[tuple[int, int]]:
        """Return the values that are counted most, and how often; ties by their numbers."""
        first = nsmallest(limit, ((-count, number) for number, count in counts.items() if count))
        return [(self.keys[number], -count) for count, number in first]


class Shelf:
    """What is held: the ids of all, and what they have of each kind."""

    def __init__(self, ids: "array[int]", kinds: dict[str, Values]) -> None:
        self.ids = ids
        self.kinds = kinds
        self.everyone = (1 << len(ids)) - 1
        self.sets: dict[Any, int] = {}

    @property
    def size(self) -> int:
        """About what it takes with all sets, in bytes."""
        return (
            self.ids.itemsize * len(self.ids)
            + sum(kind.size for kind in self.kinds.values())
            + SETS * len(self.ids) // 8
        )

    def set_of(self, key: Any, find: Callable[[], Iterable[int]]) -> int:
        """Return those whose ids `find` returns, found once for each key."""
        found = self.sets.get(key)
        if found is None:
            found = self.bits(find())
            if len(self.sets) >= SETS:
                self.sets.clear()
            self.sets[key] = found
        return found

    def bits(self, ids: Iterable[int]) -> int:
        wanted = set(ids)
        if len(wanted) < FEW:
            mask = bytearray(len(self.ids))
            for pk in wanted:
                place = bisect_left(self.ids, pk)
                if place < len(self.ids) and self.ids[place] == pk:
                    mask[place] = 1
        else:
            mask = bytearray(map(wanted.__contains__, self.ids))
        mask.reverse()
        return int(mask.translate(BITS) or b"0", 2)

    def places(self, members: int) -> list[int]:
        digits = f"{members:b}".encode().translate(DIGITS)[::-1]
        return list(compress(range(len(digits)), digits))

    def smaller(self, members: int) -> tuple[list[int], bool]:
        """Return the places of the members or, with True, of all others, where these are fewer."""
        others = self.everyone & ~members
        is_less = others.bit_count() < members.bit_count()
        return self.places(others if is_less else members), is_less

    def most(self, kind: str, side: tuple[list[int], bool], limit: int) -> list[tuple[int, int]]:
        """Return the values of a kind that most of the members have, and how many of them; `side` is their smaller."""
        values, (places, is_less) = self.kinds[kind], side
        counts: dict[int, int] = values.counts(places)
        if is_less:
            counts = {number: count - counts.get(number, 0) for number, count in values.totals.items()}
        return values.most(counts, limit)


def shelf(snapshot: int | None) -> Shelf | None:
    """Return what is held of a snapshot; None where it isn't yet worth it, takes too much, or is just being read."""
    snapshot = snapshots.usable(snapshot)
    if snapshot is None:
        return None
    kept = snapshots.documents
    found: Shelf | int | None = kept.get(snapshot, Shelf)
    if isinstance(found, Shelf):
        return found
    if found == NEVER:
        return None
    if (found or 0) < WITHOUT:
        kept.put(snapshot, Shelf, (found or 0) + 1, 64)
        return None
    if not building.acquire(blocking=False):
        return None
    try:
        room = kept.limit // snapshots.caches.SHARE
        made = read() if Portfolio.objects.published().count() * SIZE <= room else None
        if made is None or made.size > room:
            kept.put(snapshot, Shelf, NEVER, 64)
            return None
        kept.put(snapshot, Shelf, made, made.size)
        return made
    finally:
        building.release()


def read() -> Shelf:
    """Read what all published portfolios have."""
    published = Portfolio.objects.published().order_by("pk").annotate(calendar_year=UTCYear("completed_at"))
    ids, employers, years = array("q"), array("q"), array("h")
    for pk, employer, year in rows_of(published.values_list("pk", "employer_id", "calendar_year")):
        ids.append(pk)
        employers.append(employer or 0)
        years.append(year or 0)
    if not ids or ids[-1] < 1 << 32:
        ids = array("I", ids)
    keys = list(Tag.objects.values_list("pk", flat=True).order_by("name"))
    starts, numbers = tags_of_each(ids, keys)
    return Shelf(
        ids,
        {
            "tags": Values(keys, starts, numbers),
            "employers": single(Employer.objects.values_list("pk", flat=True).order_by("name"), employers),
            "years": single(sorted({*years} - {0}, reverse=True), years),
        },
    )


def single(keys: Iterable[int], values: Iterable[int]) -> Values:
    """Return the values of a kind of which each portfolio has one, or 0 for none."""
    listed = list(keys)
    numbers = {key: number for number, key in enumerate(listed)}
    return Values(listed, None, [numbers.get(value, len(listed)) for value in values])


def tags_of_each(ids: Iterable[int], keys: Iterable[int]) -> tuple["array[int]", "array[int]"]:
    """Return where each portfolio's tags begin, and their numbers; what was hidden or made meanwhile is passed over."""
    numbers = {key: number for number, key in enumerate(keys)}
    starts, found = array("I", [0]), array("I")
    rows = rows_of(PortfolioTag.objects.order_by("portfolio_id").values_list("portfolio_id", "tag_id"))
    portfolio, tag = next(rows, NO_ROW)
    for pk in ids:
        while portfolio < pk:
            portfolio, tag = next(rows, NO_ROW)
        while portfolio == pk:
            if tag in numbers:
                found.append(numbers[tag])
            portfolio, tag = next(rows, NO_ROW)
        starts.append(len(found))
    deque(rows, maxlen=0)  # a statement that is not read to its end would keep the connection at an old version
    return starts, found


def rows_of(queryset: Any) -> Iterator[tuple[Any, ...]]:
    """Yield rows of whole numbers as the database gives them: Django would look at each of them again."""
    with connection.cursor() as cursor:
        cursor.execute(*queryset.query.sql_with_params())
        yield from cursor
