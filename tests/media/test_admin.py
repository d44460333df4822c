"""The media library of the admin site: its list, its pages, and who may see and change them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext

from folio.media.models import Media
from folio.media.uploads import store_upload
from tests.factories import draw, make_image, make_link, make_media, make_meta, make_portfolio, make_user
from tests.forms import errors, shown_values

from .library import ADD, LIST, files_in, upload

# Changes


def test_changes_only_the_texts(site: Site, media_root: Path) -> None:
    media = make_image("crane.png")
    before: dict[str, Any] = {**Media.objects.values().get()}
    files = files_in(media_root)

    url = f"{LIST}{media.pk}/change/"
    sent = {"name": "Crane", "alt": "A crane", "file": upload(draw(), "other.png"), "type": "document", "size": "1"}

    answer = site.post(url, {**shown_values(site.get(url)), **sent})

    assert answer.status_code == 302, errors(answer)
    after: dict[str, Any] = {**Media.objects.values().get()}
    assert after.pop("updated_at") > before.pop("updated_at")
    assert after == {**before, "name": "Crane", "alt": "A crane"}
    assert files_in(media_root) == files


def test_shows_the_picture_with_its_facts(site: Site) -> None:
    media = make_image("crane.png", alt="A crane")

    page = site.get(f"{LIST}{media.pk}/change/").content.decode()

    assert f'src="{media.thumbnails.get(size=512).file.url}" alt="A crane"' in page
    for shown in ("40 × 30", "image/png", "RGB", media.sha256[:16], f"http://testserver{media.file.url}"):
        assert shown in page
    assert f'<img src="{media.file.url}"' not in page


def test_shows_a_file_that_is_no_image_as_a_link(site: Site) -> None:
    media = make_media(type="document", file="core_media/notes.pdf", size=1536)

    page = site.get(f"{LIST}{media.pk}/change/").content.decode()

    assert 'href="/media/core_media/notes.pdf"' in page
    assert "1.5 KB" in page


def test_shows_names_as_text(site: Site) -> None:
    media = make_image("crane.png", alt='"><script>alert(1)</script>')

    for path in (LIST, f"{LIST}{media.pk}/change/"):
        assert "<script>alert(1)" not in site.get(path).content.decode()


def test_gives_a_very_long_picture_a_height(site: Site) -> None:
    media = store_upload(ContentFile(draw((4000, 2)), name="panorama.png"))

    for path in (LIST, f"{LIST}{media.pk}/change/"):
        assert 'width="512" height="1"' in site.get(path).content.decode()


def test_lists_where_a_media_is_used_with_titles_and_links_for_those_who_may_follow_them(
    site: Site, site_for: Callable[[User], Site]
) -> None:
    media = make_media()
    portfolio = make_portfolio(title="Harbour", image=media)
    link = f'href="/admin/portfolios/portfolio/{portfolio.pk}/change/"'

    reader = site_for(make_user(is_staff=True, codes=[4102]))
    pages = [each.get(f"{LIST}{media.pk}/change/").content.decode() for each in (site, reader)]

    assert ["Harbour" in page for page in pages] == [True, False]
    assert [f"#{portfolio.pk}</span>" in page for page in pages] == [False, True]
    assert [link in page for page in pages] == [True, False]


# The list


def test_lists_thumbnails_types_and_readable_sizes(site: Site) -> None:
    make_image("crane.png", alt="A crane")
    make_media(name="Notes", type="document", size=1536)

    page = site.get(LIST).content.decode()

    for shown in ("crane_thumbnail_512x512.png", "A crane", "40 × 30", "Notes", "1.5 KB", 'loading="lazy"'):
        assert shown in page
    assert all("/thumbnails/" in part[:60] for part in page.split('src="/media/')[1:])


def test_lists_any_number_of_rows_with_the_same_queries(site: Site) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert site.get(LIST).status_code == 200
        return len(captured)

    make_image()
    site.get(LIST)
    at_one = queries()
    for _ in range(49):
        make_image()
    Media.objects.bulk_create(
        Media(file=f"x{number}", name="x", size=1, type="other", mime_type="x/x") for number in range(5000)
    )

    assert queries() == at_one <= 7


def test_leads_to_all_only_from_a_part(site: Site) -> None:
    make_media(name="report")

    for query, leads in (("", False), ("?p=1", False), ("?q=rep", True), ("?type__exact=document", True)):
        page = site.get(f"{LIST}{query}").content.decode()
        assert bool(re.search(r"\d results? \(<a", page)) == leads, query


def test_heads_a_page_with_the_name_as_it_is(site: Site) -> None:
    media = make_image(name="tag-data.gif")

    page = site.get(f"{LIST}{media.pk}/change/").content.decode()
    heading = page.partition("<h1")[2].partition("</h1>")[0]

    assert "tag-data.gif" in heading
    assert "Tag-data.gif" not in heading
    assert re.search(r">\s*Media\s*<", heading), "of what there are many, a capital"


def test_searches_as_the_api_does_and_filters_by_type(site: Site) -> None:
    make_media(name="Straße am Hafen")
    make_media(name="Straße am Hafen", type="document")
    make_media(name="Straße")

    page = site.get(LIST, {"q": "hafen STRASSE", "type__exact": "image"})

    assert [(media.name, media.type) for media in page.context["cl"].result_list] == [("Straße am Hafen", "image")]


@pytest.mark.parametrize("how", ["image", "images", "link", "meta"])
def test_finds_by_alt_text_and_by_the_titles_of_entries(site: Site, how: str) -> None:
    media = make_media(name="dsc_0042.jpg", alt="A crane over the quay")
    make_media(name="dsc_0043.jpg", alt="A crane")
    covers: dict[str, dict[str, Any]] = {"image": {"image": media}, "images": {"images": [media]}}
    portfolio = make_portfolio(title="Harbour Bakery", **covers.get(how, {}))
    if how == "link":
        make_link(portfolio, image=media)
    elif how == "meta":
        make_meta(portfolio, value_file=media)

    def found(words: str) -> list[int]:
        library = [row.pk for row in site.get(LIST, {"q": words}).context["cl"].result_list]
        picked = site.get(f"{LIST}pick/", {"q": words}).json()["html"]
        assert [int(pk) for pk in re.findall(r'data-id="(\d+)"', picked)] == library
        return library

    assert found("crane QUAY") == [media.pk]
    assert found("bakery") == [media.pk]
    assert found("bakery crane 0042") == [media.pk]
    assert found("bakery 0043") == []


def test_finds_nothing_by_titles_that_the_user_may_not_view(site_for: Callable[[User], Site]) -> None:
    media = make_media(name="dsc_0042.jpg")
    make_portfolio(title="Harbour Bakery", images=[media])
    site = site_for(make_user(is_staff=True, codes=[4102]))

    assert not site.get(LIST, {"q": "bakery"}).context["cl"].result_list
    assert list(site.get(LIST, {"q": "0042"}).context["cl"].result_list) == [media]


@pytest.mark.parametrize("format", ["BMP", "TIFF"])
def test_shows_heavy_thumbnails_as_webp(site: Site, format: str) -> None:
    media = store_upload(SimpleUploadedFile(f"نقشه's+1.{format.lower()}", draw((700, 500), format=format)))
    portfolio = make_portfolio(title="Scan", image=media, images=[media])
    form = f"/admin/portfolios/portfolio/{portfolio.pk}/"
    pages = (LIST, f"{LIST}pick/?dialog", f"{LIST}{media.pk}/change/", "/admin/portfolios/portfolio/", f"{form}change/")

    html = "".join(site.get(page).content.decode() for page in (*pages, f"{form}preview"))
    shown = set(re.findall(r"""(?:src|srcset)=\\?"([^\s"]+_thumbnail_[^\s"\\]+)""", html))

    assert len(shown) >= 3, "of the four boxes, those that the pages show"
    for url in shown:
        answer = site.get(url)
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
        assert "immutable" in answer["Cache-Control"]
        assert len(answer.content) < 20_000
    assert site.get(f"{LIST}picture/99999/").status_code == 404
    for guess in ("", "?", "?thumbnail"):
        assert site.get(url.partition("?")[0] + guess).status_code == 404, "ids alone show nothing"


def test_tells_how_many_media_there_are_after_an_upload(site: Site) -> None:
    make_media()
    url = f"{LIST}upload/"

    assert site.post(url, {"file": upload(draw((9, 9)))}).json()["count"] == "2 media"
    again = site.post(url, {"file": upload(draw((9, 9)), "other.png")}).json()

    assert (again["is_new"], again["count"]) == (False, "2 media")


# Who may


@pytest.mark.parametrize(("codes", "statuses"), [((), (403, 403)), ((4102,), (200, 403)), ((4101,), (403, 200))])
def test_asks_for_the_permission(
    site_for: Callable[[User], Site], codes: tuple[int, ...], statuses: tuple[int, int]
) -> None:
    site = site_for(make_user(is_staff=True, codes=codes))

    assert (site.get(LIST).status_code, site.get(ADD).status_code) == statuses


def test_stores_nothing_of_staff_who_may_not_add(site_for: Callable[[User], Site], media_root: Path) -> None:
    site = site_for(make_user(is_staff=True, codes=[4102, 4104]))

    assert site.post(ADD, {"file": upload(draw())}).status_code == 403
    assert not Media.objects.exists()
    assert files_in(media_root) == []
