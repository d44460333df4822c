"""Portfolios as those who work in the admin site send them, and what is kept of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client as Site
from django.utils import timezone

from folio.portfolios.models import Link, MetaEntry, Portfolio, PortfolioImage
from tests.forms import shown_values

LIST = "/admin/portfolios/portfolio/"
ADD = f"{LIST}add/"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def change(site: Site, portfolio: Portfolio, **changes: Any) -> Any:
    """Open a portfolio's form, change it and send it."""
    url = f"{LIST}{portfolio.pk}/change/"
    return site.post(url, {**shown_values(site.get(url)), **changes})


def age(*portfolios: Portfolio) -> None:
    Portfolio.objects.filter(pk__in=[portfolio.pk for portfolio in portfolios]).update(updated_at=LONG_AGO)


def is_touched(portfolio: Portfolio) -> bool:
    portfolio.refresh_from_db()
    return portfolio.updated_at > timezone.now() - timedelta(minutes=1)


def gallery(portfolio: Portfolio) -> list[int]:
    return list(PortfolioImage.objects.filter(portfolio=portfolio).values_list("media", flat=True))


def links(portfolio: Portfolio) -> list[str]:
    return list(Link.objects.filter(portfolio=portfolio).values_list("name", flat=True))


def meta(portfolio: Portfolio) -> dict[int, str]:
    return dict(MetaEntry.objects.filter(portfolio=portfolio).values_list("pk", "key"))
