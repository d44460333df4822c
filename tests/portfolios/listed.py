"""The admin site's list of portfolios, as those who work in it use it."""

from datetime import UTC, datetime
from typing import Any

from django.test import Client as Site

from folio.media.models import Media
from folio.portfolios.models import Portfolio, PortfolioTag
from tests.factories import make_employer, make_tag

LIST = "/admin/portfolios/portfolio/"

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def listed(site: Site, **query: Any) -> list[str]:
    page = site.get(LIST, query)
    assert page.status_code == 200
    return [portfolio.title for portfolio in page.context["cl"].result_list]


def make_many(count: int) -> None:
    images = Media.objects.bulk_create(
        Media(
            file=f"m/{number}.png", type="image", mime_type="image/png", name="m", size=1, width=1, height=1, mode="L"
        )
        for number in range(count)
    )
    employers, tag = [make_employer() for _ in range(10)], make_tag()
    made = Portfolio.objects.bulk_create(
        Portfolio(
            title=f"many {number}",
            slug=f"many-{number}",
            excerpt="e",
            image=image,
            employer=employers[number % 10],
            completed_at=datetime(2000 + number % 20, 1, 1, tzinfo=UTC),
        )
        for number, image in enumerate(images)
    )
    PortfolioTag.objects.bulk_create(PortfolioTag(portfolio=row, tag=tag) for row in made)
