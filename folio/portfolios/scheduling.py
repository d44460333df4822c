"""Portfolios are published and made drafts, many at once; what is scheduled and what has ended with them."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.utils import timezone

from folio.history.changes import Changes, set_values

from .models import BATCH, NOW, SCHEDULE, Portfolio, PortfolioQuerySet

Changed = list[tuple[Portfolio, Changes]]


def publish(portfolios: PortfolioQuerySet, *, at_once: bool = False) -> Changed:
    """Publish portfolios, and return what that changes of which.

    What is scheduled waits for its moment, unless it is published `at_once`. An end that has passed is taken away.
    """
    due = Q(is_active__in=[False]) | Q(unpublish_at__lte=NOW)
    others = portfolios.filter(due | Q(publish_at__gt=NOW) if at_once else due)
    now = timezone.now()
    changed: Changed = []
    for row in held(others):
        values: dict[str, Any] = {"is_active": True}
        if row.unpublish_at is not None and row.unpublish_at <= now:
            values["unpublish_at"] = None
        if at_once and row.publish_at is not None and row.publish_at > now:
            values["publish_at"] = None
        changed.append((row, set_values(row, values)))
    return stored(changed)


def make_drafts(portfolios: PortfolioQuerySet) -> Changed:
    """Make portfolios drafts, and return what that changes of which; they keep their moments."""
    others = held(portfolios.filter(is_active__in=[True]))
    return stored([(row, set_values(row, {"is_active": False})) for row in others])


def held(portfolios: PortfolioQuerySet) -> Iterable[Portfolio]:
    return portfolios.select_for_update().order_by("pk").only("title", *SCHEDULE)


def stored(changed: Changed) -> Changed:
    """Store what was changed, and return the rows of which anything was; those that are changed alike go together."""
    changed = [(row, changes) for row, changes in changed if changes]
    alike: dict[tuple[tuple[str, Any], ...], list[int]] = defaultdict(list)
    for row, changes in changed:
        alike[tuple((name, new) for name, (_old, new) in changes.items())].append(row.pk)
    now = timezone.now()
    for values, ids in alike.items():
        for start in range(0, len(ids), BATCH):
            rows = Portfolio.objects.filter(pk__in=ids[start : start + BATCH])
            rows.update(**dict(values), updated_at=now)
    return changed
