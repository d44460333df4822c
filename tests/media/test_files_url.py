"""`FOLIO_MEDIA_URL`: all that Folio says of files begins with it; `/media/` goes on answering."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client as Site

from folio.admin.policies import page_policy
from folio.media.models import Media
from folio.portfolios.markdown import rendered
from folio.portfolios.models import Portfolio
from tests.conftest import Client
from tests.factories import make_portfolio

from .varied import get, name_of, upload_image

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "https://cdn.example.com/files/"


@pytest.fixture(autouse=True, params=["folder", "bucket"])
def media(request: pytest.FixtureRequest, settings: Any) -> Iterator[Media]:
    """A picture that visitors see, in a folder and in a bucket, behind a CDN."""
    if request.param == "bucket":
        request.getfixturevalue("in_bucket")
    settings.FILES_URL = settings.MEDIA_URL = ADDRESS
    settings.PUBLIC_READ = True
    settings.IMAGE_WIDTHS = [20, 100]
    settings.IMAGE_FORMATS = ["webp"]
    settings.SITE_URL = "https://studio.example/work/{slug}/"
    page_policy.cache_clear()
    media = upload_image()
    make_portfolio(
        image=media, description=f"![old](http://testserver/media/{media.file}) ![older](/media/{media.file})"
    )
    yield media
    page_policy.cache_clear()


def urls_in(value: Any) -> list[str]:
    """Return the addresses of files in a document."""
    if isinstance(value, dict):
        return [url for each in value.values() for url in urls_in(each)]
    if isinstance(value, list):
        return [url for each in value for url in urls_in(each)]
    return [value] if isinstance(value, str) and "core_media" in value and value.startswith(("http", "/")) else []


def test_the_api_names_files_by_it(client: Client, media: Media) -> None:
    told = client.get(f"/api/media/{media.pk}/").json()

    assert told["f"] == f"{ADDRESS}{media.file}"
    assert len(urls_in(told)) == 5
    assert all(url.startswith(ADDRESS) for url in urls_in(told))


def test_so_do_the_public_answers_and_name_no_variant_that_would_have_to_be_made(media: Media) -> None:
    address = f"/api/public/portfolios/{Portfolio.objects.get().slug}/"
    before = Site().get(address).json()
    made = name_of(media, "webp", 100)
    assert get(Site(), made).status_code == 200, "/media/ goes on answering, and making what it is asked for"
    Portfolio.objects.update(title="changed")
    after = Site().get(address).json()

    assert before["cover"]["sources"] == []
    assert after["cover"]["sources"] == [{"type": "image/webp", "srcset": f"{ADDRESS}{made} 100w"}]
    assert before["cover"]["src"].startswith(ADDRESS)
    assert all(url.startswith(ADDRESS) for url in urls_in(after))


def test_markdown_that_was_written_before_shows_it(media: Media) -> None:
    html = rendered(Portfolio.objects.get().description, "http://testserver")

    assert html.count(f'src="{ADDRESS}{media.file}"') == 2
    assert html.count('width="1500" height="1000"') == 2


def test_feed_and_sitemap_show_it(media: Media) -> None:
    for name in ("feed.xml", "sitemap.xml"):
        text = Site().get(f"/api/public/{name}").content.decode()

        assert ADDRESS in text
        assert "/media/core_media" not in text


def test_pages_of_the_admin_site_may_show_it(site: Site, media: Media) -> None:
    page = site.get(f"/admin/media/media/{media.pk}/change/")

    images = next(each for each in page.headers["Content-Security-Policy"].split("; ") if each.startswith("img-src"))
    assert "https://cdn.example.com" in images.split()
    assert f"{ADDRESS}{media.file}" in page.content.decode()
    assert "http://testserverhttps" not in page.content.decode()


def test_media_goes_on_answering(media: Media) -> None:
    answer = get(Site(), str(media.file))

    assert answer.status_code == 200
    with default_storage.open(str(media.file)) as file:
        assert answer.body == file.read()
