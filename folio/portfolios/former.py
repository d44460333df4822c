"""The slugs that portfolios had: their old addresses lead to the new ones.

A former slug leads to a portfolio, not to another slug, so that whatever came in between is no matter. One that is a
portfolio's present slug leads to that one, as long as it is there; then it leads again to whoever had it before. Of
several that gave up the same slug, the last has it. See docs/decisions/0036-slugs-and-what-is-shown.md.
"""

from collections.abc import Sequence

from django.db.models import Q

from .models import FormerSlug, Portfolio

MOST = 100  # of one portfolio; of more, the latest


def remember(portfolio: Portfolio, slug: str) -> None:
    """Let a slug that a portfolio had until now lead to it, in the transaction that changes it."""
    own = FormerSlug.objects.filter(portfolio=portfolio)
    oldest = own.order_by("-pk").values("pk")[MOST - 1 :]
    FormerSlug.objects.filter(Q(slug=slug) | Q(slug=portfolio.slug, portfolio=portfolio) | Q(pk__in=oldest)).delete()
    FormerSlug.objects.create(slug=slug, portfolio=portfolio)


def former_slugs(portfolio: Portfolio) -> list[str]:
    """Return the slugs by which a portfolio can still be found, the oldest first."""
    own = FormerSlug.objects.filter(portfolio=portfolio).order_by("pk").values_list("slug", flat=True)
    return list(own.exclude(slug__in=Portfolio.objects.values("slug")))


def replace_former_slugs(portfolio: Portfolio, slugs: Sequence[str]) -> None:
    """Make these the slugs that lead to a portfolio besides its own, the oldest first."""
    FormerSlug.objects.filter(Q(portfolio=portfolio) | Q(slug__in=slugs)).delete()
    FormerSlug.objects.bulk_create(FormerSlug(slug=slug, portfolio=portfolio) for slug in slugs[-MOST:])
