"""The admin site speaks its reader's language, and everything else English."""

import re
from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client as Site
from django.utils import translation

from tests.conftest import Client
from tests.factories import make_employer, make_image, make_portfolio, make_tag

PERSIAN = {"Accept-Language": "fa-IR,fa;q=0.9,en;q=0.5"}


@pytest.fixture
def site(site_for: Callable[[User], Site], admin: User) -> Site:
    return site_for(admin)


@pytest.fixture
def after_persian() -> Iterator[None]:
    """A thread that something left in Persian."""
    translation.activate("fa")
    yield
    translation.deactivate()


def test_speaks_what_the_browser_asks_for(site: Site) -> None:
    response = site.get("/admin/", headers=PERSIAN)

    page = response.content.decode()
    assert '<html lang="fa" dir="rtl"' in page
    assert "نمونه‌کارها" in page
    assert "folio/admin/rtl.css" in page
    assert response.headers["Content-Language"] == "fa"
    assert {"Accept-Language", "Cookie"} <= set(response.headers["Vary"].split(", "))


def test_heads_the_names_of_employers_and_tags_in_persian(site: Site) -> None:
    make_employer()
    make_tag()

    for path in ("employer", "tag"):
        page = site.get(f"/admin/portfolios/{path}/", headers=PERSIAN).content.decode()
        assert re.search(r">\s*نام\s*<", page)
        assert not re.search(r">\s*name\s*<", page, re.IGNORECASE)


def test_keeps_sizes_from_left_to_right_beside_persian(site: Site) -> None:
    portfolio = make_portfolio(image=make_image())

    page = site.get(f"/admin/portfolios/portfolio/{portfolio.pk}/change/", headers=PERSIAN).content.decode()

    assert re.search("تصویر · \u2066\\d+ × \\d+\u2069 · \u2066[^\u2069]+\u2069", page)

    page = site.get(f"/admin/media/media/{portfolio.image_id}/change/", headers=PERSIAN).content.decode()

    assert re.search(r'<span dir="ltr">\d+ × \d+</span>', page)
    assert re.search(r'<span dir="ltr">[\d.]+ \w+</span>', page)


def test_labels_the_order_without_a_colon(site: Site) -> None:
    page = site.get("/admin/portfolios/portfolio/add/", headers=PERSIAN).content.decode()

    assert re.search(r'<label[^>]*for="id_order"[^>]*>\s*ترتیب\s*<', page)


def test_speaks_english_to_those_who_ask_for_nothing(site: Site) -> None:
    page = site.get("/admin/").content.decode()

    assert 'dir="ltr"' in page
    assert "Portfolios" in page
    assert "folio/admin/rtl.css" not in page


def test_speaks_other_languages_by_djangos_catalogues(site: Site) -> None:
    page = site.get("/admin/auth/user/", headers={"Accept-Language": "de"}).content.decode()

    assert '<html lang="de" dir="ltr"' in page
    assert "Benutzername" in page


def test_what_was_chosen_goes_before_what_the_browser_asks_for(site: Site) -> None:
    response = site.post("/admin/i18n/setlang/", {"language": "fa", "next": "/admin/portfolios/tag/"})

    assert response.headers["Location"] == "/admin/portfolios/tag/"
    cookie = response.cookies["django_language"]
    assert cookie.value == "fa"
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert 'lang="fa"' in site.get("/admin/", headers={"Accept-Language": "de"}).content.decode()


def test_a_language_can_be_chosen_before_signing_in(db: None) -> None:
    page = Site().get("/admin/login/").content.decode()

    assert 'action="/admin/i18n/setlang/"' in page
    assert '<option value="fa" lang="fa">فارسی</option>' in page


def test_choosing_a_language_leads_nowhere_else(site: Site) -> None:
    response = site.post("/admin/i18n/setlang/", {"language": "fa", "next": "https://elsewhere.example/"})

    assert response.headers["Location"] == "/"


@pytest.mark.parametrize("language", ["xx", "../../etc", "", "fa" * 500])
def test_a_language_that_is_none_is_english(language: str, site: Site) -> None:
    response = site.get(
        "/admin/", headers={"Accept-Language": language, "Cookie": site.cookies.output(header="", sep=";")}
    )

    assert 'lang="en' in response.content.decode()


def test_the_api_speaks_english_whatever_is_asked_for(client: Client, after_persian: None) -> None:
    make_portfolio(title="Taken")

    answer = client.post("/api/portfolios/", {"title": "Taken", "slug": "a b"}, headers=PERSIAN)

    assert answer.status_code == 400
    assert answer.json()["excerpt"] == ["This field is required."]
    assert "letters" in answer.json()["slug"][0]


def test_leaves_no_language_behind(site: Site, client: Client) -> None:
    before = translation.get_language()

    site.get("/admin/", headers=PERSIAN)

    assert translation.get_language() == before
    assert client.get("/api/portfolios/999/").json()["detail"].isascii()


def test_the_description_of_the_api_is_english(after_persian: None, db: None) -> None:
    assert "نمونه" not in Site().get("/api/schema/", headers=PERSIAN).content.decode()
