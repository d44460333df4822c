"""Every search compares texts in the same way: in the API, in the admin site and while one types."""

import pytest
from django.test import Client as Site

from tests.conftest import Client
from tests.factories import make_employer, make_link, make_media, make_meta, make_portfolio, make_tag

NAME = "École e‐mail دیجی‌کالا كتاب ۱۴۰۳"
SEARCHES = ["ecole", "COLÉ", "email", "دیجیکالا", "کتاب", "1403", "ECOLE e-mail ١٤٠٣"]


@pytest.fixture(autouse=True)
def rows(db: None) -> None:
    portfolio = make_portfolio(title=NAME, employer=make_employer(name=NAME), tags=[make_tag(name=NAME)])
    make_link(portfolio, name=NAME)
    make_meta(portfolio, key=NAME)
    make_media(name=NAME)
    other = make_portfolio(title="Other", employer=make_employer(name="Other"), tags=[make_tag(name="Other")])
    make_link(other, name="Other")
    make_meta(other, key="Other")
    make_media(name="Other")


@pytest.mark.parametrize("resource", ["portfolios", "employers", "tags", "links", "meta", "media"])
def test_the_api(client: Client, resource: str) -> None:
    for search in SEARCHES:
        assert client.get(f"/api/{resource}/", {"search": search}).json()["count"] == 1, search
    for search in ("ecolex", "-", "1403 nothing"):
        assert client.get(f"/api/{resource}/", {"search": search}).json()["count"] == 0, search


@pytest.mark.parametrize("path", ["portfolio", "employer", "tag"])
def test_lists_of_the_admin_site(site: Site, path: str) -> None:
    for search in SEARCHES:
        page = site.get(f"/admin/portfolios/{path}/", {"q": search})
        assert [str(row) for row in page.context["cl"].result_list] == [NAME], search


@pytest.mark.parametrize(
    ("model", "field"), [("portfolio", "employer"), ("portfoliotag", "tag"), ("link", "portfolio")]
)
def test_names_that_are_typed(site: Site, model: str, field: str) -> None:
    query = {"app_label": "portfolios", "model_name": model, "field_name": field}
    for search in SEARCHES:
        found = site.get("/admin/autocomplete/", {**query, "term": search}).json()["results"]
        assert [row["text"] for row in found] == [NAME], search


def test_the_media_that_an_entry_shows(site: Site) -> None:
    cover = make_media(name="cover")
    make_portfolio(title="Muséum", image=cover)

    for search in ("museum", "MUSÉ cover"):
        page = site.get("/admin/media/media/", {"q": search})
        assert [row.pk for row in page.context["cl"].result_list] == [cover.pk], search
