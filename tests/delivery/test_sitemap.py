"""`/api/public/sitemap.xml`: valid by the protocol of sitemaps.org, and of what is published alone."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from lxml import etree

from folio.delivery import sitemap
from folio.media.models import MediaType
from folio.portfolios.models import Portfolio, PortfolioImage
from folio.snapshots.looks import Looks
from tests.clock import Clock
from tests.delivery.entries import errors, make_full, make_picture, queries
from tests.delivery.fronts import Front
from tests.factories import make_portfolio
from tests.snapshots.stage import StillWatch

SITEMAP = "/api/public/sitemap.xml"
SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parent / "schemas" / "sitemap.xsd"))
LIMIT = 50 * 1024 * 1024  # bytes


def parsed(content: bytes) -> Any:
    document = etree.fromstring(content)
    SCHEMA.assertValid(document)
    return document


def read(visitor: Client, query: str = "") -> dict[str, list[str]]:
    """Return the pages that a sitemap names, each with its pictures, or the sitemaps that an index names."""
    response = visitor.get(f"{SITEMAP}{query}")
    assert response.status_code == 200, response.content
    assert response.headers["Content-Type"] == "application/xml; charset=utf-8"
    return {
        each.findtext("{*}loc"): [picture.text for picture in each.findall("{*}image/{*}loc")]
        for each in parsed(response.content)
    }


def thumbnail(media: Any) -> str:
    return f"http://testserver/media/core_media/thumbnails/{media.pk}_1080.jpg"


def test_names_each_page_with_its_pictures(visitor: Client) -> None:
    full = make_full(2, slug="full")
    make_portfolio(slug="bare")
    make_portfolio(slug="draft", is_active=False, image=make_picture())

    pages = read(visitor)

    gallery = [row.media for row in PortfolioImage.objects.order_by("place").select_related("media")]
    assert pages == {
        "https://studio.example/work/full/": [thumbnail(media) for media in (full.image, *gallery)],
        "https://studio.example/work/bare/": [],
    }


def test_a_picture_is_named_once_and_only_pictures_are(visitor: Client) -> None:
    cover, film = make_picture(), make_picture(type=MediaType.VIDEO, mime_type="video/mp4")
    portfolio = make_portfolio(slug="a", image=cover)
    for place, media in enumerate((cover, film)):
        PortfolioImage.objects.create(portfolio=portfolio, media=media, place=place)

    assert read(visitor) == {"https://studio.example/work/a/": [thumbnail(cover)]}


def test_tells_when_a_page_last_changed(visitor: Client) -> None:
    make_portfolio()
    Portfolio.objects.update(updated_at=datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC), related_updated_at=None)

    assert b"<lastmod>2020-01-02T03:04:05Z</lastmod>" in visitor.get(SITEMAP).content


def test_without_entries_it_is_valid(visitor: Client) -> None:
    assert read(visitor) == {}
    assert read(visitor, "?page=1") == {}


def test_more_than_a_page_are_named_by_an_index(visitor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sitemap.PAGES == 1000
    monkeypatch.setattr(sitemap, "PAGES", 2)
    monkeypatch.setattr(sitemap, "BATCH", 1)
    for place in range(5):
        make_portfolio(slug=f"p{place}", order=-place)
    whole = f"http://testserver{SITEMAP}"

    index = read(visitor)

    assert list(index) == [f"{whole}?page=1", f"{whole}?page=2", f"{whole}?page=3"]
    pages = [read(visitor, f"?{address.partition('?')[2]}") for address in index]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [address for page in pages for address in page] == [
        f"https://studio.example/work/p{place}/" for place in range(5)
    ]
    assert visitor.get(SITEMAP).content.startswith(b'<?xml version="1.0" encoding="utf-8"?>\n<sitemapindex')


def test_there_is_no_page_after_the_last(visitor: Client) -> None:
    response = visitor.get(f"{SITEMAP}?page=2")

    assert (response.status_code, response.json()) == (404, {"detail": "There is no sitemap 2; the last one is 1."})
    assert visitor.get(f"{SITEMAP}?page=99999999999999999999").status_code == 404


def test_wrong_parameters_are_refused_with_and_without_a_website(visitor: Client, settings: Any) -> None:
    for site in ("https://studio.example/{slug}", ""):
        settings.SITE_URL = site
        assert errors(visitor, SITEMAP, "pag=1") == {"pag": ["Unknown parameter. Did you mean page? Allowed: page."]}
        assert list(errors(visitor, SITEMAP, "page=0")) == ["page"]
        assert list(errors(visitor, SITEMAP, "page=1&page=2")) == ["page"]


def test_without_a_website_it_says_what_is_missing(visitor: Client, settings: Any) -> None:
    settings.SITE_URL = ""

    response = visitor.get(SITEMAP)

    assert response.status_code == 404
    assert "FOLIO_SITE_URL" in response.json()["detail"]


def test_has_no_slash(visitor: Client) -> None:
    assert visitor.get(f"{SITEMAP}/").status_code == 404
    assert visitor.get("/api/public/sitemap/").status_code == 404


@pytest.mark.parametrize("slug", ["کتاب", "größe", "a'b\"<&>", "x" * 200])
def test_addresses_are_escaped_uris(visitor: Client, settings: Any, slug: str) -> None:
    settings.SITE_URL = "https://студия.example/{slug}?a=1&b=2"
    make_portfolio(image=make_picture(file="core_media/2026/01/01/größe & 'so'.svg", mime_type="image/svg+xml"))
    Portfolio.objects.update(slug=slug)

    ((address, pictures),) = read(visitor).items()

    assert address.startswith("https://xn--d1aizef8e.example/")
    assert address.endswith("?a=1&b=2")
    assert pictures == ["http://testserver/media/core_media/2026/01/01/gr%C3%B6%C3%9Fe%20%26%20'so'.svg"]


def test_an_address_that_is_too_long_would_spoil_the_others(visitor: Client) -> None:
    make_portfolio(slug="short")
    Portfolio.objects.filter(pk=make_portfolio().pk).update(slug="\U00020000" * 200)

    assert list(read(visitor)) == ["https://studio.example/work/short/"]


def test_the_largest_that_there_can_be_is_below_the_limit() -> None:
    address = f"https://studio.example/{'x' * 2000}"[: sitemap.LONGEST]
    longest = f"http://h/{'%20' * 350}"  # of a file's name of the length that there can be, with a long host before it
    entry = (address, datetime.now(UTC), [f"{longest}{number:02}" for number in range(sitemap.PICTURES)])

    written = sitemap.urlset(entry for _ in range(sitemap.PAGES)).encode()

    assert LIMIT * 0.8 < len(written) < LIMIT


@pytest.mark.django_db(transaction=True)
def test_pages_come_and_go_at_their_moments(clock: Clock, settings: Any) -> None:
    settings.PUBLIC_READ, settings.SITE_URL = True, "https://studio.example/{slug}"
    front = Front(Looks(StillWatch()))  # type: ignore[arg-type]
    make_portfolio(slug="always")
    make_portfolio(slug="later", publish_at=clock.after(minutes=5), unpublish_at=clock.after(minutes=10))

    def slugs() -> list[str]:
        return [each.text.rpartition("/")[2] for each in parsed(front.ask("sitemap.xml").content).iter("{*}loc")]

    assert slugs() == slugs() == ["always"]
    clock.move(minutes=5)
    assert slugs() == ["always", "later"]
    clock.move(minutes=5)
    assert slugs() == ["always"]


def test_costs_as_much_for_fifty_as_for_one(visitor: Client) -> None:
    make_full(1)
    one = queries(visitor, SITEMAP)
    for _ in range(49):
        make_full(2)

    assert queries(visitor, SITEMAP) == one <= 7
