"""Entries with everything that there can be, and what is read of answers."""

from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from folio.media.models import Media, Thumbnail
from folio.portfolios.models import Portfolio, PortfolioImage
from tests.factories import make_employer, make_link, make_media, make_meta, make_portfolio, make_tag

PATH = "/api/public/portfolios/"
ROW = ["id", "slug", "title", "excerpt", "completed_at", "year", "url", "cover", "employer", "tags", "updated_at"]
OPTIONAL = ["description", "gallery", "links", "meta", "share_image", "neighbours", "related"]
REST = ["description", "description_html", "gallery", "links", "meta", "share_image", "neighbours", "related"]


def make_picture(**fields: Any) -> Media:
    """Make an image's row with those of its thumbnails; no file."""
    media = make_media(**{"width": 4000, "height": 3000, "mime_type": "image/jpeg", **fields})
    Thumbnail.objects.bulk_create(
        Thumbnail(media=media, size=size, file=f"core_media/thumbnails/{media.pk}_{size}.jpg")
        for size in (64, 128, 512, 1080)
    )
    return media


def make_full(size: int = 1, **fields: Any) -> Portfolio:
    """Make a portfolio with everything, and `size` of what there can be several of."""
    portfolio = make_portfolio(
        **{
            "image": make_picture(),
            "employer": make_employer(image=make_picture()),
            "description": "Long.",
            "tags": [make_tag(image=make_picture()) for _ in range(size)],
            **fields,
        }
    )
    for place in range(size):
        PortfolioImage.objects.create(
            portfolio=portfolio, media=make_picture(), place=place, caption=f"Picture {place}"
        )
        make_link(portfolio, image=make_picture(), place=place)
        make_meta(portfolio, value_file=make_picture(), place=place)
    return portfolio


def ask(visitor: Client, path: str = PATH, **query: Any) -> Any:
    """Return what an address answers with, which must succeed."""
    response = visitor.get(path, query)
    assert response.status_code == 200, response.content
    return response.json()


def listed(visitor: Client, **query: Any) -> list[str]:
    """Return the slugs that the list answers with."""
    return [row["slug"] for row in ask(visitor, **query)["results"]]


def errors(visitor: Client, path: str = PATH, query: str = "") -> Any:
    """Return what an address says of parameters that it refuses."""
    response = visitor.get(f"{path}?{query}")
    assert response.status_code == 400, response.content
    return response.json()


def queries(visitor: Client, path: str) -> int:
    """Return how many queries a request costs that succeeds."""
    with CaptureQueriesContext(connection) as captured:
        response = visitor.get(path)
    assert response.status_code == 200, response.content
    return len(captured)
