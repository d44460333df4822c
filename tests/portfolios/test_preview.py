"""The preview of a portfolio: as a page, and as the API answers it."""

import html
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext

from folio.portfolios.models import Portfolio
from tests.conftest import Client
from tests.factories import (
    make_employer,
    make_image,
    make_link,
    make_media,
    make_meta,
    make_portfolio,
    make_tag,
    make_user,
)

SCRIPT = "</code><script>alert('x')</script>"


def path(portfolio: Portfolio, view: str = "") -> str:
    return f"/admin/portfolios/portfolio/{portfolio.pk}/preview/{view}"


def complete(**fields: Any) -> Portfolio:
    cover = make_image("cover.png", alt="A crane")
    employer = make_employer(name=fields.pop("employer", "Trust"), image=make_image("logo.png"))
    portfolio = make_portfolio(
        **{"description": "One.\n\nTwo.", **fields},
        image=cover,
        employer=employer,
        images=[make_image("second.png", alt="A quay"), cover],
        tags=[make_tag(name=f"web {employer.name}")],
        completed_at="2024-05-01T00:00Z",
    )
    make_link(portfolio, name="Press", url="https://example.org/a?b=1&c=2", description="About", image=cover)
    make_link(portfolio, name="Plain", url=None, place=1)
    make_meta(portfolio, key="camera", value_text="X100")
    make_meta(
        portfolio, key="notes", value_text=None, value_file=make_media(type="document", name="notes.pdf"), place=1
    )
    return portfolio


def test_shows_all_of_an_entry_that_is_not_published(site: Site) -> None:
    portfolio = complete(is_active=False)

    page = site.get(path(portfolio)).content.decode()

    for shown in (
        portfolio.title,
        portfolio.excerpt,
        "<p>One.</p>\n<p>Two.</p>",
        "Trust",
        "May 1, 2024",
        "web Trust",
        'alt="A crane"',
        'alt="A quay"',
        "cover_thumbnail_1080x1080.png",
        "cover_thumbnail_512x512.png 40w",
        "logo_thumbnail_128x128.png",
        'href="https://example.org/a?b=1&amp;c=2"',
        "About",
        "Plain",
        "camera",
        "X100",
        "notes.pdf",
        ">Draft<",
        f'href="/admin/portfolios/portfolio/{portfolio.pk}/change/"',
    ):
        assert shown in page
    assert "/second.png" not in page, "originals are not shown"
    assert page.index("second_thumbnail") > page.index("cover_thumbnail")


def test_says_what_is_published(site: Site) -> None:
    page = site.get(path(make_portfolio())).content.decode()

    assert ">Published<" in page
    assert ">Draft<" not in page


def test_shows_an_entry_with_next_to_nothing(site: Site) -> None:
    portfolio = make_portfolio(description=None)

    page = site.get(path(portfolio)).content.decode()

    assert portfolio.title in page
    for absent in ("Gallery", "Links", "Details", "<dialog", "None"):
        assert absent not in page


@pytest.mark.parametrize("view", ["", "?as=json"])
def test_escapes_everything(site: Site, view: str) -> None:
    portfolio = make_portfolio(
        title=SCRIPT,
        excerpt=SCRIPT,
        description=SCRIPT,
        employer=make_employer(name=SCRIPT),
        tags=[make_tag(name=SCRIPT)],
        image=make_image(alt=SCRIPT, name=SCRIPT),
    )
    make_link(portfolio, name=SCRIPT, description=SCRIPT)
    make_meta(portfolio, key=SCRIPT, value_text=SCRIPT)

    page = site.get(path(portfolio, view)).content.decode()

    assert "<script>" not in page
    assert "alert(" in page
    assert not re.search(r"\son\w+=", page)


def test_needs_no_inline_script_or_style(site: Site) -> None:
    page = site.get(path(complete())).content.decode()

    assert re.findall(r"<script([^>]*)>", page) == [' type="module" src="/static/folio/portfolios/preview.js"']
    assert "<style" not in page
    assert " style=" not in page


def test_shows_the_json_that_the_api_answers(site: Site, client: Client) -> None:
    portfolio = complete(title='Quote " and \\ 1 true null', is_active=False, description="Straße\t{[:]}, -1.5e3")

    page = site.get(path(portfolio, "?as=json")).content.decode()

    shown = html.unescape(re.sub(r"<[^>]+>", "", page[page.index('<pre class="json"') : page.rindex("</pre>")]))
    assert json.loads(shown) == client.get(f"/api/portfolios/{portfolio.pk}/").json()
    assert '<span class="json-key">&quot;title&quot;</span>' in page
    assert f'<span class="json-number">{portfolio.pk}</span>' in page
    assert '<span class="json-word">false</span>' in page


def test_gives_commands_without_a_key(site: Site) -> None:
    portfolio = make_portfolio(slug="خانه")

    page = html.unescape(site.get(path(portfolio, "?as=json")).content.decode())

    command = 'curl --header "Authorization: Token YOUR_KEY" "http://testserver/api/portfolios'
    assert f'{command}/{portfolio.pk}/"' in page
    assert f'{command}/slug/%D8%AE%D8%A7%D9%86%D9%87/"' in page


@pytest.mark.parametrize("view", ["", "?as=json"])
def test_takes_the_same_queries_for_any_entry(site: Site, view: str) -> None:
    def queries(portfolio: Portfolio) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert site.get(path(portfolio, view)).status_code == 200
        return len(captured)

    small = complete()
    large = complete(employer="Another")
    large.images.add(*(make_media() for _ in range(50)), through_defaults={"place": 3})
    for number in range(30):
        make_link(large, place=number, image=make_media())
        make_meta(large, place=number)
    queries(small)

    assert queries(large) == queries(small) <= 14


def test_is_for_those_who_may_view(site_for: Callable[[User], Site], staff: User, stranger: User) -> None:
    portfolio = make_portfolio(is_active=False)
    drafter = make_user(is_staff=True)
    drafter.user_permissions.add(Permission.objects.get(codename="draft_portfolio"))

    assert site_for(make_user(is_staff=True, codes=[4203])).get(path(portfolio)).status_code == 200
    assert site_for(drafter).get(path(portfolio)).status_code == 200
    assert site_for(staff).get(path(portfolio)).status_code == 403
    for reader in (site_for(stranger), Site()):
        assert reader.get(path(portfolio)).headers["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("pk", ["0", "999999", "-1", "x", "9" * 18, "9" * 25, "9" * 5000, str(2**64), "١"])
def test_answers_with_not_found_for_none(site: Site, pk: str) -> None:
    assert site.get(f"/admin/portfolios/portfolio/{pk}/preview/").status_code == 404


def test_is_offered_in_the_form_and_the_list(site: Site) -> None:
    portfolio = make_portfolio()

    for page in ("/admin/portfolios/portfolio/", f"/admin/portfolios/portfolio/{portfolio.pk}/change/"):
        assert f'href="{path(portfolio)}"' in site.get(page).content.decode()
