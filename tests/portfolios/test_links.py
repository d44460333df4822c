from typing import Any

import pytest

from folio.portfolios.models import Link
from tests import shapes
from tests.conftest import Client
from tests.factories import make_image, make_link, make_media, make_portfolio

PATH = "/api/links/"
KEYS = [*shapes.LINK, "portfolio"]
NO_ID = 999_999


def ids(client: Client, **parameters: Any) -> list[int]:
    response = client.get(PATH, parameters)
    assert response.status_code == 200, response.json()
    return [row["id"] for row in response.json()["results"]]


def links_data(client: Client, portfolio: Any) -> list[int]:
    return [link["id"] for link in client.get(f"/api/portfolios/{portfolio.pk}/").json()["links_data"]]


def test_create_answers_what_was_made(client: Client) -> None:
    portfolio, image = make_portfolio(), make_image()

    response = client.post(
        PATH,
        {
            "portfolio": portfolio.pk,
            "name": "site_url",
            "url": "https://digikala.com",
            "description": "the website url",
            "image": image.pk,
        },
    )

    answer = response.json()
    link = Link.objects.get()
    assert response.status_code == 201
    assert response.headers["Location"] == f"http://testserver/api/links/{link.pk}/"
    assert list(answer) == KEYS
    assert answer["id"] == link.pk
    assert (answer["name"], answer["url"]) == ("site_url", "https://digikala.com")
    assert (answer["description"], answer["portfolio"]) == ("the website url", portfolio.pk)
    assert list(answer["image_data"]) == shapes.IMAGE
    assert answer["image_data"]["id"] == image.pk
    assert client.get(response.headers["Location"]).json() == answer


def test_create_needs_no_more_than_a_portfolio_and_a_name(client: Client) -> None:
    portfolio = make_portfolio()

    answer = client.post(PATH, {"portfolio": portfolio.pk, "name": "site"}).json()

    assert answer == {
        "id": answer["id"],
        "name": "site",
        "url": None,
        "image_data": None,
        "description": None,
        "portfolio": portfolio.pk,
    }


@pytest.mark.parametrize("field", ["portfolio", "name"])
@pytest.mark.parametrize("method", ["post", "put"])
def test_requires_a_portfolio_and_a_name(client: Client, method: str, field: str) -> None:
    portfolio = make_portfolio()
    path = PATH if method == "post" else f"{PATH}{make_link(portfolio).pk}/"
    body = {"portfolio": portfolio.pk, "name": "other"}
    del body[field]

    response = getattr(client, method)(path, body)

    assert response.status_code == 400
    assert response.json() == {field: ["This field is required."]}
    assert not Link.objects.filter(name="other").exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("portfolio", NO_ID),
        ("portfolio", None),
        ("portfolio", "x"),
        ("portfolio", 2**70),
        ("name", ""),
        ("name", " "),
        ("name", None),
        ("name", "x" * 201),
        ("url", ""),
        ("url", "example.com"),
        ("url", "ftp://example.com"),
        ("url", "javascript:alert(1)"),
        ("url", f"https://example.com/{'x' * 2000}"),
        ("description", {}),
        ("image", NO_ID),
        ("place", 3),
        ("link", "https://example.com"),
    ],
)
@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_refuses_what_breaks_a_rule(client: Client, method: str, field: str, value: Any) -> None:
    portfolio = make_portfolio()
    link = make_link(portfolio)
    before = client.get(f"{PATH}{link.pk}/").json()

    response = getattr(client, method)(
        PATH if method == "post" else f"{PATH}{link.pk}/", {"portfolio": portfolio.pk, "name": "other", field: value}
    )

    assert response.status_code == 400
    assert list(response.json()) == [field]
    assert Link.objects.count() == 1
    assert client.get(f"{PATH}{link.pk}/").json() == before


def test_refuses_media_that_is_no_image(client: Client) -> None:
    body = {"portfolio": make_portfolio().pk, "name": "site", "image": make_media(type="audio").pk}

    response = client.post(PATH, body)

    assert response.status_code == 400
    assert list(response.json()) == ["image"]


def test_takes_a_name_that_another_link_has(client: Client) -> None:
    portfolio = make_portfolio()
    make_link(portfolio, name="x" * 200)

    assert client.post(PATH, {"portfolio": portfolio.pk, "name": "x" * 200}).status_code == 201


def test_keeps_an_empty_description_apart_from_none(client: Client) -> None:
    body = {"portfolio": make_portfolio().pk, "name": "site"}

    assert client.post(PATH, {**body, "description": ""}).json()["description"] == ""
    assert client.post(PATH, {**body, "description": None}).json()["description"] is None


def test_a_new_link_comes_last_in_its_portfolio(client: Client) -> None:
    portfolio = make_portfolio()
    first, second = make_link(portfolio, place=4), make_link(portfolio, place=7)
    make_link(make_portfolio(), place=20)

    new = [client.post(PATH, {"portfolio": portfolio.pk, "name": name}).json()["id"] for name in ("a", "b")]

    assert links_data(client, portfolio) == [first.pk, second.pk, *new]


def test_a_new_link_comes_last_after_the_list_was_arranged_anew(client: Client) -> None:
    portfolio = make_portfolio()
    first, second = make_link(portfolio, place=0), make_link(portfolio, place=1)
    client.patch(f"/api/portfolios/{portfolio.pk}/", {"links": [{"id": second.pk}, {"id": first.pk}]})

    new = client.post(PATH, {"portfolio": portfolio.pk, "name": "new"}).json()["id"]

    assert links_data(client, portfolio) == [second.pk, first.pk, new]


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_changed_link_stays_in_its_place(client: Client, method: str) -> None:
    portfolio = make_portfolio()
    links = [make_link(portfolio, place=place) for place in range(3)]

    getattr(client, method)(f"{PATH}{links[0].pk}/", {"portfolio": portfolio.pk, "name": "renamed"})

    assert links_data(client, portfolio) == [link.pk for link in links]


def test_a_moved_link_comes_last_in_its_new_portfolio(client: Client) -> None:
    old, new = make_portfolio(), make_portfolio()
    moved, stays = make_link(old, place=0), make_link(old, place=1)
    there = [make_link(new, place=place) for place in range(2)]

    response = client.patch(f"{PATH}{moved.pk}/", {"portfolio": new.pk})

    assert response.json()["portfolio"] == new.pk
    assert links_data(client, new) == [there[0].pk, there[1].pk, moved.pk]
    assert links_data(client, old) == [stays.pk]


@pytest.mark.parametrize("method", ["put", "patch"])
def test_update_keeps_what_it_leaves_out(client: Client, method: str) -> None:
    portfolio = make_portfolio()
    link = make_link(portfolio, description="live", image=make_media())
    before = client.get(f"{PATH}{link.pk}/").json()

    response = getattr(client, method)(f"{PATH}{link.pk}/", {"portfolio": portfolio.pk, "name": "renamed"})

    assert response.status_code == 200
    assert response.json() == {**before, "name": "renamed"}
    assert client.get(f"{PATH}{link.pk}/").json() == response.json()


def test_patch_takes_values_away_with_null(client: Client) -> None:
    link = make_link(make_portfolio(), description="live", image=make_media())

    answer = client.patch(f"{PATH}{link.pk}/", {"url": None, "description": None, "image": None}).json()

    assert (answer["name"], answer["url"], answer["description"], answer["image_data"]) == ("site", None, None, None)


def test_takes_back_what_was_read_and_changes_nothing(client: Client) -> None:
    link = make_link(make_portfolio(), image=make_media())
    before = client.get(f"{PATH}{link.pk}/").json()

    response = client.put(f"{PATH}{link.pk}/", before)

    assert response.status_code == 200
    assert response.json() == before


def test_delete_removes_a_link_and_neither_portfolio_nor_media(client: Client) -> None:
    portfolio = make_portfolio()
    link, kept = make_link(portfolio, image=make_media()), make_link(portfolio)

    response = client.delete(f"{PATH}{link.pk}/")

    assert response.status_code == 204
    assert response.content == b""
    assert links_data(client, portfolio) == [kept.pk]
    assert client.get(f"/api/media/{link.image_id}/").status_code == 200


def test_list_answers_every_key(client: Client) -> None:
    link = make_link(make_portfolio(), image=make_media())

    (row,) = client.get(PATH).json()["results"]

    assert list(row) == KEYS
    assert row == client.get(f"{PATH}{link.pk}/").json()


def test_list_is_ordered_by_portfolio_and_place_unless_asked(client: Client) -> None:
    one, two = make_portfolio(order=2), make_portfolio(order=1)
    made = [make_link(two, place=1), make_link(one, place=2), make_link(two, place=0), make_link(one, place=1)]

    assert ids(client) == [made[place].pk for place in (3, 1, 2, 0)]


def test_list_orders_by_its_plain_fields_with_nulls_last(client: Client) -> None:
    one, two = make_portfolio(), make_portfolio()
    a = make_link(two, name="b", url="https://a.example", description=None).pk
    b = make_link(one, name="a", url=None, description="x").pk
    c = make_link(two, name="c", url="https://b.example", description="").pk

    assert (ids(client, ordering="id"), ids(client, ordering="-id")) == ([a, b, c], [c, b, a])
    assert (ids(client, ordering="name"), ids(client, ordering="-name")) == ([b, a, c], [c, a, b])
    assert (ids(client, ordering="url"), ids(client, ordering="-url")) == ([a, c, b], [c, a, b])
    assert (ids(client, ordering="description"), ids(client, ordering="-description")) == ([c, b, a], [b, c, a])
    assert (ids(client, ordering="portfolio"), ids(client, ordering="-portfolio")) == ([b, a, c], [a, c, b])


def test_list_finds_the_links_of_a_portfolio(client: Client) -> None:
    portfolio = make_portfolio()
    link = make_link(portfolio)
    make_link(make_portfolio())

    assert ids(client, portfolio_id=portfolio.pk) == [link.pk]
    assert ids(client, portfolio_id=NO_ID) == []


def test_list_tells_with_from_without_an_image(client: Client) -> None:
    pictured, plain = make_link(make_portfolio(), image=make_media()), make_link(make_portfolio())

    assert ids(client, has_image="1") == [pictured.pk]
    assert ids(client, has_image="0") == [plain.pk]


def test_list_tells_with_from_without_a_url(client: Client) -> None:
    with_url, without = make_link(make_portfolio()), make_link(make_portfolio(), url=None)

    assert ids(client, has_url="true") == [with_url.pk]
    assert ids(client, has_url="false") == [without.pk]


def test_list_searches_the_name_alone(client: Client) -> None:
    link = make_link(make_portfolio(), name="GitHub Яндекс")
    make_link(make_portfolio(), name="site", url="https://github.com", description="github")

    assert ids(client, search="github яНДЕКС") == [link.pk]
    assert ids(client, search="github site") == []
