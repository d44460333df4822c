"""Where a portfolio stands in the default order: by `order`, then the latest made, then the smallest id.

Who moves one holds the table, so that two at once take turns, and no one waits for them who holds a row that they need.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.models import Count, F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from folio.history.changes import Changes

from .models import BATCH, Portfolio, PortfolioQuerySet

LEAST, MOST = -(2**31), 2**31 - 1

Changed = list[tuple[Portfolio, Changes]]


@dataclass
class Shift:
    """Rows that make room, all by the same step; how many they are."""

    rows: PortfolioQuerySet
    step: int
    count: int
    order: int  # that the moved portfolio then takes


def move(pk: int, *, before: int | None = None, after: int | None = None) -> Changed:
    """Let a portfolio stand right before another one, or right after it; return each whose order that changes.

    Its own row alone changes where the orders leave room, or the tie falls its way; else those of the side on which
    fewer have to make room. Runs in the caller's transaction, of which it is the first statement about portfolios.
    Raise Portfolio.DoesNotExist where one of the two is gone.
    """
    hold_table()
    moved, other = found(pk, before if before is not None else after)
    if moved.pk == other.pk:
        return []
    others = Portfolio.objects.exclude(pk=pk)
    left: Portfolio | None = other
    right: Portfolio | None = other
    if before is not None:
        left = others.filter(those_before(other)).last()
    else:
        right = others.filter(~those_before(other)).exclude(pk=other.pk).first()
    changed: Changed = []
    order = place_between(moved, left, right)
    if order is None:
        order, changed = make_room(moved, left, right)
    if order != moved.order:
        Portfolio.objects.filter(pk=pk).update(order=order, updated_at=timezone.now())
        changed.append((moved, {"order": (moved.order, order)}))
    return changed


def hold_table() -> None:
    """Keep others from changing portfolios until the transaction ends; SQLite's one writer does so anyway."""
    connection = connections[Portfolio.objects.db]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # The mode that a lock of rows waits for too: with a weaker one, the two could wait for each other.
            cursor.execute(f"LOCK TABLE {connection.ops.quote_name(Portfolio._meta.db_table)} IN EXCLUSIVE MODE")


def found(*ids: int | None) -> list[Portfolio]:
    rows = Portfolio.objects.only("title", "order", "created_at").in_bulk(ids)
    if not rows.keys() >= set(ids):
        raise Portfolio.DoesNotExist(_("This portfolio was deleted meanwhile. Load the page again to see the others."))
    return [rows[pk] for pk in ids]


def those_before(portfolio: Portfolio) -> Q:
    """Return what chooses the portfolios that stand before one in the default order."""
    order, created_at = portfolio.order, portfolio.created_at
    return Q(order__lte=order) & (
        Q(order__lt=order) | Q(created_at__gt=created_at) | Q(created_at=created_at, pk__lt=portfolio.pk)
    )


def precedes(one: Portfolio, other: Portfolio) -> bool:
    """Tell whether one stands first of two that have the same order."""
    if one.created_at != other.created_at:
        return one.created_at > other.created_at
    return one.pk < other.pk


def place_between(moved: Portfolio, left: Portfolio | None, right: Portfolio | None) -> int | None:
    """Return an order by which `moved` stands between two neighbours as they are; None where there is none."""
    if left is None and right is None:
        return moved.order

    def fits(order: int) -> bool:
        is_after = left is None or order > left.order or (order == left.order and precedes(left, moved))
        is_before = right is None or order < right.order or (order == right.order and precedes(moved, right))
        least = least_beside(left, right)
        return least <= order <= MOST and is_after and is_before

    if left is None:
        wanted = [right.order - 1, right.order] if right else []
    elif right is None:
        wanted = [left.order + 1, left.order]
    else:
        wanted = [(left.order + right.order) // 2, left.order, right.order]
    return next((order for order in (moved.order, *wanted) if fits(order)), None)


def least_beside(*neighbours: Portfolio | None) -> int:
    """Return the least order that a move gives among neighbours: 0, but where someone has chosen less themselves.

    Who moves an entry to the top has chosen no number, and would wonder at -1.
    """
    return LEAST if any(each is not None and each.order < 0 for each in neighbours) else 0


def make_room(moved: Portfolio, left: Portfolio | None, right: Portfolio | None) -> tuple[int, Changed]:
    """Let others step aside; return the order that is free for `moved` now, and what has changed of the others."""
    shifts = [shift for shift in (shift_up(moved, left, right), shift_down(moved, left, right)) if shift]
    if not shifts:
        return number_anew(moved, left)
    shift = min(shifts, key=lambda shift: shift.count)
    changed: Changed = [
        (row, {"order": (row.order, row.order + shift.step)}) for row in shift.rows.only("title", "order")
    ]
    shift.rows.update(order=F("order") + shift.step, updated_at=timezone.now())
    return shift.order, changed


def shift_up(moved: Portfolio, left: Portfolio | None, right: Portfolio | None) -> Shift | None:
    """Return how `right` and those after it make room; None where they can't."""
    if right is None:
        return None
    order = right.order if left is None else left.order + (not precedes(left, moved))
    step = order - right.order + (0 if precedes(moved, right) else 1)
    rows = Portfolio.objects.exclude(pk=moved.pk).filter(~those_before(right))
    return shift_of(rows, max(step, 1), order)


def shift_down(moved: Portfolio, left: Portfolio | None, right: Portfolio | None) -> Shift | None:
    """Return how `left` and those before it make room; None where they can't."""
    if left is None:
        return None
    order = left.order if right is None else right.order - (not precedes(moved, right))
    step = order - left.order - (0 if precedes(left, moved) else 1)
    rows = Portfolio.objects.exclude(pk=moved.pk).filter(those_before(left) | Q(pk=left.pk))
    return shift_of(rows, min(step, -1), order)


def shift_of(rows: Any, step: int, order: int) -> Shift | None:
    """Return the shift of those among `rows` that are in the way: up to the first gap that is wider than the step."""
    count, last = 0, None
    by_order = rows.order_by("order" if step > 0 else "-order").values_list("order")
    for value, many in by_order.annotate(many=Count("pk")):
        if last is not None and abs(value - last) > abs(step):
            break
        count, last = count + many, value
    least = LEAST if last is not None and last < 0 else 0
    if last is None or not least <= last + step <= MOST or not least <= order <= MOST:
        return None
    reached = Q(order__lte=last) if step > 0 else Q(order__gte=last)
    return Shift(rows.filter(reached), step, count, order)


def number_anew(moved: Portfolio, left: Portfolio | None) -> tuple[int, Changed]:
    """Number all from 0, the last resort at the ends of what 32 bits hold; return as `make_room` does."""
    rows = list(Portfolio.objects.exclude(pk=moved.pk).only("title", "order"))
    place = next((index for index, row in enumerate(rows, 1) if left and row.pk == left.pk), 0)
    now = timezone.now()
    changed: Changed = []
    for index, row in enumerate(rows):
        order = index + (index >= place)
        if row.order != order:
            changed.append((row, {"order": (row.order, order)}))
            row.order, row.updated_at = order, now
    Portfolio.objects.bulk_update([row for row, _ in changed], ["order", "updated_at"], batch_size=BATCH)
    return place, changed
