from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests import shapes
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

NO_ID = 999_999


def test_answers_the_full_form_key_by_key(client: Client) -> None:
    image = make_image()
    portfolio = make_portfolio(
        image=image, employer=make_employer(image=image), tags=[make_tag(image=image)], images=[image]
    )
    make_link(portfolio, image=image)
    make_meta(portfolio, value_file=image)

    response = client.get(f"/api/portfolios/{portfolio.pk}/")

    answer = response.json()
    pictures = [
        answer["image_data"],
        answer["employer_data"]["image_data"],
        answer["tags_data"][0]["image_data"],
        answer["links_data"][0]["image_data"],
        answer["images_data"][0],
    ]
    assert response.status_code == 200
    assert list(answer) == shapes.PORTFOLIO
    assert list(answer["employer_data"]) == shapes.EMPLOYER
    assert [list(tag) for tag in answer["tags_data"]] == [shapes.TAG]
    assert [list(link) for link in answer["links_data"]] == [shapes.LINK]
    assert [list(entry) for entry in answer["meta"]] == [shapes.META]
    assert list(answer["meta"][0]["value_file"]) == shapes.FILE
    assert [list(picture) for picture in pictures] == [shapes.IMAGE] * 5
    assert [picture["id"] for picture in pictures] == [image.pk] * 5
    for picture in pictures:
        assert [list(thumbnail) for thumbnail in picture["thumbnails"]] == [shapes.THUMBNAIL] * 4
        assert [thumbnail["size"] for thumbnail in picture["thumbnails"]] == [64, 128, 512, 1080]
        assert picture["f"] == f"http://testserver/media/{image.file.name}"


def test_shows_each_picture_where_it_belongs(client: Client) -> None:
    cover, logo, badge, icon, shot, file = (make_media() for _ in range(6))
    portfolio = make_portfolio(
        image=cover, employer=make_employer(image=logo), tags=[make_tag(image=badge)], images=[shot, cover]
    )
    make_link(portfolio, image=icon)
    make_meta(portfolio, value_file=file)

    answer = client.get(f"/api/portfolios/{portfolio.pk}/").json()

    assert answer["image_data"]["id"] == cover.pk
    assert answer["employer_data"]["image_data"]["id"] == logo.pk
    assert answer["tags_data"][0]["image_data"]["id"] == badge.pk
    assert answer["links_data"][0]["image_data"]["id"] == icon.pk
    assert [image["id"] for image in answer["images_data"]] == [shot.pk, cover.pk]
    assert answer["meta"][0]["value_file"]["id"] == file.pk


def test_answers_what_is_absent_with_null_or_an_empty_list(client: Client) -> None:
    answer = client.get(f"/api/portfolios/{make_portfolio().pk}/").json()

    assert list(answer) == shapes.PORTFOLIO
    for name in ("image_data", "employer_data", "completed_at", "description"):
        assert answer[name] is None
    for name in ("tags_data", "links_data", "images_data", "meta"):
        assert answer[name] == []


def test_keeps_microseconds_only_where_there_are_any(client: Client) -> None:
    portfolio = make_portfolio(completed_at=datetime(2024, 12, 12, 8, 30, tzinfo=UTC))
    type(portfolio).objects.update(
        created_at=datetime(2026, 3, 3, 17, 49, 52, 477954, tzinfo=UTC), updated_at=datetime(2026, 3, 4, tzinfo=UTC)
    )

    answer = client.get(f"/api/portfolios/{portfolio.pk}/").json()

    assert answer["completed_at"] == "2024-12-12T08:30:00Z"
    assert answer["created_at"] == "2026-03-03T17:49:52.477954Z"
    assert answer["updated_at"] == "2026-03-04T00:00:00Z"


def test_keeps_what_belongs_to_other_portfolios_out(client: Client) -> None:
    portfolio = make_portfolio()
    other = make_portfolio(images=[make_media()], tags=[make_tag()])
    make_link(other)
    make_meta(other)

    answer = client.get(f"/api/portfolios/{portfolio.pk}/").json()

    assert [answer[name] for name in ("tags_data", "links_data", "images_data", "meta")] == [[], [], [], []]


def test_answers_the_same_by_id_and_by_slug(client: Client) -> None:
    portfolio = make_portfolio(slug="وب-سایت", images=[make_media()], tags=[make_tag()])
    make_portfolio()

    by_id = client.get(f"/api/portfolios/{portfolio.pk}/")
    by_slug = client.get("/api/portfolios/slug/وب-سایت/")

    assert by_slug.status_code == 200
    assert by_slug.content == by_id.content


def test_shows_a_portfolio_that_is_not_active(client: Client) -> None:
    portfolio = make_portfolio(is_active=False)

    assert client.get(f"/api/portfolios/{portfolio.pk}/").json()["is_active"] is False
    assert client.get(f"/api/portfolios/slug/{portfolio.slug}/").json()["is_active"] is False


@pytest.mark.parametrize("pk", [NO_ID, 0, 2**63, 10**30])
def test_answers_404_for_an_unknown_id(client: Client, pk: int) -> None:
    make_portfolio()

    response = client.get(f"/api/portfolios/{pk}/")

    assert response.status_code == 404
    assert response.json() == {"detail": f"There is no portfolio with the id {pk}."}


@pytest.mark.parametrize("path", ["first", "-1", "1.5", "1e3"])
def test_answers_404_for_what_is_no_id(client: Client, path: str) -> None:
    response = client.get(f"/api/portfolios/{path}/")

    assert response.status_code == 404
    assert list(response.json()) == ["detail"]


@pytest.mark.parametrize("slug", ["other", "SLUG", "slu", "slug%00", "%F0%9F%8E%A8", "a" * 300])
def test_answers_404_for_an_unknown_slug(client: Client, slug: str) -> None:
    make_portfolio(slug="slug")

    response = client.get(f"/api/portfolios/slug/{slug}/")

    assert response.status_code == 404
    assert list(response.json()) == ["detail"]


def test_does_not_take_an_id_for_a_slug(client: Client) -> None:
    portfolio = make_portfolio()

    assert client.get(f"/api/portfolios/slug/{portfolio.pk}/").status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_slug_is_only_read_by(client: Client, method: str) -> None:
    portfolio = make_portfolio()

    response = getattr(client, method)(f"/api/portfolios/slug/{portfolio.slug}/", {"order": 5})

    assert response.status_code == 405
    assert client.get(f"/api/portfolios/{portfolio.pk}/").json()["order"] == 0


@pytest.mark.parametrize("by", ["id", "slug"])
def test_refuses_parameters(client: Client, by: str) -> None:
    portfolio = make_portfolio()
    path = f"/api/portfolios/{portfolio.pk}/" if by == "id" else f"/api/portfolios/slug/{portfolio.slug}/"

    response = client.get(path, {"is_active": "true"})

    assert response.status_code == 400
    assert list(response.json()) == ["is_active"]


@pytest.mark.parametrize("by", ["id", "slug"])
@pytest.mark.django_db
def test_needs_its_own_code(client_for: Callable[..., Client], by: str) -> None:
    portfolio = make_portfolio()
    path = f"/api/portfolios/{portfolio.pk}/" if by == "id" else f"/api/portfolios/slug/{portfolio.slug}/"
    viewer = make_user(is_staff=True, codes=[4203])

    assert client_for(viewer, codes=[4203]).get(path).status_code == 200
    refusal = client_for(viewer, codes=[4202]).get(path)
    assert refusal.status_code == 403
    assert refusal.json()["permission_code"] == 4203
