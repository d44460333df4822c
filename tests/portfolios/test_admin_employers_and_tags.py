"""Employers and tags in the admin site: their names, their deletion, and their lists."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext

from folio.portfolios.models import Employer, Tag
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
from tests.forms import errors

from .entries import LIST, age, is_touched


@pytest.mark.parametrize(("model", "name"), [(Employer, "employer"), (Tag, "tag")])
def test_refuses_a_name_that_is_taken(site: Site, model: Any, name: str) -> None:
    model.objects.create(name="taken")

    page = site.post(f"/admin/portfolios/{name}/add/", {"name": "taken"})

    assert errors(page) == {"name": [f"{name.capitalize()} with this Name already exists."]}
    assert model.objects.count() == 1


def test_keeps_an_employer_that_a_portfolio_names(site: Site) -> None:
    employer = make_employer()
    portfolio = make_portfolio(employer=employer)

    page = site.post(f"/admin/portfolios/employer/{employer.pk}/delete/", {"post": "yes"})

    assert page.status_code == 200
    html = page.content.decode()
    assert "can’t be deleted, because portfolios name it as their employer" in html
    assert f'href="{LIST}{portfolio.pk}/change/"' in html
    assert Employer.objects.exists()


def test_names_some_of_the_many_portfolios_that_keep_an_employer(site: Site) -> None:
    employer = make_employer()
    for _ in range(23):
        make_portfolio(employer=employer)

    page = site.get(f"/admin/portfolios/employer/{employer.pk}/delete/").content.decode()

    assert page.count('/change/" class="text-link"') == 20
    assert "and 3 more" in page
    assert "Yes, I’m sure" not in page


def test_hides_who_keeps_an_employer_from_those_who_may_not_see_portfolios(site_for: Callable[[User], Site]) -> None:
    site = site_for(make_user(is_staff=True, codes=[4212, 4215]))
    employer = make_employer()
    portfolio = make_portfolio(employer=employer)

    page = site.post(f"/admin/portfolios/employer/{employer.pk}/delete/", {"post": "yes"}).content.decode()

    assert "1 portfolio" in page
    assert portfolio.title not in page
    assert Employer.objects.exists()


def test_says_from_how_many_portfolios_a_tag_goes(site: Site) -> None:
    tag = make_tag(name="print")
    for _ in range(3):
        make_portfolio(tags=[tag])

    page = site.get(f"/admin/portfolios/tag/{tag.pk}/delete/").content.decode()

    assert "It is taken off 3 portfolios." in page
    assert site.post(f"/admin/portfolios/tag/{tag.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Tag.objects.exists()


@pytest.mark.parametrize("how", ["one", "selected"])
def test_lists_with_a_deleted_entry_what_goes_with_it_and_nothing_else(site: Site, how: str) -> None:
    media = make_media(name="stays.jpg")
    portfolio = make_portfolio(title="Quay", images=[media], image=media, tags=[make_tag(name="print stays")])
    make_link(portfolio, name="goes by link")
    make_meta(portfolio, key="goes by meta")

    selected = {"action": "delete_selected", "_selected_action": [portfolio.pk]}
    page = site.get(f"{LIST}{portfolio.pk}/delete/") if how == "one" else site.post(LIST, selected)
    told = page.content.decode().partition("<main")[2] or page.content.decode()

    assert page.status_code == 200
    for name in ("Quay", "Link: goes by link", "Meta: goes by meta"):
        assert name in told
    for name in ("stays.jpg", "print stays", "Portfolio image", "Portfolio tag", "relationship"):
        assert name.casefold() not in told.casefold()


def test_takes_a_deleted_tag_off_its_portfolios_and_touches_them(site: Site) -> None:
    tag = make_tag()
    portfolio, other = make_portfolio(tags=[tag]), make_portfolio()
    age(portfolio, other)

    site.post("/admin/portfolios/tag/", {"action": "delete_selected", "_selected_action": [tag.pk], "post": "yes"})

    assert not portfolio.tags.exists()
    assert is_touched(portfolio)
    assert not is_touched(other)


@pytest.mark.parametrize("model", ["employer", "tag", "link", "metaentry"])
def test_lists_the_other_resources_with_the_same_queries(site: Site, model: str) -> None:
    def fill(count: int) -> None:
        for _ in range(count):
            portfolio = make_portfolio()
            make_employer(image=make_image())
            make_tag(image=make_image())
            make_link(portfolio)
            make_meta(portfolio)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert site.get(f"/admin/portfolios/{model}/").status_code == 200
        return len(captured)

    fill(1)
    site.get(LIST)
    at_one = queries()
    fill(9)

    assert queries() == at_one


@pytest.mark.parametrize("resource", ["employer", "link", "metaentry", "portfolio", "tag"])
def test_loads_what_a_form_needs_with_the_form_only(site: Site, resource: str) -> None:
    url = f"/admin/portfolios/{resource}/"

    listed, form = (site.get(page).content.decode() for page in (url, f"{url}add/"))

    assert "folio/form." not in listed
    assert "folio/portfolios/form.css" in form
    assert "folio/admin/form.js" in form
