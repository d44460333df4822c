"""The website's pages of portfolios with their pictures, for search engines: sitemaps.org 0.9, and Google's images.

A sitemap may name 50,000 pages and have 50 MB. Each has a thousand pages here, of up to 40 pictures: that is made soon
enough for whoever asks, has room in memory until something changes, and stays below 50 MB however long all names are.
Where there are more, the address answers with an index of them.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from folio.api.filters import BareFilter
from folio.api.viewsets import base_url
from folio.portfolios.documents import grouped
from folio.portfolios.models import Portfolio

from .beside import PublishedRows
from .parts import gallery_of_portfolios
from .pictures import Pictures
from .xml import OFF, Document, XMLView, moment, page

SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
IMAGE = "http://www.google.com/schemas/sitemap-image/1.1"
PAGES = 1_000  # of a sitemap
PICTURES = 40  # of a page
BATCH = 100  # portfolios whose pictures are read at once
LONGEST = 2_047  # characters of an address; search engines refuse a sitemap with a longer one

rows_of_pages = PublishedRows("slug", "image_id", "shown_at")


def entries(ids: list[int], base: str) -> Iterator[tuple[str, datetime, Iterable[str]]]:
    """Yield the page of each portfolio, when it last changed, and the pictures on it, each once."""
    for start in range(0, len(ids), BATCH):
        some = ids[start : start + BATCH]
        rows = {row["id"]: row for row in rows_of_pages.read(some)}
        galleries = grouped(gallery_of_portfolios.read(rows))
        shown = {pk: pictures_of(rows[pk], galleries[pk]) for pk in some if pk in rows}
        pictures = Pictures(chain.from_iterable(shown.values()), base)
        for pk, media in shown.items():
            address = page(rows[pk]["slug"])
            if len(address) <= LONGEST:
                found = (src for src in map(pictures.src, media) if src and len(src) <= LONGEST)
                yield address, rows[pk]["shown_at"], dict.fromkeys(found)


def pictures_of(row: Mapping[str, Any], gallery: Iterable[Mapping[str, Any]]) -> list[int | None]:
    """Return the media that a page shows, its cover first."""
    return [row["image_id"], *(each["media_id"] for each in gallery)][:PICTURES]


class SitemapView(XMLView):
    """Read the website's pages of portfolios as a sitemap.

    Each with its pictures. Where there are more than a thousand pages, it is an index of sitemaps.
    """

    media_type = "application/xml"
    url_name = "public-sitemap"
    answers = {"get": (200, {"type": "string", "examples": ["<urlset xmlns=…>"]})}
    operation_ids = {"get": "getSitemap"}
    other_errors = {404: f"There is no such page; {OFF}"}
    parameters = {
        "get": {"page": BareFilter(min_value=1, label="Which of the sitemaps that the index names; none is the index")}
    }

    def written(self, request: Request) -> str:
        number = self.given.get("page")
        published = Portfolio.objects.published()
        count = published.count()
        last = max(1, -(-count // PAGES))
        if number is None and last > 1:
            return index([f"{self.address(request)}?page={each}" for each in range(1, last + 1)])
        if (number or 1) > last:
            raise NotFound(f"There is no sitemap {number}; the last one is {last}.")
        start = ((number or 1) - 1) * PAGES
        # By their ids: what is new stands in the last one, and the others stay as they are.
        ids = list(published.order_by("pk").values_list("pk", flat=True)[start : start + PAGES])
        return urlset(entries(ids, base_url(request)))


def index(addresses: list[str]) -> str:
    document = Document()
    with document.element("sitemapindex", {"xmlns": SITEMAP}):
        for address in addresses:
            with document.element("sitemap"):
                document.text("loc", address)
    return str(document)


def urlset(found: Iterable[tuple[str, datetime, Iterable[str]]]) -> str:
    document = Document()
    with document.element("urlset", {"xmlns": SITEMAP, "xmlns:image": IMAGE}):
        for address, changed_at, pictures in found:
            with document.element("url"):
                document.text("loc", address)
                document.text("lastmod", moment(changed_at))
                for picture in pictures:
                    with document.element("image:image"):
                        document.text("image:loc", picture)
    return str(document)
