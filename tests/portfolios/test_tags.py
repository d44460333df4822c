from typing import Any

import pytest

from folio.portfolios.models import Portfolio, PortfolioTag, Tag
from tests import shapes
from tests.conftest import Client
from tests.factories import make_image, make_media, make_portfolio, make_tag

PATH = "/api/tags/"
NO_ID = 999_999


def names(client: Client, **parameters: Any) -> list[str]:
    response = client.get(PATH, parameters)
    assert response.status_code == 200, response.json()
    return [row["name"] for row in response.json()["results"]]


def without_slug(answer: dict[str, Any]) -> dict[str, Any]:
    """Return a tag as portfolios show it."""
    return {name: value for name, value in answer.items() if name != "slug"}


def test_create_answers_what_was_made(client: Client) -> None:
    image = make_image()

    response = client.post(PATH, {"name": "sites", "image": image.pk})

    answer = response.json()
    tag = Tag.objects.get()
    assert response.status_code == 201
    assert response.headers["Location"] == f"http://testserver/api/tags/{tag.pk}/"
    assert list(answer) == shapes.SLUGGED_TAG
    assert (answer["id"], answer["name"]) == (tag.pk, "sites")
    assert list(answer["image_data"]) == shapes.IMAGE
    assert answer["image_data"]["id"] == image.pk
    assert client.get(response.headers["Location"]).json() == answer


def test_create_needs_no_more_than_a_name(client: Client) -> None:
    answer = client.post(PATH, {"name": "sites"}).json()

    assert answer == {"id": answer["id"], "name": "sites", "image_data": None, "slug": "sites"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", " "),
        ("name", None),
        ("name", "x" * 101),
        ("name", "a\0b"),
        ("image", NO_ID),
        ("image", "x"),
        ("image", 2**70),
        ("description", "x"),
        ("portfolios", [1]),
    ],
)
def test_create_refuses_what_breaks_a_rule(client: Client, field: str, value: Any) -> None:
    response = client.post(PATH, {"name": "sites", field: value})

    assert response.status_code == 400
    assert list(response.json()) == [field]
    assert not Tag.objects.exists()


def test_create_requires_a_name(client: Client) -> None:
    assert client.post(PATH, {}).json() == {"name": ["This field is required."]}


def test_takes_a_name_of_100_characters(client: Client) -> None:
    assert client.post(PATH, {"name": "ж" * 100}).status_code == 201


def test_names_the_field_of_a_duplicate(client: Client) -> None:
    taken, other = make_tag(name="print"), make_tag()

    for response in (
        client.post(PATH, {"name": "print"}),
        client.put(f"{PATH}{other.pk}/", {"name": "print"}),
        client.patch(f"{PATH}{other.pk}/", {"name": "print"}),
    ):
        assert response.status_code == 400
        assert response.json() == {"name": ["tag with this name already exists."]}
    assert Tag.objects.count() == 2
    assert client.patch(f"{PATH}{taken.pk}/", {"name": "print"}).status_code == 200


def test_refuses_media_that_is_no_image(client: Client) -> None:
    response = client.post(PATH, {"name": "sites", "image": make_media(type="video").pk})

    assert response.status_code == 400
    assert list(response.json()) == ["image"]


@pytest.mark.parametrize("method", ["put", "patch"])
def test_update_keeps_what_it_leaves_out(client: Client, method: str) -> None:
    tag = make_tag(image=make_media())
    portfolio = make_portfolio(tags=[tag])
    before = client.get(f"{PATH}{tag.pk}/").json()

    response = getattr(client, method)(f"{PATH}{tag.pk}/", {"name": "renamed"})

    assert response.status_code == 200
    assert response.json() == {**before, "name": "renamed"}
    assert client.get(f"/api/portfolios/{portfolio.pk}/").json()["tags_data"] == [without_slug(response.json())]


def test_patch_changes_the_image_alone(client: Client) -> None:
    tag = make_tag(name="sites", image=make_media())

    assert client.patch(f"{PATH}{tag.pk}/", {"image": None}).json() == {
        "id": tag.pk,
        "name": "sites",
        "image_data": None,
        "slug": "sites",
    }


def test_put_requires_a_name(client: Client) -> None:
    response = client.put(f"{PATH}{make_tag().pk}/", {"image": None})

    assert response.status_code == 400
    assert response.json() == {"name": ["This field is required."]}


def test_takes_back_what_was_read_and_changes_nothing(client: Client) -> None:
    tag = make_tag(image=make_media())
    before = client.get(f"{PATH}{tag.pk}/").json()

    response = client.put(f"{PATH}{tag.pk}/", before)

    assert response.status_code == 200
    assert response.json() == before


def test_delete_takes_a_tag_off_its_portfolios(client: Client) -> None:
    tag, kept = make_tag(image=make_media()), make_tag()
    portfolio = make_portfolio(tags=[tag, kept])

    response = client.delete(f"{PATH}{tag.pk}/")

    assert response.status_code == 204
    assert response.content == b""
    assert list(Tag.objects.all()) == [kept]
    assert PortfolioTag.objects.count() == 1
    answer = client.get(f"/api/portfolios/{portfolio.pk}/").json()
    assert [row["id"] for row in answer["tags_data"]] == [kept.pk]
    assert Portfolio.objects.count() == 1
    assert client.get(f"/api/media/{tag.image_id}/").status_code == 200


def test_list_tells_with_from_without_an_image(client: Client) -> None:
    make_tag(name="image", image=make_media())
    make_tag(name="none")

    assert names(client, has_image="True") == ["image"]
    assert names(client, has_image="false") == ["none"]


def test_list_finds_the_tags_of_a_portfolio(client: Client) -> None:
    shared, own, other = make_tag(name="b"), make_tag(name="a"), make_tag(name="c")
    portfolio = make_portfolio(tags=[shared, own])
    make_portfolio(tags=[other, shared])

    assert names(client, portfolio_id=portfolio.pk) == ["a", "b"]
    assert names(client, portfolio_id=NO_ID) == []
    assert names(client, portfolio_id=2**70) == []


def test_list_is_ordered_by_name_unless_asked(client: Client) -> None:
    for name in ("b", "É", "a", "Z", "я"):
        make_tag(name=name)

    assert names(client) == ["Z", "a", "b", "É", "я"]
    assert names(client, ordering="-name") == ["я", "É", "b", "a", "Z"]
    assert names(client, ordering="-id") == ["я", "Z", "a", "É", "b"]


def test_list_searches_the_name(client: Client) -> None:
    make_tag(name="Web Straße")
    make_tag(name="web")

    assert names(client, search="STRASSE WEB") == ["Web Straße"]
    assert names(client, search="%") == []
