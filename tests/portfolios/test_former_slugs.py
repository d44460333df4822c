"""Slugs that portfolios had go on leading to them."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext

from folio.portfolios import former
from folio.portfolios.duplicating import duplicate
from folio.portfolios.former import former_slugs
from folio.portfolios.models import FormerSlug, Portfolio
from tests.conftest import Client
from tests.factories import make_portfolio
from tests.forms import errors, shown_values


def path_of(portfolio: Portfolio) -> str:
    return f"/api/portfolios/{portfolio.pk}/"


def leads_to() -> dict[str, int]:
    """Return to which portfolio each former slug leads."""
    return dict(FormerSlug.objects.order_by("pk").values_list("slug", "portfolio"))


@pytest.fixture
def portfolio(db: None) -> Portfolio:
    return make_portfolio(slug="a")


@pytest.mark.parametrize("method", ["put", "patch"])
def test_are_kept_where_the_api_changes_one(client: Client, portfolio: Portfolio, method: str) -> None:
    body = {"title": portfolio.title, "slug": "b", "excerpt": "x"}

    assert getattr(client, method)(path_of(portfolio), body).status_code == 200

    assert leads_to() == {"a": portfolio.pk}


def test_are_kept_where_the_admin_s_form_changes_one(site: Site, portfolio: Portfolio) -> None:
    url = f"/admin/portfolios/portfolio/{portfolio.pk}/change/"

    answer = site.post(url, {**shown_values(site.get(url)), "slug": "b"})

    assert answer.status_code == 302, errors(answer)
    assert leads_to() == {"a": portfolio.pk}


def test_are_kept_where_an_earlier_version_is_brought_back(client: Client, site: Site, portfolio: Portfolio) -> None:
    client.patch(path_of(portfolio), {"order": 1})
    first = LogEntry.objects.get().pk
    client.patch(path_of(portfolio), {"slug": "b"})

    site.post(f"/admin/portfolios/portfolio/{portfolio.pk}/history/{first}/restore/", {"post": "yes"})

    portfolio.refresh_from_db()
    assert portfolio.slug == "a"
    assert leads_to() == {"b": portfolio.pk}


def test_all_of_a_chain_lead_to_the_present_one(client: Client, portfolio: Portfolio) -> None:
    for slug in ("b", "c", "d"):
        client.patch(path_of(portfolio), {"slug": slug})

    assert leads_to() == dict.fromkeys(("a", "b", "c"), portfolio.pk)


def test_one_that_comes_back_is_no_former_one(client: Client, portfolio: Portfolio) -> None:
    for slug in ("b", "a"):
        client.patch(path_of(portfolio), {"slug": slug})

    assert leads_to() == {"b": portfolio.pk}


def test_nothing_is_kept_where_the_slug_stays(client: Client, portfolio: Portfolio) -> None:
    client.patch(path_of(portfolio), {"slug": "a", "title": "Other"})
    client.patch(path_of(portfolio), {"slug": "two words"})
    client.patch(path_of(portfolio), {"slug": "b", "title": ""})

    assert leads_to() == {}


def test_one_may_become_another_s_present_one(client: Client, portfolio: Portfolio) -> None:
    client.patch(path_of(portfolio), {"slug": "b"})

    made = client.post("/api/portfolios/", {"title": "New", "slug": "a", "excerpt": "x"})

    assert made.status_code == 201
    assert client.get("/api/portfolios/slug/a/").json()["id"] == made.json()["id"]
    assert former_slugs(portfolio) == [], "it can't be found by it meanwhile"
    client.delete(path_of(Portfolio(pk=made.json()["id"])))
    assert former_slugs(portfolio) == ["a"], "and can again, once it is nobody's"


def test_of_two_that_gave_one_up_the_last_has_it(client: Client, portfolio: Portfolio) -> None:
    client.patch(path_of(portfolio), {"slug": "b"})
    other = make_portfolio(slug="a")

    client.patch(path_of(other), {"slug": "c"})

    assert leads_to() == {"a": other.pk}


def test_go_with_their_portfolio(client: Client, portfolio: Portfolio) -> None:
    client.patch(path_of(portfolio), {"slug": "b"})

    assert client.delete(path_of(portfolio)).status_code == 204

    assert leads_to() == {}


def test_a_copy_has_none(client: Client, portfolio: Portfolio) -> None:
    client.patch(path_of(portfolio), {"slug": "b"})

    duplicate(portfolio.pk)

    assert leads_to() == {"a": portfolio.pk}


def test_are_bounded_the_latest_are_kept(client: Client, portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(former, "MOST", 3)

    for slug in "bcdefg":
        client.patch(path_of(portfolio), {"slug": slug})

    assert list(leads_to()) == ["d", "e", "f"]


def test_a_change_of_the_slug_costs_two_queries(client: Client, portfolio: Portfolio) -> None:
    def queries(body: dict[str, Any]) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.patch(path_of(portfolio), body).status_code == 200
        return len(captured)

    queries({"slug": "b"})

    assert queries({"slug": "c"}) - queries({"title": "Other"}) == 2
