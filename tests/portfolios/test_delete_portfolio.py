import pytest

from folio.media.models import Media
from folio.portfolios.models import Employer, Link, MetaEntry, Portfolio, PortfolioImage, PortfolioTag, Tag
from tests.conftest import Client
from tests.factories import make_employer, make_link, make_media, make_meta, make_portfolio, make_tag


def test_answers_204_without_a_body(client: Client) -> None:
    portfolio = make_portfolio()

    response = client.delete(f"/api/portfolios/{portfolio.pk}/")

    assert response.status_code == 204
    assert response.content == b""
    assert not Portfolio.objects.exists()


def test_takes_links_and_meta_along_and_nothing_else(client: Client) -> None:
    cover, picture, link_image, file = (make_media() for _ in range(4))
    employer, tag = make_employer(), make_tag()
    portfolio = make_portfolio(image=cover, images=[picture], employer=employer, tags=[tag])
    make_link(portfolio, image=link_image)
    make_meta(portfolio, value_file=file)

    client.delete(f"/api/portfolios/{portfolio.pk}/")

    for model in (Portfolio, Link, MetaEntry, PortfolioImage, PortfolioTag):
        assert not model._default_manager.exists()
    assert Media.objects.count() == 4
    assert (Employer.objects.count(), Tag.objects.count()) == (1, 1)


def test_leaves_what_belongs_to_other_portfolios(client: Client) -> None:
    picture, tag = make_media(), make_tag()
    portfolio, other = (make_portfolio(images=[picture], tags=[tag]) for _ in range(2))
    link, entry = make_link(other), make_meta(other)
    before = client.get(f"/api/portfolios/{other.pk}/").json()

    client.delete(f"/api/portfolios/{portfolio.pk}/")

    assert client.get(f"/api/portfolios/{other.pk}/").json() == before
    assert [row["id"] for row in before["links_data"] + before["meta"]] == [link.pk, entry.pk]


def test_frees_the_title_and_the_slug(client: Client) -> None:
    portfolio = make_portfolio()

    client.delete(f"/api/portfolios/{portfolio.pk}/")

    body = {"title": portfolio.title, "slug": portfolio.slug, "excerpt": "Again."}
    assert client.post("/api/portfolios/", body).status_code == 201


def test_is_gone_for_every_request_afterwards(client: Client) -> None:
    portfolio = make_portfolio()
    path = f"/api/portfolios/{portfolio.pk}/"

    client.delete(path)

    assert client.get(path).status_code == 404
    assert client.get(f"/api/portfolios/slug/{portfolio.slug}/").status_code == 404
    assert client.patch(path, {"order": 1}).status_code == 404
    assert client.delete(path).status_code == 404
    assert client.get("/api/portfolios/").json()["count"] == 0


@pytest.mark.parametrize("pk", [999_999, 2**63, 10**30])
def test_answers_404_for_an_unknown_id(client: Client, pk: int) -> None:
    make_portfolio()

    response = client.delete(f"/api/portfolios/{pk}/")

    assert response.status_code == 404
    assert response.json() == {"detail": f"There is no portfolio with the id {pk}."}
    assert Portfolio.objects.count() == 1


def test_refuses_parameters(client: Client) -> None:
    portfolio = make_portfolio()

    response = client.delete(f"/api/portfolios/{portfolio.pk}/?force=1")

    assert response.status_code == 400
    assert list(response.json()) == ["force"]
    assert Portfolio.objects.count() == 1
