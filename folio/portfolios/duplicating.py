"""A portfolio is copied, with all that belongs to it."""

from itertools import count
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from .models import Link, MetaEntry, Portfolio, PortfolioImage, PortfolioTag

LISTS: tuple[Any, ...] = (PortfolioImage, PortfolioTag, Link, MetaEntry)


def duplicate(pk: int) -> Portfolio:
    """Make a copy of a portfolio under a title and slug that are free: a draft, in the caller's transaction.

    Raise Portfolio.DoesNotExist where it is gone.
    """
    portfolio = Portfolio.objects.select_for_update().filter(pk=pk).first()
    if portfolio is None:
        raise Portfolio.DoesNotExist(_("This portfolio was deleted meanwhile. Load the page again to see the others."))
    title, slug = free_names(portfolio)
    copied = ("excerpt", "description", "image_id", "order", "employer_id", "completed_at")
    fields = {name: getattr(portfolio, name) for name in copied}
    copy = Portfolio.objects.create(title=title, slug=slug, is_active=False, **fields)
    for model in LISTS:
        rows = list(model._default_manager.filter(portfolio=portfolio))
        for row in rows:
            row.pk, row.portfolio = None, copy
        model._default_manager.bulk_create(rows)
    return copy


def free_names(portfolio: Portfolio) -> tuple[str, str]:
    """Return a title and a slug of a copy that no portfolio has, cut to what their columns hold."""
    for number in count(1):
        sign = _("(copy)") if number == 1 else _("(copy %(number)s)") % {"number": number}
        title = ended(portfolio.title, f" {sign}", "title")
        slug = ended(portfolio.slug, "-copy" if number == 1 else f"-copy-{number}", "slug")
        if not Portfolio.objects.filter(Q(title=title) | Q(slug=slug)).exists():
            break
    return title, slug


def ended(text: str, end: str, field: str) -> str:
    column: Any = Portfolio._meta.get_field(field)
    return f"{text[: column.max_length - len(end)]}{end}"
