"""How pages travel: compressed, and shown before their scripts have come."""

import gzip
import re
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client as Site
from django.test import RequestFactory

from folio.admin.pages import PagesMiddleware

SCRIPT = re.compile(r"<script\b([^>]*)>")
HEAD = re.compile(r'^ src="/static/folio/admin/head\.js"$')


def scripts(page: str) -> list[str]:
    """Return the addresses of a page's scripts, in their order."""
    return re.findall(r'<script\b[^>]*\bsrc="([^"]+)"', page)


def shown(page: str) -> str:
    """Return a page without what lies ready in it for later."""
    return re.sub(r"<template.*?</template>", "", page, flags=re.S)


def test_no_page_waits_for_a_script_but_the_first(pages: dict[str, str], site_for: Any, admin: User) -> None:
    site: Site = site_for(admin)
    for name, address in pages.items():
        page = shown(site.get(address).content.decode())
        waited = [tag for tag in SCRIPT.findall(page) if not re.search(r'\b(defer|async)\b|type="module"', tag)]
        assert all(HEAD.match(tag) for tag in waited), (name, waited)


def test_no_page_is_hidden_until_scripts_run(pages: dict[str, str], site_for: Any, admin: User) -> None:
    site: Site = site_for(admin)
    for name, address in pages.items():
        page = site.get(address).content.decode()
        for tag in re.findall(r"<(?:html|body|main|form)\b[^>]*>", page):
            assert "x-cloak" not in tag, name
            assert "x-show" not in tag, name


def test_what_scripts_say_comes_before_what_says_it(site: Site) -> None:
    found = scripts(site.get("/admin/portfolios/portfolio/").content.decode())

    assert found.index("/admin/jsi18n/") < found.index("/static/admin/js/actions.js")


def test_a_list_holds_back_what_only_its_filters_need(site: Site) -> None:
    page = site.get("/admin/portfolios/link/").content.decode()
    held = re.search(r'<template id="folio-filter-parts">(.*?)</template>', page, re.S)

    assert held is not None
    assert "select2" in held[1]
    assert not [address for address in scripts(shown(page)) if "select2" in address or "jquery" in address]


def test_a_list_to_choose_from_has_what_hands_the_choice_over(site: Site) -> None:
    page = site.get("/admin/portfolios/portfolio/?_popup=1").content.decode()

    assert "/static/admin/js/admin/RelatedObjectLookups.js" in scripts(page)


def test_pages_are_compressed_for_who_takes_it(site: Site) -> None:
    plain = site.get("/admin/portfolios/portfolio/")
    small = site.get("/admin/portfolios/portfolio/", headers={"Accept-Encoding": "gzip, br"})

    assert "Content-Encoding" not in plain.headers
    assert small["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in small["Vary"]
    assert len(small.content) < len(plain.content) / 4
    assert gzip.decompress(small.content).decode().rstrip().endswith("</html>")


def test_a_page_s_length_tells_little_of_what_is_in_it(site: Site) -> None:
    headers = {"Accept-Encoding": "gzip"}
    lengths = {len(site.get("/admin/password_change/", headers=headers).content) for _ in range(16)}

    assert len(lengths) > 4  # the token of its form is written anew each time too


def test_a_token_in_a_page_is_never_written_the_same_way_twice(site: Site) -> None:
    pattern = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')
    found = {pattern.search(site.get("/admin/password_change/").content.decode())[1] for _ in range(3)}  # type: ignore[index]

    assert len(found) == 3


def test_what_is_compressed_already_stays_as_it_is() -> None:
    picture = HttpResponse(b"a picture" * 1000, content_type="image/png")
    request = RequestFactory().get("/admin/media/media/picture/1/", headers={"Accept-Encoding": "gzip"})

    response: Any = PagesMiddleware(lambda _: picture)(request)

    assert "Content-Encoding" not in response.headers


def test_files_and_the_api_keep_their_own_forms(client: Any, site: Site) -> None:
    headers = {"Accept-Encoding": "gzip"}

    assert "Content-Encoding" not in client.get("/api/portfolios/", headers=headers).headers
    assert "Content-Encoding" not in site.get("/api/schema/", headers=headers).headers
