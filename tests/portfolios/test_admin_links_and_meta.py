"""Links and meta that are changed by themselves keep their places and touch their portfolios."""

import pytest
from django.test import Client as Site

from folio.portfolios.models import Link, MetaEntry
from tests.factories import make_link, make_meta, make_portfolio
from tests.forms import errors, shown_values

from .entries import age, is_touched, links, meta


def test_adds_a_link_last_and_touches_its_portfolio(site: Site) -> None:
    portfolio = make_portfolio()
    make_link(portfolio, name="first", place=4)
    age(portfolio)

    site.post("/admin/portfolios/link/add/", {"portfolio": portfolio.pk, "name": "second"})

    assert links(portfolio) == ["first", "second"]
    assert is_touched(portfolio)


def test_moves_a_meta_last_and_touches_both_portfolios(site: Site) -> None:
    here, there = make_portfolio(), make_portfolio()
    moved = make_meta(here, key="moved")
    make_meta(there, key="first", place=3)
    age(here, there)

    url = f"/admin/portfolios/metaentry/{moved.pk}/change/"
    site.post(url, {**shown_values(site.get(url)), "portfolio": there.pk})

    assert list(meta(there).values()) == ["first", "moved"]
    assert not meta(here)
    assert is_touched(here)
    assert is_touched(there)


def test_keeps_the_place_of_a_link_that_is_changed(site: Site) -> None:
    portfolio = make_portfolio()
    link = make_link(portfolio, name="a", place=0)
    make_link(portfolio, name="b", place=1)
    age(portfolio)

    url = f"/admin/portfolios/link/{link.pk}/change/"
    site.post(url, {**shown_values(site.get(url)), "name": "changed", "url": "http://x.org"})

    assert links(portfolio) == ["changed", "b"]
    assert is_touched(portfolio)


@pytest.mark.parametrize("at_once", [True, False], ids=["several", "one"])
def test_deletes_links_and_touches_their_portfolios(site: Site, at_once: bool) -> None:
    here, there, untouched = make_portfolio(), make_portfolio(), make_portfolio()
    deleted = [make_link(here), make_link(there)]
    make_link(untouched, name="kept")
    age(here, there, untouched)

    if at_once:
        action = {"action": "delete_selected", "_selected_action": [link.pk for link in deleted], "post": "yes"}
        site.post("/admin/portfolios/link/", action)
    else:
        for link in deleted:
            site.post(f"/admin/portfolios/link/{link.pk}/delete/", {"post": "yes"})

    assert [link.name for link in Link.objects.all()] == ["kept"]
    assert is_touched(here)
    assert is_touched(there)
    assert not is_touched(untouched)


def test_refuses_a_meta_whose_key_the_portfolio_has(site: Site) -> None:
    portfolio = make_portfolio()
    make_meta(portfolio, key="camera")

    page = site.post("/admin/portfolios/metaentry/add/", {"portfolio": portfolio.pk, "key": "camera"})

    assert errors(page) == {"key": ["This portfolio already has a meta with this key."]}
    assert MetaEntry.objects.count() == 1
